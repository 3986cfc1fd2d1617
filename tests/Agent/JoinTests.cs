using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Actors.Bridge;
using ControlPlane.Agent.Identity;
using ControlPlane.Agent.Link;
using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.Agent.Wire;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Agent.Tests;

/// <summary>How a host's agent gets its certificates: the first for a token, each later one for the one before.</summary>
public sealed class JoinTests
{
    [Fact]
    public async Task Token_gives_the_agent_a_certificate_and_with_it_a_session()
    {
        await using var node = await SecureNode.Start();
        await node.Join(await node.Allow("hv01"), "hv01");
        var certificate = node.Load("hv01", "hv01");
        Assert.Equal(Issuer.AgentLives.TotalDays, (certificate.NotAfter - node.Time.GetUtcNow()).TotalDays, 3);
        await using var rig = new AgentRig(node.Link(certificate));
        await Eventually.Is(() => rig.Agent.Session == 1, "a session");

        var files = Directory.GetFiles(node.File("hv01"));
        Assert.Equal(["agent.crt", "agent.key", "ca.crt"], files.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file));
    }

    [Fact]
    public async Task Token_that_was_used_gives_nothing_to_another_key()
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        await node.Join(token, "first");
        Assert.StartsWith("join.token-used: This token of host hv01 was used before.", await node.Refused(token, "second"), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(node.File("second"), "agent.crt")));
        Assert.Single(node.Bridges.Stored, row => row.Event is JoinTokenUsed);
    }

    [Fact]
    public async Task Who_did_not_hear_the_answer_asks_again_with_its_key_and_gets_a_certificate()
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        await node.Join(token, "hv01");
        File.Move(Path.Combine(node.File("hv01"), "agent.key"), Path.Combine(node.File("hv01"), "agent.key.next"));
        File.Delete(Path.Combine(node.File("hv01"), "agent.crt"));
        await node.Join(token, "hv01");
        Assert.IsType<SessionOpened>(await node.Hello(node.Load("hv01", "hv01"), "hv01"));
    }

    [Fact]
    public async Task Token_is_good_for_ten_minutes()
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        node.Time.Advance(TimeSpan.FromMinutes(10));
        await node.Join(token, "hv01");

        var late = await node.Allow("hv02");
        node.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromTicks(1));
        Assert.StartsWith("join.token-expired: This token of host hv02 was good for 10 minutes.", await node.Refused(late, "hv02"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Later_token_of_a_host_takes_the_place_of_the_one_before()
    {
        await using var node = await SecureNode.Start();
        var first = await node.Allow("hv01", "first");
        var second = await node.Allow("hv01", "second");
        Assert.StartsWith("join.token-unknown", await node.Refused(first, "hv01"), StringComparison.Ordinal);
        await node.Join(second, "hv01");
    }

    [Fact]
    public async Task Token_of_one_host_gives_no_certificate_for_another()
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        await node.Allow("hv02", "another");
        Assert.StartsWith("join.token-unknown: this token is none of host hv02", await node.Refused(token with { Host = "hv02" }, "hv02"), StringComparison.Ordinal);

        // In the name of hv01, with a request for hv02.
        var request = new JoinRequest { Host = "hv01", Secret = token.Secret, Request = AgentCertificate.Request(node.File("hv02"), "hv02") };
        Assert.Equal("join.other-host: a certificate for CN=hv02 is asked for in the name of host hv01", await Denied(node, client => client.JoinAsync(request)));
        await node.Join(token, "hv01");
    }

    [Fact]
    public async Task Stranger_with_an_invented_token_costs_no_entity_and_no_event()
    {
        await using var node = await SecureNode.Start();
        var invented = new JoinToken("hv77", "invented", node.Fingerprint);
        Assert.StartsWith("join.token-unknown", await node.Refused(invented, "hv77"), StringComparison.Ordinal);
        Assert.Empty(node.Bridges.Asked);

        using var channel = SecureChannel.ToStranger(node.Address);
        var client = new AgentCertificates.AgentCertificatesClient(channel);
        var again = new JoinRequest { Host = "hv77", Secret = "invented", Request = AgentCertificate.Request(node.File("hv77"), "hv77") };
        var last = "";
        for (var tries = 0; tries < 101; tries++)
        {
            last = (await Assert.ThrowsAsync<RpcException>(async () => await client.JoinAsync(again))).Status.Detail;
        }
        Assert.Equal("join.attempts: too many failed attempts; wait a minute", last);
        node.Time.Advance(TimeSpan.FromMinutes(1));
        await node.Join(await node.Allow("hv01"), "hv01");
    }

    [Fact]
    public async Task Node_that_is_not_of_the_tokens_authority_is_not_shown_the_token()
    {
        await using var node = await SecureNode.Start();
        await using var other = await SecureNode.Start();
        var token = await node.Allow("hv01") with { Fingerprint = other.Fingerprint };
        Assert.Contains("is not of the authority that the token names", await node.Refused(token, "hv01"), StringComparison.Ordinal);
        Assert.DoesNotContain(node.Bridges.Heard, word => word is UseJoinToken);
    }

    [Fact]
    public async Task Node_that_is_not_there_is_named_with_the_reason()
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        var nowhere = new Uri("https://127.0.0.1:1");
        var refused = await Assert.ThrowsAsync<IdentityException>(
            () => Enrolment.Join(nowhere, token, node.File("hv01"), node.Time, CancellationToken.None).Soon());
        Assert.StartsWith("no connection with https://127.0.0.1:1/: Connection refused", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(node.File("hv01")));
    }

    [Fact]
    public async Task Node_without_an_issuer_refuses_by_name()
    {
        await using var node = await SecureNode.Start(issuer: false);
        Assert.StartsWith("join.no-issuer: This node issues no certificates", await node.Refused(await node.Allow("hv01"), "hv01"), StringComparison.Ordinal);
        Assert.DoesNotContain(node.Bridges.Heard, word => word is UseJoinToken);
    }

    [Theory]
    [InlineData("nonsense", "join.request: this is no certificate request")]
    [InlineData("rsa", "join.request: the key is not of the curve P-256")]
    [InlineData("p384", "join.request: the key is not of the curve P-256")]
    public async Task Request_that_is_none_of_ours_does_not_spend_the_token(string kind, string reason)
    {
        await using var node = await SecureNode.Start();
        var token = await node.Allow("hv01");
        using var rsa = RSA.Create(2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var text = kind switch
        {
            "rsa" => new CertificateRequest("CN=hv01", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem(),
            "p384" => new CertificateRequest("CN=hv01", curve, HashAlgorithmName.SHA256).CreateSigningRequestPem(),
            _ => kind,
        };
        Assert.Equal(reason, await Denied(node, client => client.JoinAsync(new JoinRequest { Host = "hv01", Secret = token.Secret, Request = text })));
        await node.Join(token, "hv01");
    }

    [Fact]
    public async Task Agent_renews_its_certificate_at_half_of_its_life()
    {
        await using var node = await SecureNode.Start();
        await node.Join(await node.Allow("hv01"), "hv01");
        var certificate = node.Load("hv01", "hv01");
        var renewal = new CertificateRenewal(certificate, [new Uri("https://127.0.0.1:1"), node.Address], node.Time, NullLogger.Instance);
        var (first, keyBefore) = (certificate.NotAfter, File.ReadAllText(Path.Combine(node.File("hv01"), "agent.key")));

        Assert.True(await renewal.Attempt(CancellationToken.None) > TimeSpan.Zero);
        Assert.Equal(first, certificate.NotAfter);
        node.Time.Advance(certificate.UntilRenewal);
        Assert.Equal(TimeSpan.Zero, await renewal.Attempt(CancellationToken.None).Soon());

        Assert.Equal((Issuer.AgentLives / 2).TotalDays, (certificate.NotAfter - first).TotalDays, 2);
        Assert.NotEqual(keyBefore, File.ReadAllText(Path.Combine(node.File("hv01"), "agent.key")));
        node.Time.Advance(first - node.Time.GetUtcNow() + TimeSpan.FromHours(1));
        Assert.IsType<SessionOpened>(await node.Hello(certificate, "hv01"));
        Assert.Equal(certificate.NotAfter, node.Load("hv01", "hv01").NotAfter);
    }

    [Fact]
    public async Task Key_that_cannot_be_read_is_named_and_the_certificate_stays()
    {
        await using var node = await SecureNode.Start();
        await node.Join(await node.Allow("hv01"), "hv01");
        var certificate = node.Load("hv01", "hv01");
        var last = certificate.NotAfter;
        File.WriteAllText(Path.Combine(node.File("hv01"), "agent.key.next"), "");
        node.Time.Advance(certificate.UntilRenewal);
        var renewal = new CertificateRenewal(certificate, [node.Address], node.Time, NullLogger.Instance);
        Assert.True(await renewal.Attempt(CancellationToken.None).Soon() > TimeSpan.Zero);
        Assert.Equal(last, certificate.NotAfter);
        var refused = Assert.Throws<IdentityException>(() => AgentCertificate.Request(node.File("hv01"), "hv01"));
        Assert.Contains("agent.key.next", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_renewed_for_who_shows_no_certificate_of_before()
    {
        await using var node = await SecureNode.Start();
        var request = AgentCertificate.Request(node.File("hv01"), "hv01");
        Assert.Equal("no agent of ours: the peer showed no certificate", await Denied(node, client => client.RenewAsync(new RenewRequest { Request = request })));
    }

    [Fact]
    public async Task Certificate_of_one_host_renews_none_of_another()
    {
        await using var node = await SecureNode.Start();
        using var channel = SecureChannel.Of(node.Address, node.Certificate("hv01"));
        var request = new RenewRequest { Request = AgentCertificate.Request(node.File("hv02"), "hv02") };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await new AgentCertificates.AgentCertificatesClient(channel).RenewAsync(request));
        Assert.Equal("join.other-host: a certificate for CN=hv02 is asked for in the name of host hv01", refused.Status.Detail);
    }

    [Fact]
    public async Task Host_that_was_given_up_gets_no_certificate_any_more()
    {
        await using var node = await SecureNode.Start();
        var certificate = node.Certificate("hv01");
        await using (var stream = await node.Link(certificate).Open(CancellationToken.None))
        {
            await stream.Send(new LinkParcel(NodeRig.Hello("hv01")), CancellationToken.None);
            await stream.Receive(CancellationToken.None).Soon();
        }
        await Eventually.Is(() => node.Bridges.Shown("hv01") is { Online: false }, "the host is offline");
        await node.Bridges.Ask(
            new Envelope(EntityId.Bridge("hv01"), "remove", "operator:ann", "test", new RemoveHost(Force: true)), Eventually.Deadline, CancellationToken.None);
        Assert.True(node.Bridges.Shown("hv01") is BridgeState { Removed: true });
        var refused = await Assert.ThrowsAsync<IdentityException>(() => Enrolment.Renew(node.Address, certificate, CancellationToken.None));
        Assert.Equal("join.renew: host hv01 was given up", refused.Message);
    }

    /// <summary>Why somebody without a certificate is refused.</summary>
    static async Task<string> Denied(SecureNode node, Func<AgentCertificates.AgentCertificatesClient, AsyncUnaryCall<IssuedCertificate>> ask)
    {
        using var channel = SecureChannel.ToStranger(node.Address);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await ask(new AgentCertificates.AgentCertificatesClient(channel)));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        return refused.Status.Detail;
    }
}
