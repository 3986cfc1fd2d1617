using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Identity;
using ControlPlane.Agent.Link;
using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.Agent.Wire;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Grpc.Core;
using Grpc.Net.Client;

namespace ControlPlane.Agent.Tests;

/// <summary>Agents over TLS: each speaks for the host in its certificate, and for no other.</summary>
public sealed class SecureAgentTests
{
    [Fact]
    public async Task Agent_with_its_certificate_has_a_session_and_carries_out_commands()
    {
        await using var node = await SecureNode.Start();
        await using var rig = new AgentRig(node.Link(node.Certificate("hv01")));
        await Eventually.Is(() => rig.Agent.Session == 1, "a session");
        Assert.Equal(NdisStatus.Success, (await node.Bridges.Issue("hv01", Orders.Switch()).Soon()).Status);
    }

    [Fact]
    public async Task Agent_of_one_host_cannot_speak_for_another_and_its_bridge_hears_nothing()
    {
        await using var node = await SecureNode.Start();
        var reason = await node.NoSession(node.Certificate("hv01"), "hv02");
        Assert.Equal("PermissionDenied: the agent of host hv01 cannot speak for host hv02", reason);
        Assert.Empty(node.Bridges.Asked);
        Assert.IsType<SessionOpened>(await node.Hello(node.Certificate("hv02"), "hv02"));
    }

    [Fact]
    public async Task Certificate_of_another_authority_gets_no_session_and_is_told_why()
    {
        await using var node = await SecureNode.Start();
        var into = node.File("foreign");
        Pki.Agent(node.File("other-ca"), "hv01", into, node.Time);
        using var foreign = X509Certificate2.CreateFromPemFile(Path.Combine(into, "agent.crt"), Path.Combine(into, "agent.key"));
        var refused = await Stranger(node, foreign);
        Assert.Equal((StatusCode.PermissionDenied, "no agent of ours: the peer has a certificate of another authority"), (refused.StatusCode, refused.Status.Detail));
        Assert.Empty(node.Bridges.Asked);
    }

    [Fact]
    public async Task Peer_without_a_certificate_gets_no_session_and_is_told_why()
    {
        await using var node = await SecureNode.Start();
        var refused = await Stranger(node, null);
        Assert.Equal((StatusCode.PermissionDenied, "no agent of ours: the peer showed no certificate"), (refused.StatusCode, refused.Status.Detail));
        Assert.Empty(node.Bridges.Asked);
    }

    [Fact]
    public async Task Agent_says_nothing_to_a_node_of_another_authority()
    {
        await using var node = await SecureNode.Start();
        Assert.Contains(
            "the node has a certificate of another authority", await node.NoSession(node.Certificate("hv01", "other-ca"), "hv01"), StringComparison.Ordinal);
        Assert.Empty(node.Bridges.Asked);
    }

    [Fact]
    public async Task Certificate_that_has_expired_gets_no_session_and_is_told_why()
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        await node.Join(token, "hv01");
        var certificate = node.Load("hv01", "hv01");
        Assert.IsType<SessionOpened>(await node.Hello(certificate, "hv01"));
        node.Time.Advance(Issuer.AgentLives + TimeSpan.FromSeconds(1));
        Assert.Contains("PermissionDenied: no agent of ours: the peer has a certificate that expired at", await node.NoSession(certificate, "hv01"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_ends_with_the_certificate_that_opened_it()
    {
        await using var node = await SecureNode.Start();
        await node.Join(await node.Allow("hv01"), "hv01");
        await using var stream = await node.Link(node.Load("hv01", "hv01")).Open(CancellationToken.None);
        await stream.Send(new LinkParcel(NodeRig.Hello("hv01")), CancellationToken.None);
        Assert.IsType<SessionOpened>((await stream.Receive(CancellationToken.None).Soon()).Word);

        node.Time.Advance(Issuer.AgentLives);
        var away = Assert.IsType<ComeAgain>((await stream.Receive(CancellationToken.None).Soon()).Word);
        Assert.Equal("its certificate has expired", away.Reason);
    }

    [Fact]
    public async Task Session_with_a_longer_certificate_ends_after_thirty_days_and_says_so()
    {
        await using var node = await SecureNode.Start();
        await using var stream = await node.Link(node.Certificate("hv01")).Open(CancellationToken.None);
        await stream.Send(new LinkParcel(NodeRig.Hello("hv01")), CancellationToken.None);
        Assert.IsType<SessionOpened>((await stream.Receive(CancellationToken.None).Soon()).Word);

        node.Time.Advance(TimeSpan.FromDays(30));
        var away = Assert.IsType<ComeAgain>((await stream.Receive(CancellationToken.None).Soon()).Word);
        Assert.Equal("it was open for 30 days", away.Reason);
    }

    [Fact]
    public async Task Agent_is_judged_by_its_certificate_at_each_connection()
    {
        await using var node = await SecureNode.Start();
        await node.Join(await node.Allow("hv01"), "hv01");
        var certificate = node.Load("hv01", "hv01");
        for (var times = 0; times < 5; times++)
        {
            Assert.IsType<SessionOpened>(await node.Hello(certificate, "hv01"));
        }
    }

    [Fact]
    public async Task Certificate_of_a_node_is_no_agents()
    {
        await using var node = await SecureNode.Start();
        var into = node.File("node-as-agent");
        Pki.Node(node.File("ca"), "hv01", into, node.Time);
        File.Move(Path.Combine(into, "node.crt"), Path.Combine(into, "agent.crt"));
        File.Move(Path.Combine(into, "node.key"), Path.Combine(into, "agent.key"));
        var refused = Assert.Throws<IdentityException>(() => node.Load(into, "hv01"));
        Assert.Contains("has a certificate of node hv01", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hv02", "has a certificate of host hv01, not of hv02")]
    [InlineData("hv01", "agent.key is not there", "agent.key")]
    [InlineData("hv01", "has no certificate of the agent of hv01: ca.crt is not there", "ca.crt")]
    public async Task Agent_does_not_start_with_what_no_node_would_take(string host, string reason, string? without = null)
    {
        await using var node = await SecureNode.Start();
        Pki.Agent(node.File("ca"), "hv01", node.File("agent"), node.Time);
        if (without is not null)
        {
            File.Delete(Path.Combine(node.File("agent"), without));
        }
        Assert.Contains(reason, Assert.Throws<IdentityException>(() => node.Load("agent", host)).Message, StringComparison.Ordinal);
    }

    /// <summary>Why somebody who would believe any node gets no session.</summary>
    static async Task<RpcException> Stranger(SecureNode node, X509Certificate2? shown)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, peer, _, _) => peer is not null;
        handler.SslOptions.ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(shown, null, offline: true);
        using var channel = GrpcChannel.ForAddress(node.Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        using var call = new AgentLink.AgentLinkClient(channel).Connect();
        return await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None).Soon());
    }
}
