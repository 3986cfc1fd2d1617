using Microsoft.Extensions.Logging;

namespace ControlPlane.Agent;

/// <summary>What an agent says in its log.</summary>
static partial class AgentLog
{
    [LoggerMessage(3001, LogLevel.Information, "{Host}: session {Session} is open ({Driver}, {Devices} devices)")]
    public static partial void SessionOpen(ILogger log, string host, long session, string driver, int devices);

    [LoggerMessage(3002, LogLevel.Warning, "{Host}: no session: {Reason}; again in {Pause}")]
    public static partial void SessionEnded(ILogger log, string host, string reason, TimeSpan pause);

    [LoggerMessage(3003, LogLevel.Error, "{Host}: the session failed; again in {Pause}")]
    public static partial void SessionFailed(ILogger log, Exception error, string host, TimeSpan pause);

    [LoggerMessage(3004, LogLevel.Warning, "Command {Command} is dropped: {Max} are held")]
    public static partial void CommandDropped(ILogger log, string command, int max);

    [LoggerMessage(3005, LogLevel.Warning, "Command {Command} had no answer within {Patience}; its repeat begins anew")]
    public static partial void NoAnswer(ILogger log, string command, TimeSpan patience);

    [LoggerMessage(3006, LogLevel.Error, "The driver failed with command {Command}")]
    public static partial void DriverDefect(ILogger log, Exception error, string command);

    [LoggerMessage(3007, LogLevel.Warning, "Commands were still at work {Patience} after the stop and are given up")]
    public static partial void CommandsLeft(ILogger log, TimeSpan patience);

    [LoggerMessage(3008, LogLevel.Information, "{Host}: good-bye was not said: {Reason}")]
    public static partial void NoGoodBye(ILogger log, string host, string reason);

    [LoggerMessage(3009, LogLevel.Information, "{Host}: the certificate is renewed, and good until {NotAfter}")]
    public static partial void Renewed(ILogger log, string host, DateTimeOffset notAfter);

    [LoggerMessage(3010, LogLevel.Warning, "{Host}: {Node} did not renew the certificate: {Reason}; the present one is good until {NotAfter}")]
    public static partial void NotRenewed(ILogger log, string host, Uri node, string reason, DateTimeOffset notAfter);
}
