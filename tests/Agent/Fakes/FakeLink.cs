using System.Threading.Channels;
using ControlPlane.Agent.Link;
using ControlPlane.Messages;

namespace ControlPlane.Agent.Tests.Fakes;

/// <summary>A link whose far end is the test: each stream that the agent opens is played by hand.</summary>
sealed class FakeLink : IAgentLink
{
    readonly Channel<Node> _opened = Channel.CreateUnbounded<Node>();
    int _opens;

    public int Opens => Volatile.Read(ref _opens);

    public Task<IAgentStream> Open(CancellationToken stop)
    {
        var node = new Node();
        Interlocked.Increment(ref _opens);
        _opened.Writer.TryWrite(node);
        return Task.FromResult<IAgentStream>(node.AgentSide);
    }

    public Task<Node> Next() => _opened.Reader.ReadAsync().AsTask().Soon();

    /// <summary>The next stream, answered with this session.</summary>
    public async Task<(Node Node, AgentHello Hello)> Welcome(long session, Dictionary<string, long>? fences = null)
    {
        var node = await Next();
        var hello = await node.Hears<AgentHello>();
        node.Say(new SessionOpened(session, fences ?? []), session);
        return (node, hello);
    }

    /// <summary>The node's end of one stream.</summary>
    internal sealed class Node
    {
        readonly Channel<LinkParcel> _fromAgent = Channel.CreateUnbounded<LinkParcel>();
        readonly Channel<LinkParcel> _toAgent = Channel.CreateUnbounded<LinkParcel>();

        public Node() => AgentSide = new Stream(this);

        public IAgentStream AgentSide { get; }

        /// <summary>True: the agent has left.</summary>
        public bool Left { get; private set; }

        public void Say(object word, long session) => _toAgent.Writer.TryWrite(new LinkParcel(word, session));

        public void Hand(DriverCommand command, long session) => Say(new HandCommand(command), session);

        public async Task<T> Hears<T>()
        {
            var parcel = await _fromAgent.Reader.ReadAsync().AsTask().Soon();
            return Assert.IsType<T>(parcel.Word);
        }

        /// <summary>Nothing was said that was not heard.</summary>
        public bool Silent => !_fromAgent.Reader.TryPeek(out _);

        public void End(string reason, TimeSpan? comeAgain = null) => _toAgent.Writer.TryComplete(new LinkEndedException(reason, comeAgain));

        sealed class Stream(Node node) : IAgentStream
        {
            public Task Send(LinkParcel parcel, CancellationToken stop) => node._fromAgent.Writer.WriteAsync(parcel, stop).AsTask();

            public async Task<LinkParcel> Receive(CancellationToken stop)
            {
                try
                {
                    return await node._toAgent.Reader.ReadAsync(stop);
                }
                catch (ChannelClosedException closed) when (closed.InnerException is LinkEndedException ended)
                {
                    throw ended;
                }
            }

            public Task Finish(CancellationToken stop)
            {
                node.End("finished");
                return Task.CompletedTask;
            }

            public ValueTask DisposeAsync()
            {
                node.Left = true;
                return ValueTask.CompletedTask;
            }
        }
    }
}
