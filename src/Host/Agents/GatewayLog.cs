namespace ControlPlane.Host.Agents;

/// <summary>What the agents' gateway says in the log.</summary>
static partial class GatewayLog
{
    [LoggerMessage(3101, LogLevel.Information, "Agent of {Host}: session {Session} opened")]
    public static partial void Opened(ILogger log, string host, long session);

    [LoggerMessage(3102, LogLevel.Information, "Agent of {Host}: session {Session} ended: {Reason}")]
    public static partial void Ended(ILogger log, string host, long session, string reason);

    [LoggerMessage(3103, LogLevel.Warning, "Agent of {Host} got no session: {Reason}")]
    public static partial void Refused(ILogger log, string host, string reason);

    [LoggerMessage(3104, LogLevel.Warning, "Bridge of {Host} took no completion of {Command}: {Reason}; the repeat brings it again")]
    public static partial void CompletionNotTaken(ILogger log, string host, string command, string reason);

    [LoggerMessage(3105, LogLevel.Warning, "Bridge of {Host} was not told that session {Session} is over: {Reason}")]
    public static partial void EndNotTold(ILogger log, string host, long session, string reason);

    [LoggerMessage(3106, LogLevel.Error, "Agent of {Host} in this process failed")]
    public static partial void LocalAgentFailed(ILogger log, Exception error, string host);

    [LoggerMessage(3107, LogLevel.Information, "Agent of {Host}: a certificate was issued")]
    public static partial void Certified(ILogger log, string host);

    [LoggerMessage(3108, LogLevel.Warning, "Agent of {Host} got no certificate: {Reason}")]
    public static partial void NotCertified(ILogger log, string host, string reason);
}
