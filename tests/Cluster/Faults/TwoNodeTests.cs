using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

public sealed class TwoNodeTests
{
    [Fact]
    public async Task Of_two_nodes_each_goes_on_without_the_other()
    {
        await using var cluster = await LocalCluster.Start(2, hosts: ["hv01"]);
        var probes = new Probes(cluster, 200, "hv01");
        await probes.AskAll();
        foreach (var (victim, other) in new[] { (cluster.Nodes[0], cluster.Nodes[1]), (cluster.Nodes[1], cluster.Nodes[0]) })
        {
            IReadOnlyList<string> moved = [];
            await LocalCluster.Until(async () => (moved = await probes.On(victim, other)).Count >= 50, "its share is on the node that is to be killed", TimeSpan.FromSeconds(120));
            await victim.Process.Kill(again: false);
            Figures.Print(
                "kill -9 of one of two, to the first acknowledged command on a moved entity",
                await Task.WhenAll(moved.Select(vm => probes.Change(vm, other, TimeSpan.FromSeconds(120)))));
            victim.Process.Start();
            await cluster.Whole();
            await probes.AskAll();
        }
        await JournalCheck.Holds(cluster.Server.ConnectionString, probes.Acknowledged);
    }
}
