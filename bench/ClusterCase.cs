using System.Diagnostics;
using ControlPlane.Tests.Cluster.Faults;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Bench;

/// <summary>The product's nodes as processes on one PostgreSQL, asked over HTTP.</summary>
static class ClusterCase
{
    const int Entities = 600;
    const int Clients = 64;
    static readonly TimeSpan Warm = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Measure = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Acknowledged changes a second, by clients that each ask the next node.</summary>
    public static async Task<double> Rate(int nodes)
    {
        await using var cluster = await LocalCluster.Start(nodes, hosts: ["hv01"]);
        var probes = new Probes(cluster, Entities, "hv01");
        await probes.AskAll();
        var (clock, counted) = (Stopwatch.StartNew(), 0);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            for (var n = client; clock.Elapsed < Warm + Measure; n += Clients)
            {
                await probes.Change(probes.Vms[n % Entities], cluster.Nodes[n % nodes], Patience);
                if (clock.Elapsed > Warm && clock.Elapsed < Warm + Measure)
                {
                    Interlocked.Increment(ref counted);
                }
            }
        }));
        return counted / Measure.TotalSeconds;
    }

    /// <summary>Kills one of three and answers how long each entity that was there did not answer.</summary>
    public static async Task<IReadOnlyList<TimeSpan>> Killed()
    {
        await using var cluster = await LocalCluster.Start(3, hosts: ["hv01"]);
        var probes = new Probes(cluster, Entities, "hv01");
        await probes.AskAll();
        var (victim, others) = (cluster.Nodes[^1], cluster.Nodes.Take(2).ToList());
        IReadOnlyList<string> moved = [];
        await LocalCluster.Until(async () => (moved = await probes.On(victim, others[0])).Count >= 150, "the node has its share", Patience);
        await victim.Process.Kill(again: false);
        return await Task.WhenAll(moved.Select((vm, n) => probes.Change(vm, others[n % 2], Patience)));
    }
}
