using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>
/// Three nodes at work while one after the other is killed, frozen, cut off or loses its database, in an order that the printed
/// seed gives. CONTROLPLANE_FAULT_SEED chooses another order, CONTROLPLANE_FAULT_ROUNDS more rounds in each part.
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

    /// <summary>In parts, each on a cluster of its own: one that fails says which.</summary>
    [RootTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Nothing_acknowledged_is_lost_whichever_node_fails_and_however(int part)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("CONTROLPLANE_FAULT_SEED") ?? $"{Environment.TickCount & 0xffff}", null);
        var rounds = int.Parse(Environment.GetEnvironmentVariable("CONTROLPLANE_FAULT_ROUNDS") ?? "5", null);
        Figures.Print($"part {part}: {rounds} rounds of faults, seed {seed}");
        var random = new Random(seed + part);
        var order = Enumerable.Range(0, rounds).Select(n => (Fault)(n % 5)).ToArray();
        random.Shuffle(order);

        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"], users: true);
        using var cuts = new Cuts(cluster.Nodes.Select(node => node.User!.Value));
        var probes = new Probes(cluster, 500, "hv01");
        await probes.AskAll();
        await using var load = new Load(cluster, "hv01", 4);
        await load.Begin();
        foreach (var (fault, round) in order.Select((fault, round) => (fault, round)))
        {
            var victim = cluster.Nodes[random.Next(3)];
            var oldest = await IsOldest(victim) ? ", the oldest" : "";
            var times = await Round(fault, victim, cluster, cuts, probes);
            Figures.Print($"part {part} round {round + 1}: {fault} of {victim.Process.Name}{oldest}", times);
            await cluster.Whole();
            await probes.AskAll();
        }
        await load.End();

        var all = probes.Acknowledged.Concat(load.Acknowledged).ToDictionary();
        var rows = await JournalCheck.Holds(cluster.Server.ConnectionString, all);
        var watched = load.WatchedAll();
        var commands = await HostCheck.Holds(cluster, load.Vms);
        Figures.Print($"part {part}: {all.Count} acknowledged changes, {watched} watched events, {rows.Count} rows, {commands} commands on hosts");
        foreach (var (fault, times) in _times)
        {
            var budget = fault == Fault.Kill ? " (budget 6 s)" : "";
            Figures.Print($"{fault}: to the first acknowledged command on a moved entity{budget}", times);
        }
        Figures.Print("a node that lost a partition, to its end (budget 10 s)", _downAfterCut);
    }

    /// <summary>It has the coordinators of the shards, and the supervisor.</summary>
    static async Task<bool> IsOldest(NodeProcess node) =>
        (string?)(await node.Http.GetFromJsonAsync<JsonNode>("/v1/cluster"))!["supervisor"] == node.Cluster;

    async Task<IReadOnlyCollection<TimeSpan>> Round(Fault fault, NodeProcess victim, LocalCluster cluster, Cuts cuts, Probes probes)
    {
        var others = cluster.Nodes.Where(node => node != victim).ToList();
        IReadOnlyList<string> moved = [];
        IReadOnlyCollection<TimeSpan> answered = [];
        await LocalCluster.Until(
            async () => (moved = await probes.On(victim, others[0])).Count >= 50,
            () => $"{victim.Process.Name} has its share, and not {moved.Count}", TimeSpan.FromSeconds(120));
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
                await Out(TimeSpan.FromSeconds(120));
                break;
            case Fault.CutFromDatabase:
                cuts.FromDatabase(victim.User!.Value, cluster.Server.Port);
                await Probe();
                await Out(TimeSpan.FromSeconds(120));
                cuts.Heal();
                break;
            case Fault.CutFromPeers:
                await new Partition(cuts, [victim], others).Winners();
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

        _times[fault].AddRange(answered);
        return answered;

        async Task Probe() => answered = await Task.WhenAll(moved.Select((vm, n) => probes.Change(vm, others[n % others.Count], TimeSpan.FromSeconds(120))));

        async Task Out(TimeSpan within)
        {
            await LocalCluster.Until(() => Task.FromResult(victim.Process.Exits.Count > exits), $"{victim.Process.Name} ends after {fault}", within);
            Assert.Equal(Departure.ExitCode, victim.Process.Exits[exits]);
        }
    }
}
