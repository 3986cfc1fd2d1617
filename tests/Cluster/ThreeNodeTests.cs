using Akka.Cluster;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster;

/// <summary>Three actor systems of one process on one PostgreSQL.</summary>
public sealed class ThreeNodeTests
{
    static Envelope DefineVm(string vm, string id) => new(
        EntityId.Vm(vm), id, "operator:ann", "corr", new DefineVm(new VmDefinition("hv01", [])));

    [Fact]
    public async Task Nodes_find_each_other_in_the_database_and_share_the_entities()
    {
        await using var server = await PostgresServer.Start();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var witnesses = new TemporaryFolder();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(n => EngineRig.Start(database: PostgresSource.Open(
            new PostgresOptions(server.ConnectionString), witnesses.File($"{n}.json"), new NodeAlarms(TimeProvider.System)))));
        while (!nodes.All(node => Akka.Cluster.Cluster.Get(node.System).State.Members.Count(m => m.Status == MemberStatus.Up) == 3) && clock.Elapsed.TotalSeconds < 40)
        {
            await Task.Delay(50);
        }
        Console.WriteLine($"up after {clock.Elapsed}");
        clock.Restart();
        for (var n = 0; n < 30; n++)
        {
            var answer = await nodes[n % 3].Ask(DefineVm($"web-{n}", $"define-{n}"));
            Assert.True(answer.Refusal is null, answer.Refusal?.ToString());
        }
        Console.WriteLine($"30 after {clock.Elapsed}");
        foreach (var node in nodes)
        {
            clock.Restart();
            await node.DisposeAsync();
            Console.WriteLine($"left after {clock.Elapsed} departed {node.Departed}");
        }
    }
}
