using System.Diagnostics;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>
/// Three nodes at work while one after the other is killed, frozen, cut off or loses its database, in an order that the printed
/// seed gives. CONTROLPLANE_FAULT_SEED and CONTROLPLANE_FAULT_ROUNDS choose another order and more rounds.
/// </summary>
public sealed class RoundsTests
{
    enum Fault
    {
        Kill,
        Freeze,
        CutFromDatabase,
        CutFromPeers,
        RestartDatabase,
    }

    readonly Dictionary<Fault, List<TimeSpan>> _times = Enum.GetValues<Fault>().ToDictionary(fault => fault, _ => new List<TimeSpan>());
    readonly List<TimeSpan> _downAfterCut = [];

    [RootFact]
    public async Task Nothing_acknowledged_is_lost_whichever_node_fails_and_however()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("CONTROLPLANE_FAULT_SEED") ?? $"{Environment.TickCount & 0xffff}", null);
        var rounds = int.Parse(Environment.GetEnvironmentVariable("CONTROLPLANE_FAULT_ROUNDS") ?? "5", null);
        Figures.Print($"{rounds} rounds of faults, seed {seed}");
        var random = new Random(seed);
        var order = Enumerable.Range(0, rounds).Select(n => (Fault)(n % 5)).ToArray();
        random.Shuffle(order);

        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"], users: true);
        using var cuts = new Cuts(cluster.Nodes.Select(node => node.User!.Value));
        var probes = new Probes(cluster, 500, "hv01");
        await probes.Define();
        await using var load = new Load(cluster, "hv01", 4);
        await load.Begin();
        foreach (var fault in order)
        {
            var victim = cluster.Nodes[random.Next(3)];
            await Round(fault, victim, cluster, cuts, probes);
            await cluster.Whole(within: TimeSpan.FromSeconds(60));
        }
        await load.End();

        var all = probes.Acknowledged.Concat(load.Acknowledged).ToDictionary();
        var rows = await JournalCheck.Holds(cluster.Server.ConnectionString, all);
        Assert.Equal(Enumerable.Range(0, load.Watched.Count).Select(n => load.Watched[0] + n), load.Watched);
        Figures.Print($"{all.Count} acknowledged changes, {load.Watched.Count} watched events, {rows} rows");
        foreach (var (fault, times) in _times)
        {
            Figures.Print($"{fault}: to the first acknowledged command on a moved entity", times);
        }
        Figures.Print("a node that lost a partition, to its end", _downAfterCut);
    }

    async Task Round(Fault fault, NodeProcess victim, LocalCluster cluster, Cuts cuts, Probes probes)
    {
        var others = cluster.Nodes.Where(node => node != victim).ToList();
        IReadOnlyList<string> moved = [];
        await LocalCluster.Until(async () => (moved = await probes.On(victim, others[0])).Count >= 50, "the victim has its share", TimeSpan.FromSeconds(60));
        var (exits, clock) = (victim.Process.Exits.Count, Stopwatch.StartNew());
        switch (fault)
        {
            case Fault.Kill:
                await victim.Process.Kill(again: false);
                await Probe();
                victim.Process.Start();
                break;
            case Fault.Freeze:
                await victim.Process.Freeze();
                await Probe();
                await Task.Delay(TimeSpan.FromSeconds(10) - clock.Elapsed is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero);
                await victim.Process.Thaw();
                await Out(TimeSpan.FromSeconds(30));
                break;
            case Fault.CutFromDatabase:
                cuts.FromDatabase(victim.User!.Value, cluster.Server.Port);
                await Probe();
                await Out(TimeSpan.FromSeconds(60));
                cuts.Heal();
                break;
            case Fault.CutFromPeers:
                await Cut(cuts, [victim], others);
                _downAfterCut.Add(clock.Elapsed);
                cuts.Heal();
                await Probe();
                break;
            case Fault.RestartDatabase:
                await cluster.Server.Down("fast");
                await cluster.Server.Up();
                clock.Restart();
                await Probe();
                break;
        }

        async Task Probe() => _times[fault].AddRange(
            await Task.WhenAll(moved.Select((vm, n) => probes.Change(vm, others[n % others.Count], TimeSpan.FromSeconds(60)))));

        async Task Out(TimeSpan within)
        {
            await LocalCluster.Until(() => Task.FromResult(victim.Process.Exits.Count > exits), $"{victim.Process.Name} ends after {fault}", within);
            Assert.Equal(Departure.ExitCode, victim.Process.Exits[exits]);
        }
    }

    [RootFact]
    public async Task Of_two_halves_one_survives_by_the_lease()
    {
        await using var cluster = await LocalCluster.Start(4, users: true);
        using var cuts = new Cuts(cluster.Nodes.Select(node => node.User!.Value));
        var sides = cluster.Nodes.Chunk(2).ToArray();
        var clock = Stopwatch.StartNew();
        var winners = await Cut(cuts, sides[0], sides[1]);
        Figures.Print("two halves: the losing one, to its end", [clock.Elapsed]);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        cuts.Heal();
        await cluster.Whole();
        Assert.All(winners, node => Assert.Empty(node.Process.Exits));
    }

    /// <summary>Cuts two sides apart and waits until one of them has ended; the other is answered, and nobody of it has.</summary>
    static async Task<IReadOnlyList<NodeProcess>> Cut(Cuts cuts, IReadOnlyList<NodeProcess> left, IReadOnlyList<NodeProcess> right)
    {
        var before = left.Concat(right).ToDictionary(node => node, node => node.Process.Exits.Count);
        cuts.Between([.. left.Select(node => (node.User!.Value, node.Port))], [.. right.Select(node => (node.User!.Value, node.Port))]);
        IReadOnlyList<NodeProcess>? winners = null;
        await LocalCluster.Until(
            () => Task.FromResult((winners = Ended(left) ? right : Ended(right) ? left : null) is not null), "one side ends", TimeSpan.FromSeconds(30));
        Assert.All(winners!, node => Assert.Equal(before[node], node.Process.Exits.Count));
        Assert.All(left.Concat(right).Except(winners!), node => Assert.Equal(Departure.ExitCode, node.Process.Exits[before[node]]));
        return winners!;

        bool Ended(IReadOnlyList<NodeProcess> side) => side.All(node => node.Process.Exits.Count > before[node]);
    }
}
