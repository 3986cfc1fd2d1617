namespace ControlPlane.Postgres.Tests;

/// <summary>A test that starts a server; skipped, with the reason, where none is installed, but never under CI.</summary>
sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = Reason;

    /// <summary>What the test needs root for.</summary>
    public string NeedsRoot
    {
        get => "";
        set => Skip ??= Environment.IsPrivilegedProcess ? null : $"needs root: {value}";
    }

    public static string? Reason => Environment.GetEnvironmentVariable("CI") == "true" ? null : PostgresServer.Missing;
}
