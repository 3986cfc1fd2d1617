using Akka.Cluster;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Security;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster;

/// <summary>Who has a certificate of the cluster's authority is a node; whoever has not is none, and somebody says why.</summary>
public sealed class CertificateTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly TemporaryFolder _folder = new();
    int _count;

    public CertificateTests()
    {
        Pki.Init(_folder.File("ca"), new Clock(DateTimeOffset.UtcNow.AddDays(-100)));
        Pki.Init(_folder.File("other-ca"), TimeProvider.System);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Nodes_with_certificates_form_a_cluster_and_speak()
    {
        await using var server = await PostgresServer.Start();
        await using var one = await Start(server, Certificate("ca"));
        await using var two = await Start(server, Certificate("ca"));
        await LocalCluster.Until(() => Task.FromResult(Members(one) == 2 && Members(two) == 2), "both are up", Patience);
        Assert.StartsWith("akka.ssl.tcp://", Cluster(one).SelfAddress.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(one.Said.Concat(two.Said), line => line.Contains("refused", StringComparison.Ordinal));
    }

    [Fact]
    public Task A_node_of_another_authority_does_not_join_and_both_sides_say_why() => DoesNotJoin(
        () => Certificate("other-ca"), (member, stranger) => Says(member, "the peer has a certificate of another authority")
            && Says(stranger, "the peer has a certificate of another authority")
            // Its engine ends by itself, so its process says that it wants to be started again.
            && stranger.Departed && Says(stranger, "it called a peer that it does not believe"));

    [Fact]
    public async Task A_node_departs_before_its_certificate_ends_so_that_no_peer_calls_it_any_more()
    {
        await using var server = await PostgresServer.Start();
        var soon = DateTimeOffset.UtcNow + Pki.ClockMayDiffer + TimeSpan.FromSeconds(10);
        await using var node = await Start(server, Certificate("ca", new Clock(soon.AddDays(-90))));
        await LocalCluster.Until(() => Task.FromResult(node.Departed), "it departs", Patience);
        Assert.True(Says(node, "its certificate ends at"));
        Assert.True(DateTimeOffset.UtcNow >= soon - Pki.ClockMayDiffer - TimeSpan.FromSeconds(1));
    }

    [Fact]
    public Task A_node_whose_certificate_has_expired_does_not_join_and_its_peer_says_why() => DoesNotJoin(
        () => Certificate("ca", new Clock(DateTimeOffset.UtcNow.AddDays(-91))), (member, _) => Says(member, "the peer has a certificate that expired at"));

    [Fact]
    public Task An_agent_is_no_node_though_its_certificate_is_good() => DoesNotJoin(
        () =>
        {
            var into = _folder.File("agent");
            Pki.Agent(_folder.File("ca"), "hv01", into, TimeProvider.System);
            File.Move(Path.Combine(into, "agent.crt"), Path.Combine(into, "node.crt"));
            File.Move(Path.Combine(into, "agent.key"), Path.Combine(into, "node.key"));
            return NodeCertificate.Read(into, TimeProvider.System);
        },
        (member, _) => Says(member, "the peer has a certificate of the agent of host hv01"));

    [Fact]
    public Task A_node_without_a_certificate_does_not_join_and_says_why() => DoesNotJoin(
        () => null, (_, stranger) => Says(stranger, "this node has no certificate"));

    /// <summary>The stranger finds the member in their database, knocks, and is not let in however often it tries.</summary>
    async Task DoesNotJoin(Func<NodeCertificate?> strange, Func<EngineRig, EngineRig, bool> why)
    {
        await using var server = await PostgresServer.Start();
        await using var member = await Start(server, Certificate("ca"));
        await LocalCluster.Until(() => Task.FromResult(Members(member) == 1), "the first is up", Patience);
        await using var stranger = await Start(server, strange());
        await LocalCluster.Until(() => Task.FromResult(why(member, stranger)), "somebody says why", Patience);
        Assert.Equal((1, 0), (Members(member), Members(stranger)));
        Assert.False(stranger.Membership.Joined);
    }

    Task<EngineRig> Start(PostgresServer server, NodeCertificate? certificate) => EngineRig.Start(
        database: PostgresSource.Open(
            new PostgresOptions(server.ConnectionString), _folder.File($"{++_count}.json"), new NodeAlarms(TimeProvider.System)),
        certificate: certificate);

    /// <summary>As a node would have it that did not look at it before the start.</summary>
    NodeCertificate Certificate(string authority, TimeProvider? issued = null)
    {
        var into = _folder.File($"node{++_count}");
        Pki.Node(_folder.File(authority), $"node{_count}", into, issued ?? TimeProvider.System);
        return NodeCertificate.Read(into, TimeProvider.System);
    }

    static bool Says(EngineRig node, string what) => node.Said.Any(line => line.Contains(what, StringComparison.Ordinal));

    static Akka.Cluster.Cluster Cluster(EngineRig node) => Akka.Cluster.Cluster.Get(node.System);

    static int Members(EngineRig node) => Cluster(node).State.Members.Count(member => member.Status == MemberStatus.Up);

    sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
