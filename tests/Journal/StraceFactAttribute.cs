namespace ControlPlane.Journal.Tests;

/// <summary>A test that watches system calls; skipped, with the reason, where the tracer is not installed.</summary>
sealed class StraceFactAttribute : FactAttribute
{
    public const string Program = "/usr/bin/strace";

    public StraceFactAttribute() => Skip = File.Exists(Program) ? null : $"{Program} is not installed";
}
