using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>Everything that there is in one run: journal, nodes, hosts, the ways between them, and who watches.</summary>
sealed class World
{
    const int HopsMax = 6;
    const int BufferMax = 1_000;

    readonly Dictionary<string, List<(EntityId To, object Message, object? Asker)>> _buffered = new(StringComparer.Ordinal);
    readonly Tally? _cells;
    int _instances;
    int _incarnations;

    /// <param name="cells">Counts what each state was told, if given.</param>
    public World(Choices luck, Options options, Mutant mutant, Trace trace, Tally? cells = null)
    {
        (Options, Mutant, _cells) = (options, mutant, cells);
        Simulator = new Simulator(luck, trace, options.Reorder);
        Check = new Check(this);
        Journal = new Journal(Simulator, options.Journal, Struck, mutant, Check.Violate) { Stored = Check.Stored };
        Network = new Network(Simulator, options.Network, Struck);
        Cluster = new Cluster(this);
        Homes = new Homes(this);
        Simulator.AfterStep = Check.Cluster.Look;
        Hosts = [.. Enumerable.Range(1, options.Hosts).Select(number => new SimulatedHost(this, string.Create(CultureInfo.InvariantCulture, $"hv{number:00}")))];
    }

    public Options Options { get; }

    public Mutant Mutant { get; }

    public Simulator Simulator { get; }

    public Journal Journal { get; }

    public Network Network { get; }

    public Cluster Cluster { get; }

    public Homes Homes { get; }

    public Check Check { get; }

    /// <summary>Faults that struck, by kind.</summary>
    public Tally Struck { get; } = new();

    public List<Node> Nodes { get; } = [];

    public IReadOnlyList<SimulatedHost> Hosts { get; }

    public HashSet<Connection> Connections { get; } = [];

    /// <summary>No more faults of any kind.</summary>
    public bool Healed { get; private set; }

    public ShellTimes Times { get; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(20));

    public static string ShardOf(EntityId id) => $"{id.Region}.{ShardIds.Of(id)}";

    public int NextInstance() => ++_instances;

    public int NextIncarnation() => ++_incarnations;

    public IEntityCore NewCore(EntityId id) => _cells is { } cells ? Cells.Core(id, cells) : Mutants.Core(Mutant, id);

    public void Say(string what) => Simulator.Trace.Add(Simulator.Elapsed, what);

    public bool Settled(string shard) => Homes.Settled(shard);

    public void Settle(string shard, Node home)
    {
        Homes.Settle(shard, home);
        Flush(shard);
        Cluster.WakeOwing(shard, home);
    }

    void Flush(string shard)
    {
        if (Homes.Of(shard) is not null && _buffered.Remove(shard, out var waiting))
        {
            foreach (var (to, message, asker) in waiting)
            {
                Route(null, to, message, asker);
            }
        }
    }

    /// <summary>From a node (null: from outside) to wherever the entity lives.</summary>
    public void Route(Node? from, EntityId to, object message, object? asker, int hops = 0)
    {
        if (message is Envelope envelope)
        {
            Check.Sent(envelope);
        }
        var shard = ShardOf(to);
        if ((from is null ? Homes.Of(shard) : Homes.Of(shard, from)) is not { } home)
        {
            if (from is not null && Cluster.Isolated(from))
            {
                // Nobody tells it where that is: who asked asks again.
                return;
            }
            Simulator.After(TimeSpan.FromSeconds(1), null, () => Flush(shard));
            var waiting = _buffered.TryGetValue(shard, out var known) ? known : _buffered[shard] = [];
            if (waiting.Count < BufferMax)
            {
                waiting.Add((to, message, asker));
            }
            return;
        }
        if (message is Envelope { Body: var body } && Network.Stall(body) is var held && held > TimeSpan.Zero)
        {
            Simulator.After(held, home.Process, () => Arrive(home, to, message, asker, hops));
            return;
        }
        Network.Send((from ?? home).Process, home.Process, () => Arrive(home, to, message, asker, hops));
    }

    public void Arrive(Node node, EntityId to, object message, object? asker, int hops)
    {
        if (node.Shards.Contains(ShardOf(to)))
        {
            Check.Cluster.Acts(node, ShardOf(to), node.Told(ShardOf(to)).Number);
            node.Hear(to, message, asker);
        }
        else if (hops < HopsMax)
        {
            Route(node, to, message, asker, hops + 1);
        }
    }

    /// <summary>As a node's door: every outcome is an answer.</summary>
    public async Task<Answer> Ask(Node node, Process asker, Envelope envelope, TimeSpan timeout, CancellationToken stop)
    {
        if (!Journal.Reaches(node.Process))
        {
            return Refuse(envelope, RefusalKind.Unavailable, "journal.unavailable", "The journal is away; try again later.");
        }
        var question = new Question(asker, envelope with { Deadline = envelope.Deadline ?? node.Process.Clock.GetUtcNow() + timeout });
        Route(node, envelope.To, question.Envelope, question);
        try
        {
            return await question.Answered.WaitAsync(timeout, asker.Clock, stop);
        }
        catch (TimeoutException)
        {
            return Refuse(envelope, RefusalKind.Unknown, "request.timeout", $"{envelope.To} did not answer in time; ask again with the same key.");
        }
    }

    public void Wake(Node node, EntityId id, bool later) => Simulator.After(
        later ? TimeSpan.FromSeconds(1) : TimeSpan.Zero, node.Process, () =>
        {
            if (later && !Journal.Reaches(node.Process))
            {
                Wake(node, id, later);
                return;
            }
            Route(node, id, new Wake(id), null);
        });

    /// <summary>A bridge's command goes to whichever node has the agent's stream.</summary>
    public void Drive(Node from, string host, long session, DriverCommand command)
    {
        foreach (var node in Nodes.Where(node => node.Process.Alive))
        {
            Network.Send(from.Process, node.Process, () => node.Streams.Hand(host, session, command));
        }
    }

    public void BreakConnections(Process end, bool atOnce)
    {
        foreach (var connection in Connections.Where(connection => connection.Of(end)).ToList())
        {
            connection.Break(atOnce);
        }
    }

    public void BreakConnections(string one, string other)
    {
        foreach (var connection in Connections.Where(connection => connection.Between(one, other)).ToList())
        {
            connection.Break(atOnce: false);
        }
    }

    public void Heal()
    {
        Healed = Network.Healed = Journal.Healed = true;
        Journal.MendAll();
        Network.MendAll();
        Say("healed");
    }

    static Answer Refuse(Envelope envelope, RefusalKind kind, string code, string detail) =>
        new(envelope.MessageId, envelope.To, envelope.From, 0, 0, null, new Refusal(kind, code, detail));
}
