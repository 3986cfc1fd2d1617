using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Agents;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>One node of the cluster while it lives: the shards that it believes to have, the entities in its memory, its gateway.</summary>
sealed class Node : IShellWorld, IEntityAsk
{
    /// <summary>Messages that wait for an entity that is on its way out of memory; more are dropped, as a shard does.</summary>
    const int BufferMax = 1_000;

    readonly World _world;
    readonly SortedDictionary<EntityId, Incarnation> _living = [];
    readonly Dictionary<EntityId, Queue<(object Message, object? Asker)>> _leaving = [];
    readonly Dictionary<Incarnation, int> _numbers = [];
    readonly Dictionary<string, Told<Node>> _homes = new(StringComparer.Ordinal);
    readonly Told<IReadOnlyList<Node>> _members;

    public Node(World world, string name)
    {
        _world = world;
        Process = new Process(world.Simulator, name);
        var options = new AgentGatewayOptions { Instance = $"{name}.{world.NextInstance()}", TrustAddresses = true };
        Streams = new AgentStreams(options);
        Lifetime = new NodeLifetime();
        Gateway = new AgentGateway(this, Streams, new OpeningGuard(options, Process.Clock), new AgentGatewaySurroundings(
            options, Process.Clock, Lifetime, NullLogger<AgentGateway>.Instance));
        Witness = new Witness(world, this);
        _members = new Told<IReadOnlyList<Node>>(world.Mutant);
    }

    public Process Process { get; }

    public string Name => Process.Name;

    /// <summary>Shards that this node takes messages for, rightly or not.</summary>
    public HashSet<string> Shards { get; } = new(StringComparer.Ordinal);

    public IEnumerable<KeyValuePair<EntityId, Incarnation>> Living => _living;

    public AgentStreams Streams { get; }

    public AgentGateway Gateway { get; }

    public NodeLifetime Lifetime { get; }

    public Witness Witness { get; }

    /// <summary>What it knows of where a shard is.</summary>
    public Told<Node> Told(string shard)
    {
        if (!_homes.TryGetValue(shard, out var told))
        {
            told = _homes[shard] = new Told<Node>(_world.Mutant);
        }
        return told;
    }

    /// <summary>It hears where a shard is: what it still has of another's is gone.</summary>
    public void Learn(string shard, long number, Node home)
    {
        _world.Check.Cluster.Heard(this, shard, number);
        if (Told(shard).Hear(number, home) && home != this && (Shards.Contains(shard) || Holds(shard)))
        {
            Drop(shard);
        }
    }

    /// <summary>It hears who is a member.</summary>
    public void Learn(long number, IReadOnlyList<Node> members)
    {
        _world.Check.Cluster.Heard(this, Cluster.Members, number);
        _members.Hear(number, members);
    }

    /// <summary>The other members, as it knows; under the number of that.</summary>
    public (long Number, IEnumerable<Node> Nodes) Peers => (_members.Number, (_members.What ?? []).Where(member => member != this));

    /// <summary>A message has arrived at this node.</summary>
    public void Hear(EntityId to, object message, object? asker)
    {
        if (_leaving.TryGetValue(to, out var buffer))
        {
            if (buffer.Count < BufferMax)
            {
                buffer.Enqueue((message, asker));
            }
            return;
        }
        if (!_living.TryGetValue(to, out var incarnation))
        {
            _living[to] = incarnation = new Incarnation(to, Process, this, _world.NewCore, _world.Times, _world.Mutant);
        }
        incarnation.Hear(message, asker);
        _world.Check.Waiting(to, incarnation.Waiting);
    }

    /// <summary>A shard is handed over: its entities are asked to end, and the node takes no more messages for it.</summary>
    public void HandOver(string shard)
    {
        Shards.Remove(shard);
        foreach (var incarnation in In(shard))
        {
            incarnation.Hear(EntityStop.Instance);
        }
    }

