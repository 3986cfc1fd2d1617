using System.Diagnostics.CodeAnalysis;
using System.Net;
using ControlPlane.Actors.Shell;
using ControlPlane.Agent.Identity;
using ControlPlane.Agent.Link;
using ControlPlane.Host.Agents;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Agent.Tests.Fakes;

/// <summary>A node to which agents come by TLS, with an issuer, real bridges behind it, and a clock that stands still.</summary>
sealed class SecureNode : IAsyncDisposable
{
    readonly string _directory = Directory.CreateTempSubdirectory("node").FullName;
    readonly List<IDisposable> _owned = [];
    WebApplication? _app;

    SecureNode()
    {
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public Bridges Bridges { get; } = new();

    public Uri Address { get; private set; } = new("https://localhost");

    public string Fingerprint { get; private set; } = "";

    public static async Task<SecureNode> Start(bool issuer = true)
    {
        var node = new SecureNode();
        await node.Up(issuer);
        return node;
    }

    public string File(string name) => Path.Combine(_directory, name);

    /// <summary>Lets the host join, as an operator's request does; answers the token.</summary>
    public async Task<JoinToken> Allow(string host, string secret = "secret")
    {
        var answer = await Bridges.Ask(
            new Envelope(EntityId.Bridge(host), Guid.NewGuid().ToString(), "operator:ann", "test", new AllowHostJoin(JoinToken.HashOf(secret))),
            Eventually.Deadline, CancellationToken.None);
        Assert.IsType<HostJoinAllowedUntil>(answer.Reply);
        return new JoinToken(host, secret, Fingerprint);
    }

    public Task Join(JoinToken token, string into) => Enrolment.Join(Address, token, File(into), Time, CancellationToken.None).Soon();

    /// <summary>Why it may not join.</summary>
    public async Task<string> Refused(JoinToken token, string into) =>
        (await Assert.ThrowsAsync<IdentityException>(() => Join(token, into))).Message;

    /// <summary>A certificate that an operator made by hand.</summary>
    public AgentCertificate Certificate(string host, string authority = "ca")
    {
        var into = File($"by-hand-{host}-{_owned.Count}");
        Pki.Agent(File(authority), host, into, Time);
        return Load(into, host);
    }

    public AgentCertificate Load(string directory, string host)
    {
        var certificate = AgentCertificate.Load(Path.Combine(_directory, directory), host, Time);
        _owned.Add(certificate);
        return certificate;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept and disposed with the rig.")]
    public GrpcAgentLink Link(AgentCertificate certificate)
    {
        var link = GrpcAgentLink.ToNode(Address, certificate);
        _owned.Add(link);
        return link;
    }

    /// <summary>What the node says to a hello.</summary>
    public async Task<object> Hello(AgentCertificate certificate, string host)
    {
        await using var stream = await Link(certificate).Open(CancellationToken.None);
        await stream.Send(new LinkParcel(NodeRig.Hello(host)), CancellationToken.None);
        return (await stream.Receive(CancellationToken.None).Soon()).Word;
    }

    /// <summary>Why it gets no session.</summary>
    public async Task<string> NoSession(AgentCertificate certificate, string host) =>
        (await Assert.ThrowsAsync<LinkEndedException>(() => Hello(certificate, host))).Message;

    public async ValueTask DisposeAsync()
    {
        _owned.ForEach(owned => owned.Dispose());
        if (_app is not null)
        {
            await _app.StopAsync().Soon();
            await _app.DisposeAsync();
        }
        Directory.Delete(_directory, recursive: true);
    }

    async Task Up(bool withIssuer)
    {
        Pki.Init(File("ca"), Time);
        Pki.Init(File("other-ca"), Time);
        Pki.Node(File("ca"), "node1", File("node"), Time);
        Pki.Issuer(File("ca"), File("issuer"), Time);
        Bridges.Time = Time;
        var certificate = NodeCertificate.Load(File("node"), Time);
        var issuer = withIssuer ? Issuer.Load(File("issuer"), certificate.Authority, Time) : null;
        _owned.Add(certificate);
        Fingerprint = certificate.Authority.Fingerprint;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureAgentTls(new IPEndPoint(IPAddress.Loopback, 0), certificate));
        builder.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IEntityAsk>(Bridges).AddSingleton<ShownHost>(Bridges.Shown).AddSingleton<FailedLogins>();
        builder.Services.AddAgentGateway().AddAgentCertificates(certificate, issuer);
        _app = builder.Build();
        _app.MapAgentGateway();
        _app.MapAgentCertificates();
        Bridges.Door = _app.Services.GetRequiredService<IAgentDoor>();
        await _app.StartAsync();
        Address = new Uri(_app.Urls.Single());
    }
}
