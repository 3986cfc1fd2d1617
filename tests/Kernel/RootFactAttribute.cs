namespace ControlPlane.Kernel.Tests;

/// <summary>
/// A test that changes the kernel's network. Without root it is skipped with that reason, except under CI, where a
/// skipped test would be a test that nobody runs.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    /// <summary>False where such a test is skipped; its fixtures are then not made either.</summary>
    public static bool CanRun => Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("CI") == "true";

    public RootFactAttribute()
    {
        if (!CanRun)
        {
            Skip = "needs root: it makes network namespaces";
        }
    }
}

/// <summary>The same for a test with several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute()
    {
        if (!RootFactAttribute.CanRun)
        {
            Skip = "needs root: it makes network namespaces";
        }
    }
}
