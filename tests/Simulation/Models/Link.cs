using System.Threading.Channels;
using ControlPlane.Agent.Link;
using ControlPlane.Agent.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Simulation;

/// <summary>An agent's way to the nodes: it takes one that lives and can be reached.</summary>
sealed class Link(World world, Process agent) : IAgentLink
{
    public async Task<IAgentStream> Open(CancellationToken stop)
    {
        await Task.Delay(world.Network.Delay(), agent.Clock, stop);
        var reached = world.Nodes.Where(node => node.Process.Alive && !world.Network.IsCut(agent.Name, node.Name) && !world.Network.IsCut(node.Name, agent.Name)).ToList();
        return reached.Count == 0
            ? throw new LinkEndedException("no node can be reached")
            : new Connection(world, agent, world.Simulator.Luck.Pick("link.node", reached)).Begin();
    }
}

/// <summary>
/// One stream between an agent and a node's gateway: bytes in order each way, each with some delay, until one end goes or
/// the way is cut. A cut is noticed by both after a while, as by pings.
/// </summary>
sealed class Connection(World world, Process agent, Node node) : IAgentStream
{
    static readonly TimeSpan NoticedAfter = TimeSpan.FromSeconds(10);

    readonly Channel<byte[]> _toNode = Channel.CreateUnbounded<byte[]>();
    readonly Channel<byte[]> _toAgent = Channel.CreateUnbounded<byte[]>();
    readonly CancellationTokenSource _call = new();
    TimeSpan _lastToNode;
    TimeSpan _lastToAgent;
    bool _over;

    public Connection Begin()
    {
        world.Say($"{agent.Name} opens a stream to {node.Name}");
        world.Connections.Add(this);
        node.Process.Run(Serve);
        return this;
    }

    public bool Between(string one, string other) => (agent.Name == one && node.Name == other) || (agent.Name == other && node.Name == one);

    /// <summary>An end is gone or the way is cut: who is left notices.</summary>
    public void Break(bool atOnce)
    {
        if (_over)
        {
            return;
        }
        world.Say($"the stream of {agent.Name} to {node.Name} breaks");
        _over = true;
        world.Connections.Remove(this);
        var delay = atOnce ? world.Network.Delay() : NoticedAfter;
        agent.After(delay, () => _toAgent.Writer.TryComplete(new LinkEndedException("the connection broke")));
        node.Process.After(delay, () =>
        {
            _toNode.Writer.TryComplete(new IOException("the connection broke"));
            _call.Cancel();
        });
    }

    public bool Of(Process end) => agent == end || node.Process == end;

    public Task Send(LinkParcel parcel, CancellationToken stop)
    {
        var bytes = Parcels.ToWire(parcel).ToByteArray();
        BackAndForth(bytes);
        if (_toAgent.Reader.Completion.IsCompleted)
        {
            throw new LinkEndedException("the connection is over");
        }
        Carry(node.Process, ref _lastToNode, () => _toNode.Writer.TryWrite(bytes));
        return Task.CompletedTask;
    }

    public async Task<LinkParcel> Receive(CancellationToken stop)
    {
        try
        {
            return Parcels.FromWire(Parcel.Parser.ParseFrom(await _toAgent.Reader.ReadAsync(stop)));
        }
        catch (ChannelClosedException closed)
        {
            throw closed.InnerException is LinkEndedException end ? new LinkEndedException(end.Message, end.ComeAgain) : new LinkEndedException("the node ended the stream");
        }
    }

    /// <summary>I48: what is read from the bytes is written as the same bytes.</summary>
    void BackAndForth(byte[] bytes)
    {
        if (!Parcels.ToWire(Parcels.FromWire(Parcel.Parser.ParseFrom(bytes))).ToByteArray().AsSpan().SequenceEqual(bytes))
        {
            world.Check.Violate("I48", $"a parcel of {agent.Name} is another after reading: {Convert.ToHexString(bytes)}");
        }
    }

    public Task Finish(CancellationToken stop)
    {
        Carry(node.Process, ref _lastToNode, () => _toNode.Writer.TryComplete());
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        if (!_over)
        {
            Carry(node.Process, ref _lastToNode, () =>
            {
                _toNode.Writer.TryComplete(new IOException("the agent ended the call"));
                _call.Cancel();
            });
            _over = true;
            world.Connections.Remove(this);
        }
        return ValueTask.CompletedTask;
    }

    async Task Serve()
    {
        var end = "the node ended the stream";
        try
        {
            await node.Gateway.Connect(new Requests(this), new Responses(this), new Context(_call.Token));
        }
        catch (RpcException error)
        {
            end = $"{error.StatusCode}: {error.Status.Detail}";
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
        {
            end = error.Message;
        }
        world.Say($"the stream of {agent.Name} to {node.Name} is ended there: {end}");
        Carry(agent, ref _lastToAgent, () => _toAgent.Writer.TryComplete(new LinkEndedException(end)));
        world.Connections.Remove(this);
    }

    /// <summary>In order, whatever the delay.</summary>
    void Carry(Process to, ref TimeSpan last, Action arrive)
    {
        if (_over)
        {
            return;
        }
        var at = world.Simulator.Elapsed + world.Network.Delay();
        last = at > last ? at : last;
        to.After(last - world.Simulator.Elapsed, arrive);
    }

    sealed class Requests(Connection connection) : IAsyncStreamReader<Parcel>
    {
        public Parcel Current { get; private set; } = new();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            while (await connection._toNode.Reader.WaitToReadAsync(cancellationToken))
            {
                if (connection._toNode.Reader.TryRead(out var bytes))
                {
                    Current = Parcel.Parser.ParseFrom(bytes);
                    return true;
                }
            }
            return false;
        }
    }

    sealed class Responses(Connection connection) : IServerStreamWriter<Parcel>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(Parcel message)
        {
            if (connection._call.IsCancellationRequested)
            {
                throw new InvalidOperationException("the call is over");
            }
            var bytes = message.ToByteArray();
            connection.BackAndForth(bytes);
            connection.Carry(connection.Agent, ref connection._lastToAgent, () => connection._toAgent.Writer.TryWrite(bytes));
            return Task.CompletedTask;
        }

        public Task WriteAsync(Parcel message, CancellationToken cancellationToken) => WriteAsync(message);
    }

    Process Agent => agent;

    sealed class Context : ServerCallContext
    {
        readonly CancellationToken _token;

        public Context(CancellationToken token)
        {
            _token = token;
            UserStateCore["__HttpContext"] = new DefaultHttpContext();
        }

        protected override string MethodCore => "Connect";

        protected override string HostCore => "";

        protected override string PeerCore => "simulated";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore { get; } = [];

        protected override CancellationToken CancellationTokenCore => _token;

        protected override Metadata ResponseTrailersCore { get; } = [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore { get; } = new(null, []);

        protected override IDictionary<object, object> UserStateCore { get; } = new Dictionary<object, object>();

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
