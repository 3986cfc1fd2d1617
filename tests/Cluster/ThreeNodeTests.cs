using Akka.Actor;
using Akka.Cluster;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Tests.Cluster;

/// <summary>Several actor systems of one process on one PostgreSQL.</summary>
[Collection(RefusalsCollection.Name)]
public sealed class ThreeNodeTests : IDisposable
{
    readonly TemporaryFolder _witnesses = new();
    int _count;

    public void Dispose() => _witnesses.Dispose();

    [Fact]
    public async Task Join_rebalance_hand_over_leave_and_an_exception_send_nothing_without_a_name()
    {
        await using var server = await PostgresServer.Start();
        var refused = RefusingSerializer.Refusals;
        var nodes = (await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Start(server)))).ToList();
        await Up(nodes);
        await Define(nodes, "first");

        nodes.Add(await Start(server));
        await Up(nodes);
        await LocalCluster.Until(async () => (await Shards(nodes[0]))[^1] > 0 && (await Shards(nodes[0])).Count == 3, "the newcomer has a share");
        await Define(nodes, "second");

        nodes[1].System.ActorOf(Props.Create(() => new Fails()), "fails");
        var away = nodes[0].System.ActorSelection(new RootActorPath(Akka.Cluster.Cluster.Get(nodes[1].System).SelfAddress) / "user" / "fails");
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => away.Ask<string>("anything", TimeSpan.FromSeconds(20)));
        Assert.Contains("as it should", failure.ToString(), StringComparison.Ordinal);

        var before = TimeProvider.System.GetTimestamp();
        await nodes[0].DisposeAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(before), TimeSpan.Zero, TimeSpan.FromSeconds(15));
        Assert.False(nodes[0].Departed);
        nodes.RemoveAt(0);
        await Define(nodes, "third");
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
        Assert.Equal(refused, RefusingSerializer.Refusals);
    }

    Task<EngineRig> Start(PostgresServer server) => EngineRig.Start(database: PostgresSource.Open(
        new PostgresOptions(server.ConnectionString), _witnesses.File($"{++_count}.json"), new NodeAlarms(TimeProvider.System)));

    static Task Up(List<EngineRig> nodes) => LocalCluster.Until(
        () => Task.FromResult(nodes.All(node =>
            Akka.Cluster.Cluster.Get(node.System).State.Members.Count(member => member.Status == MemberStatus.Up) == nodes.Count)),
        $"{nodes.Count} nodes are up", TimeSpan.FromSeconds(60));

    static async Task<IReadOnlyList<int>> Shards(EngineRig node) =>
        [.. (await new ClusterState(() => node.System).Regions()).Single(region => region.Region == "vm").Nodes.Select(on => on.Shards.Count).OrderDescending()];

    static async Task Define(List<EngineRig> nodes, string round)
    {
        for (var n = 0; n < 40; n++)
        {
            var answer = await nodes[n % nodes.Count].Ask(new Envelope(
                EntityId.Vm($"web-{n}"), $"{round}-{n}", "operator:ann", "corr", new DefineVm(new VmDefinition("hv01", []))));
            Assert.True(answer.Refusal is null, answer.Refusal?.ToString());
        }
    }

    sealed class Fails : ReceiveActor
    {
        public Fails() => ReceiveAny(_ => Sender.Tell(new Status.Failure(new InvalidOperationException("as it should"))));
    }
}
