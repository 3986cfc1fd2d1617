using System.Text.Json.Nodes;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

public sealed class KernelHostTests
{
    [RootTheory]
    [InlineData(3)]
    public async Task Kernel_and_actors_agree_after_each_node_was_killed_once(int nodes)
    {
        await using var cluster = await LocalCluster.Start(nodes);
        await using var host = await KernelHost.Start(cluster, "hv01");
        await using var load = new Load(cluster, "hv01", 4);
        await load.Begin();
        foreach (var node in cluster.Nodes)
        {
            await node.Process.Kill(again: true);
            await cluster.Whole();
            var before = load.Acknowledged.Count;
            await LocalCluster.Until(() => Task.FromResult(load.Acknowledged.Count >= before + 4), "work goes on", TimeSpan.FromSeconds(120));
        }
        await load.End();
        load.WatchedAll();
        await JournalCheck.Holds(cluster.Server.ConnectionString, load.Acknowledged);
        await HostCheck.Agree(cluster, load.Vms, () => host.Links().Select(Line));
        Figures.Print($"a host on the kernel: {load.Acknowledged.Count} acknowledged changes over {nodes} kills");
    }

    /// <summary>The kernel keeps NIC, switch, port and epoch in the device's alias, with bars between.</summary>
    static string Line(JsonNode link)
    {
        var alias = ((string)link["ifalias"]!).Split('|');
        var nic = Array.FindIndex(alias, part => part.StartsWith("nic/", StringComparison.Ordinal));
        return HostCheck.Line(alias[nic], link["master"] is not null, link["flags"]!.AsArray().Any(flag => (string)flag! == "UP"), alias[nic + 3]);
    }
}
