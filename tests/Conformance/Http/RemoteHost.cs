using System.Collections.Concurrent;
using ControlPlane.Agent;
using ControlPlane.Agent.Link;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// A simulated host that is not the process's own: its agent speaks over the node's agent socket, and comes and goes when
/// the test says so. The data path is the host's and stays when the agent goes; what the agent had in memory does not.
/// </summary>
sealed class RemoteHost : IAsyncDisposable
{
    static readonly HostAgentOptions Quick = new()
    {
        ReconnectFirst = TimeSpan.FromMilliseconds(20),
        FramesPause = TimeSpan.FromMilliseconds(20),
        StopTakesMax = TimeSpan.FromMilliseconds(500),
    };

    readonly RunningControlPlane _node;
    readonly SimulatedDriver _dataPath;
    readonly ConcurrentDictionary<DriverVerb, bool> _answersToLose = new();
    readonly ConcurrentDictionary<DriverVerb, bool> _commandsToLose = new();
    RunningAgent? _agent;

    public RemoteHost(RunningControlPlane node, string name)
    {
        _node = node;
        Name = name;
        _dataPath = new SimulatedDriver(name, new SimulatedDriverOptions { Fate = FateOf }, TimeProvider.System);
    }

    public string Name { get; }

    /// <summary>Commands that the data path has carried out and never answered.</summary>
    public ConcurrentQueue<DriverVerb> AnswersLost { get; } = new();

    /// <summary>Commands that never reached the data path.</summary>
    public ConcurrentQueue<DriverVerb> CommandsLost { get; } = new();

    /// <summary>Told before each command.</summary>
    public Action? Looked { get; set; }

    /// <summary>An agent starts; returns when the control plane has opened its session.</summary>
    public async Task Comes()
    {
        _agent = new RunningAgent(Name, _dataPath, _node.AgentSocket);
        await _node.HostIs(Name, "online");
    }

    /// <summary>The agent ends; returns when the control plane knows.</summary>
    public async Task Goes()
    {
        await _agent!.DisposeAsync();
        _agent = null;
        await _node.HostIs(Name, "offline");
    }

    /// <summary>The next such command is carried out, and its answer never comes.</summary>
    public void LoseAnswer(DriverVerb verb) => _answersToLose[verb] = true;

    /// <summary>The next such command does not reach the data path, and no answer comes.</summary>
    public void LoseCommand(DriverVerb verb) => _commandsToLose[verb] = true;

    /// <summary>The NICs whose gate is open now.</summary>
    public IReadOnlyList<string> OpenGates => [.. _dataPath.Peek().Where(device => device.Up && device.NicKey.Length > 0).Select(device => device.NicKey)];

    /// <summary>Rounds of announcements that went out for the NIC.</summary>
    public int Announced(string nicKey) => _dataPath.Announced(nicKey);

    /// <summary>The host loses power: what it had is gone, but for its fences. To be done while its agent is away.</summary>
    public void Reboot() => _dataPath.Reboot();

    /// <summary>Somebody plugs a device of their own into the switch.</summary>
    public void AddForeignDevice(string switchName, string device) => _dataPath.AddForeignDevice(switchName, device);

    public Task<Inventory> Inventory() => _dataPath.Snapshot(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }
        await _dataPath.DisposeAsync();
    }

    CommandFate FateOf(DriverCommand command)
    {
        Looked?.Invoke();
        if (_commandsToLose.TryRemove(command.Verb, out _))
        {
            CommandsLost.Enqueue(command.Verb);
            return CommandFate.Lost;
        }
        if (!_answersToLose.TryRemove(command.Verb, out _))
        {
            return CommandFate.Once;
        }
        AnswersLost.Enqueue(command.Verb);
        return CommandFate.AnswerLost;
    }

    sealed class RunningAgent : IAsyncDisposable
    {
        readonly CancellationTokenSource _stop = new();
        readonly GrpcAgentLink _link;
        readonly HostAgent _agent;
        readonly Task _work;

        public RunningAgent(string host, SimulatedDriver dataPath, string socket)
        {
            _link = GrpcAgentLink.ToSocket(socket);
            _agent = new HostAgent(host, dataPath, _link, Quick, new AgentSurroundings(TimeProvider.System, new Random(1), NullLogger.Instance));
            _work = Task.Run(() => _agent.Run(_stop.Token));
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _work;
            _agent.Dispose();
            _link.Dispose();
            _stop.Dispose();
        }
    }
}
