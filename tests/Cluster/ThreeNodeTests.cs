using Akka.Cluster;
using Akka.Configuration;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster;

/// <summary>Three actor systems of one process on one PostgreSQL.</summary>
public sealed class ThreeNodeTests
{
    static Config Journal(string database) => ConfigurationFactory.ParseString($$"""
        akka.persistence {
          journal { plugin = "akka.persistence.journal.sql", sql { connection-string = "{{database}}", provider-name = "PostgreSQL.15", replay-filter.mode = off } }
          snapshot-store { plugin = "akka.persistence.snapshot-store.sql", sql { connection-string = "{{database}}", provider-name = "PostgreSQL.15" } }
        }
        """).WithFallback(Akka.Persistence.Sql.SqlPersistence.DefaultConfiguration);

    static Envelope DefineVm(string vm, string id) => new(
        EntityId.Vm(vm), id, "operator:ann", "corr", new DefineVm(new VmDefinition("hv01", [])));

    [Fact]
    public async Task Nodes_find_each_other_in_the_database_and_share_the_entities()
    {
        await using var server = await PostgresServer.Start();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => EngineRig.Start(journal: Journal(server.ConnectionString), database: server.ConnectionString)));
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
