using System.Threading.Channels;
using ControlPlane.Agent.Link;
using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>
/// One agent's stream on this node. Until its session has a number it already takes commands: the bridge hands them out
/// as soon as it has stored the session, which is before the number is known here.
/// </summary>
sealed class AgentStream(string host, int outgoingMax)
{
    readonly Channel<LinkParcel> _outgoing = Channel.CreateBounded<LinkParcel>(outgoingMax);
    readonly TaskCompletionSource<ComeAgain> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _session;

    public string Host => host;

    /// <summary>0 while it opens.</summary>
    public long Session
    {
        get => Volatile.Read(ref _session);
        set => Volatile.Write(ref _session, value);
    }

    /// <summary>The bridge knows already that the session is over: a newer one, a gap.</summary>
    public bool OverAtBridge { get; set; }

    /// <summary>Completes when somebody other than the agent ends the stream.</summary>
    public Task<ComeAgain> Ended => _ended.Task;

    public ChannelReader<LinkParcel> Outgoing => _outgoing.Reader;

    /// <summary>False: so many words wait for the agent that this one is not taken.</summary>
    public bool TryHand(long session, DriverCommand command) =>
        _outgoing.Writer.TryWrite(new LinkParcel(new HandCommand(command), session, command.CommandId));

    /// <summary>A receipt is not dropped: it waits for its place.</summary>
    public ValueTask Answer(object word, string id, CancellationToken stop) =>
        _outgoing.Writer.WriteAsync(new LinkParcel(word, Session, id), stop);

    public void End(string reason, TimeSpan comeAgain) =>
        _ended.TrySetResult(new ComeAgain((int)comeAgain.TotalMilliseconds, reason));
}
