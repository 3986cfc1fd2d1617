using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>Nodes that are asked to end, while people work.</summary>
public sealed class LeaveTests
{
    [Fact]
    public async Task A_node_that_leaves_costs_no_request_more_than_one_retry()
    {
        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"]);
        var probes = new Probes(cluster, 300, "hv01");
        await probes.Define();
        await using var load = new Load(cluster, "hv01", 4);
        await load.Begin();
        var (leaving, others) = (cluster.Nodes[0], cluster.Nodes.Skip(1).ToList());
        IReadOnlyList<string> moved = [];
        await LocalCluster.Until(async () => (moved = await probes.On(leaving, others[0])).Count >= 30, "the node has its share", TimeSpan.FromSeconds(120));

        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gaps = Task.WhenAll(moved.Take(30).Select((vm, n) => LongestGap(vm, others[n % 2])));
        Ended(await leaving.Process.Terminate());
        left.SetResult();
        Figures.Print("SIGTERM: the longest time without an acknowledged command of a moved entity (budget 1 s)", await gaps);
        Figures.Print($"SIGTERM: at most {load.TriesMax} tries of a request");
        if (others.All(node => node.Process.Exits.Count == 0))
        {
            Assert.InRange(load.TriesMax, 1, 2); // unless the machine stood still and cost another node
        }

        leaving.Process.Start();
        await cluster.Whole();
        await load.End();
        await JournalCheck.Holds(cluster.Server.ConnectionString, probes.Acknowledged.Concat(load.Acknowledged).ToDictionary());
        await HostCheck.Holds(cluster, load.Vms);

        // The last one ends after the node is gone, so that the move itself is among them.
        async Task<TimeSpan> LongestGap(string vm, NodeProcess by)
        {
            var longest = TimeSpan.Zero;
            for (var last = false; !last; await Task.Delay(100))
            {
                last = left.Task.IsCompleted;
                var took = await probes.Change(vm, by, TimeSpan.FromSeconds(120));
                longest = took > longest ? took : longest;
            }
            return longest;
        }
    }

    /// <summary>A newcomer is a member before an older node leaves, so that there are always three.</summary>
    [Fact]
    public async Task All_nodes_are_replaced_one_by_one_under_load()
    {
        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"]);
        await using var load = new Load(cluster, "hv01", 4);
        await load.Begin();
        var old = cluster.Nodes;
        var further = cluster.AddNode();
        foreach (var node in old)
        {
            await cluster.Whole();
            Ended(await node.Process.Terminate());
            node.Process.Start();
        }
        await cluster.Whole();
        Ended(await further.Process.Terminate());
        await cluster.Whole(old);
        await load.End();
        Figures.Print($"rolling restart: {load.Acknowledged.Count} acknowledged changes, at most {load.TriesMax} tries of a request");

        await JournalCheck.Holds(cluster.Server.ConnectionString, load.Acknowledged);
        load.WatchedAll();
        await HostCheck.Holds(cluster, load.Vms);
    }

    /// <summary>In order; or as one that stood still, which a machine that is too busy can make of it.</summary>
    static void Ended(int exitCode) => Assert.Contains(exitCode, new[] { 0, Departure.ExitCode });
}
