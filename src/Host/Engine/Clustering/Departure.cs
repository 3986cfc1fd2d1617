namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// The end of a process that is no longer a member. It ends as if killed, because that end is safe at every moment and is
/// tried all the time: what it holds in memory may already be another's, and nothing of it may be said any more. Whoever
/// watches over it (systemd, Kubernetes, the local cluster's script) starts it again, and it joins as a new process.
/// </summary>
sealed partial class Departure(IHostApplicationLifetime life, ILogger<Departure> log)
{
    /// <summary>EX_TEMPFAIL: start me again.</summary>
    public const int ExitCode = 75;

    int _gone;

    /// <summary>Only tests go on living.</summary>
    public Action<int> Exit { get; init; } = Environment.Exit;

    /// <summary>Nothing happens in a process that is leaving already.</summary>
    public void Now(string why)
    {
        if (!life.ApplicationStopping.IsCancellationRequested && Interlocked.Exchange(ref _gone, 1) == 0)
        {
            LogDeparts(log, why, ExitCode);
            Exit(ExitCode);
        }
    }

    [LoggerMessage(1, LogLevel.Critical, "This node departs: {Why}. It ends with code {Code}, to be started again")]
    static partial void LogDeparts(ILogger logger, string why, int code);
}
