using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Messages;
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
        await probes.AskAll();
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

    /// <summary>
    /// A newcomer is a member before an older node leaves, so that there are always three. While a node of the former wire version
    /// is among them, that one is spoken.
    /// </summary>
    [Fact]
    public async Task All_nodes_are_replaced_one_by_one_under_load_by_nodes_of_the_next_wire_version()
    {
        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"], wire: StoredNames.Wire - 1);
        await using var load = new Load(cluster, "hv01", 4);
        await load.Begin();
        var old = cluster.Nodes;
        var further = cluster.AddNode();
        foreach (var node in old)
        {
            await cluster.Whole();
            Assert.All(await Spoken(), spoken => Assert.Equal(StoredNames.Wire - 1, spoken));
            Ended(await node.Process.Terminate());
            node.Process.Wire = null;
            node.Process.Start();
        }
        await cluster.Whole();
        await LocalCluster.Until(async () => (await Spoken()).All(spoken => spoken == StoredNames.Wire), "the newer version is spoken", TimeSpan.FromSeconds(120));
        Ended(await further.Process.Terminate());
        await cluster.Whole(old);
        await load.End();
        Figures.Print($"rolling restart: {load.Acknowledged.Count} acknowledged changes, at most {load.TriesMax} tries of a request");
        if (cluster.Nodes.All(node => node.Process.Exits.All(code => code == 0)))
        {
            Assert.InRange(load.TriesMax, 1, 2); // unless the machine stood still and cost a node
        }

        await JournalCheck.Holds(cluster.Server.ConnectionString, load.Acknowledged);
        load.WatchedAll();
        await HostCheck.Holds(cluster, load.Vms);

        Task<int[]> Spoken() => Task.WhenAll(cluster.Nodes.Select(async node =>
            (int?)(await node.Http.GetFromJsonAsync<JsonNode>("/v1/cluster"))!["wire"]?["spoken"] ?? 1)); // a release before the second version says none
    }

    /// <summary>In order; or as one that stood still, which a machine that is too busy can make of it.</summary>
    static void Ended(int exitCode) => Assert.Contains(exitCode, new[] { 0, Departure.ExitCode });
}
