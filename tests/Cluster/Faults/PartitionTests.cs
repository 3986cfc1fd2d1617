using System.Collections.Concurrent;
using System.Diagnostics;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>
/// Both sides of a partition are asked all the while for changes of the same entities. Once the surviving side has stored
/// something for an entity, the losing one acknowledges nothing of it any more.
/// </summary>
public sealed class PartitionTests
{
    sealed record Acknowledged(string Vm, string Key, NodeProcess By, TimeSpan Begun, TimeSpan Ended);

    [RootTheory]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    public async Task Both_sides_of_a_partition_write_one_history_and_one_of_them_ends(int nodes, int left)
    {
        await using var cluster = await LocalCluster.Start(nodes, hosts: ["hv01"], users: true);
        using var cuts = new Cuts(cluster.Nodes.Select(node => node.User!.Value));
        var probes = new Probes(cluster, 120, "hv01");
        await probes.AskAll();
        await using var load = new Load(cluster, "hv01", 2);
        await load.Begin();
        var sides = new[] { cluster.Nodes.Take(left).ToList(), cluster.Nodes.Skip(left).ToList() };
        var vms = (await Task.WhenAll(sides.Select(side => probes.On(side[0], side[0])))).SelectMany(there => there.Take(6)).ToList();
        var acknowledged = new ConcurrentQueue<Acknowledged>();
        using var stop = new CancellationTokenSource();

        var clock = Stopwatch.StartNew();
        var partition = new Partition(cuts, sides[0], sides[1]);
        var asking = Task.WhenAll(vms.SelectMany(vm => cluster.Nodes.Select(node => Ask(vm, node))));
        var winners = await partition.Winners();
        Figures.Print($"{left} and {nodes - left} nodes: the losing side, to its end (budget 10 s)", [clock.Elapsed]);
        await LocalCluster.Until(
            () => Task.FromResult(vms.All(vm => acknowledged.Any(one => one.Vm == vm && winners.Contains(one.By)))),
            "the winning side has all entities", TimeSpan.FromSeconds(120));
        await stop.CancelAsync();
        await asking;
        cuts.Heal();
        await cluster.Whole();
        await load.End();

        await HostCheck.Holds(cluster, load.Vms);
        var all = probes.Acknowledged.Concat(load.Acknowledged).ToDictionary();
        var places = (await JournalCheck.Holds(cluster.Server.ConnectionString, all)).ToLookup(row => row.Key);
        foreach (var vm in vms)
        {
            var history = acknowledged.Where(one => one.Vm == vm).OrderBy(one => places[one.Key].Single().SequenceNumber).ToList();
            InOrder(history);
            Assert.DoesNotContain(history.SkipWhile(one => !winners.Contains(one.By)), one => !winners.Contains(one.By));
        }
        Figures.Print($"{acknowledged.Count} acknowledged changes, {acknowledged.Count(one => !winners.Contains(one.By))} of them by the losing side before the take-over");

        async Task Ask(string vm, NodeProcess node)
        {
            while (!stop.IsCancellationRequested && !partition.HasEnded(node))
            {
                var (key, begun) = (Guid.NewGuid().ToString(), clock.Elapsed);
                if (await probes.Try(vm, node, key, stop.Token) is null)
                {
                    acknowledged.Enqueue(new Acknowledged(vm, key, node, begun, clock.Elapsed));
                }
                await Task.Delay(200);
            }
        }
    }

    /// <summary>What was asked after another change was acknowledged is behind it in the entity's history, whichever side had it.</summary>
    static void InOrder(IEnumerable<Acknowledged> history)
    {
        var begun = TimeSpan.Zero;
        foreach (var one in history)
        {
            Assert.True(one.Ended >= begun, $"{one.Vm}: {one.Key} was acknowledged before one was asked that is earlier in its history");
            begun = one.Begun > begun ? one.Begun : begun;
        }
    }
}
