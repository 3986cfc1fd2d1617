namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>A test that gives processes other user ids and filters their packets. Without root it is skipped, except under CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute()
    {
        if (!Environment.IsPrivilegedProcess && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip = "needs root: it filters the packets of processes";
        }
    }
}
