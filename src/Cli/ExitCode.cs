namespace ControlPlane.Cli;

/// <summary>How cpctl ends. Scripts depend on these numbers: they never change their meaning.</summary>
public static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The server understood and said no; the problem is on standard error.</summary>
    public const int Refused = 1;

    /// <summary>The command line is wrong; nothing was sent.</summary>
    public const int Usage = 2;

    /// <summary>No server answered, or it is not ready to serve (503).</summary>
    public const int NotReachable = 3;

    /// <summary>The end is not known: the wait is up, no answer came in time, or the operation ended as unknown.</summary>
    public const int TimedOut = 4;

    /// <summary>Ended by the person, as a shell counts it (128 + SIGINT).</summary>
    public const int Interrupted = 130;
}
