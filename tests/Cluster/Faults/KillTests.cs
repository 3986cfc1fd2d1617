using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

public sealed class KillTests
{
    [Fact]
    public async Task Entities_of_a_killed_node_are_served_by_the_others()
    {
        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"]);
        var probes = new Probes(cluster, 600, "hv01");
        await probes.AskAll();
        var times = new List<TimeSpan>();
        for (var round = 0; round < 3; round++)
        {
            var victim = cluster.Nodes[round];
            var others = cluster.Nodes.Where(node => node != victim).ToList();
            IReadOnlyList<string> moved = [];
            await LocalCluster.Until(async () => (moved = await probes.On(victim, others[0])).Count >= 150, "its share is on the node that is to be killed", TimeSpan.FromSeconds(120));
            await victim.Process.Kill(again: false);
            var answered = await Task.WhenAll(moved.Select((vm, n) => probes.Change(vm, others[n % 2], TimeSpan.FromSeconds(120))));
            times.AddRange(answered);
            Figures.Print($"kill {round}: {moved.Count} entities", answered);
            victim.Process.Start();
            await cluster.Whole();
            await probes.AskAll();
        }
        await JournalCheck.Holds(cluster.Server.ConnectionString, probes.Acknowledged);
        Figures.Print("kill -9 to the first acknowledged command", times);
    }
}
