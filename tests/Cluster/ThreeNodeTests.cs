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
        await LocalCluster.Until(async () => await Shards(nodes[0]) is [_, _, > 0], "the newcomer has a share", TimeSpan.FromSeconds(120));
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

    [Fact]
    public async Task A_word_of_a_newer_wire_version_is_said_when_all_members_may_speak_it_and_who_may_not_is_let_in_no_more()
    {
        await using var server = await PostgresServer.Start();
        var old = await Start(server, StoredNames.Wire - 1);
        await using var further = await Start(server);
        await Up([old, further]);
        var (answer, asked) = (default(Answer), 0);
        Assert.Equal("cluster.mixed", (await further.Ask(Join())).Refusal?.Code);
        Assert.Equal(StoredNames.Wire - 1, further.Membership.Wire);

        await old.DisposeAsync();
        await LocalCluster.Until(async () => (answer = await further.Ask(Join())).Refusal?.Code != "cluster.mixed", "the newer version is spoken");
        Assert.IsType<HostJoinAllowedUntil>(answer!.Reply);
        Assert.Equal(StoredNames.Wire, further.Membership.Wire);
        var late = await Assert.ThrowsAsync<PostgresRefusedException>(() => Start(server, StoredNames.Wire - 1));
        Assert.Contains("postgres.newer-wire", late.Message, StringComparison.Ordinal);

        Envelope Join() => new(EntityId.Bridge("hv01"), $"join-{++asked}", "operator:ann", "corr", new AllowHostJoin(new string('a', 64)));
    }

    Task<EngineRig> Start(PostgresServer server, int? wire = null) => EngineRig.Start(database: PostgresSource.Open(
        new PostgresOptions(server.ConnectionString) { Wire = wire ?? StoredNames.Wire }, _witnesses.File($"{++_count}.json"), new NodeAlarms(TimeProvider.System)));

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