    public bool Holds(string shard) => In(shard).Count > 0;

    /// <summary>The node learns that a shard is another's: what it still had of it is gone.</summary>
    public void Drop(string shard)
    {
        Shards.Remove(shard);
        foreach (var (id, incarnation) in _living.Where(pair => World.ShardOf(pair.Key) == shard).ToList())
        {
            incarnation.Vanish();
            Ended(id, incarnation);
        }
    }

    List<Incarnation> In(string shard) => [.. _living.Where(pair => World.ShardOf(pair.Key) == shard).Select(pair => pair.Value)];

    public Task<Answer> Ask(Envelope envelope, TimeSpan timeout, CancellationToken stop) => _world.Ask(this, Process, envelope, timeout, stop);

    public void Append(EntityId id, ImmutableArray<StoredEvent> rows, Action<WriteEnd> answer) =>
        _world.Journal.Append(new Writer(Process, Number(id)), rows, answer);

    public void Read(EntityId id, Recovery recovery) => _world.Journal.Read(Process, id, (snapshot, last, after) =>
    {
        // Numbered by what it knows: who read later is the younger, whoever was made first.
        if (_living.TryGetValue(id, out var incarnation))
        {
            _numbers[incarnation] = _world.NextIncarnation();
            _world.Check.Cluster.Read(_numbers[incarnation], last);
            _world.Say($"{Name}: {id} begins its life {_numbers[incarnation]} at {_world.Journal.Rows(id).Count}");
        }
        recovery(snapshot, last, after);
    });

    public void Save(CoreSnapshot snapshot) => _world.Journal.Save(Process, snapshot);

    public void Respond(object asker, Answer answer)
    {
        _world.Check.Said(answer, Number(answer.From));
        var question = (Question)asker;
        _world.Network.Send(Process, question.Asker, () => question.Answer(answer));
    }

    /// <summary>As the door does: while the journal is away nobody could store what is said.</summary>
    public void Tell(EntityId to, object message)
    {
        if (_world.Journal.Reaches(Process))
        {
            _world.Route(this, to, message, null);
        }
    }

    public void Drive(EntityId bridge, long session, DriverCommand command) => _world.Drive(this, bridge.Parts[0], session, command);

    public void Wake(EntityId id, bool later) => _world.Wake(this, id, later);

    public void Passivate(EntityId id)
    {
        if (_living.TryGetValue(id, out var incarnation) && _leaving.TryAdd(id, new Queue<(object, object?)>()))
        {
            Process.After(TimeSpan.Zero, () => incarnation.Hear(EntityStop.Instance));
        }
    }

    public void Ended(EntityId id, Incarnation incarnation)
    {
        if (_living.GetValueOrDefault(id) == incarnation)
        {
            _living.Remove(id);
        }
        _numbers.Remove(incarnation, out var number);
        _world.Say($"{Name}: {id} ends its life {number}");
        if (_leaving.Remove(id, out var buffer))
        {
            foreach (var (message, asker) in buffer)
            {
                Process.After(TimeSpan.Zero, () => _world.Arrive(this, id, message, asker, hops: 0));
            }
        }
    }

    public void Fault(EntityId id, FaultKind kind, string reason) => _world.Check.Fault(id, kind, reason);

    int Number(EntityId id) => _living.TryGetValue(id, out var incarnation) ? _numbers.GetValueOrDefault(incarnation) : 0;
}

/// <summary>A node's end, for the parts of it that are told.</summary>
sealed class NodeLifetime : Microsoft.Extensions.Hosting.IHostApplicationLifetime
{
    readonly CancellationTokenSource _stopping = new();

    public CancellationToken ApplicationStarted => CancellationToken.None;

    public CancellationToken ApplicationStopping => _stopping.Token;

    public CancellationToken ApplicationStopped => CancellationToken.None;

    public void StopApplication() => _stopping.Cancel();
}
