namespace ControlPlane.Tests.Cluster;

/// <summary>Tests that count what the process's serializer refuses, and those that have it refuse: one after the other.</summary>
static class RefusalsCollection
{
    public const string Name = "refusals";
}
