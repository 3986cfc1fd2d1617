namespace ControlPlane.Journal.Tests;

/// <summary>A test that watches system calls; skipped, with the reason, where the tracer is not installed, but never under CI.</summary>
sealed class StraceFactAttribute : FactAttribute
{
    public const string Program = "/usr/bin/strace";

    public StraceFactAttribute() =>
        Skip = File.Exists(Program) || Environment.GetEnvironmentVariable("CI") == "true" ? null : $"{Program} is not installed";
}
