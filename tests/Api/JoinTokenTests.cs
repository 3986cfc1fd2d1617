using System.Net;
using ControlPlane.Agent.Identity;
using ControlPlane.Host.Agents;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Security;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Api.Tests;

/// <summary>A host joins: from the operator's request to a session over TLS, with the real process.</summary>
public sealed class JoinTokenTests : IAsyncLifetime
{
    readonly string _pki = Directory.CreateTempSubdirectory("pki-").FullName;
    readonly RunningControlPlane _plane;

    public JoinTokenTests()
    {
        Pki.Init(At("ca"), TimeProvider.System);
        Pki.Node(At("ca"), "node1", At("node"), TimeProvider.System);
        Pki.Issuer(At("ca"), At("issuer"), TimeProvider.System);
        _plane = new RunningControlPlane
        {
            Options = new NodeOptions { Port = 0, Driver = "simulated", Agents = new IPEndPoint(IPAddress.Loopback, 0), Certificates = At("node"), Issuer = At("issuer") },
        };
    }

    public Task InitializeAsync() => _plane.InitializeAsync();

    public async Task DisposeAsync()
    {
        await _plane.DisposeAsync();
        Directory.Delete(_pki, recursive: true);
    }

    [Fact]
    public async Task Host_joins_with_a_token_and_its_agent_comes_over_tls()
    {
        var told = await _plane.Post("/v1/hosts/hv77/join-token");
        Assert.Equal((200, "hv77"), (told.Status, told.Body.Text("host")));
        var token = told.Body.Text("token")!;
        Assert.InRange(told.Body.GetProperty("until").GetDateTimeOffset() - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));

        string[] join = ["--server", _plane.Agents.ToString(), "--token", token, "--data", At("agent")];
        Assert.StartsWith("a certificate for the agent of host hv77", await Join(join), StringComparison.Ordinal);
        using var stop = new CancellationTokenSource();
        var options = new LocalAgentsOptions(["hv77"], "simulated", At("agent/agents"), [_plane.Agents.ToString()])
        {
            Certificates = host => AgentJoin.Directory(At("agent"), host),
        };
        var agent = LocalAgents.RunAgent(options, TimeProvider.System, NullLoggerFactory.Instance, stop.Token);
        await _plane.Until("/v1/hosts/hv77", host => host.Text("state") == "online");
        await stop.CancelAsync();
        await agent.WaitAsync(TimeSpan.FromSeconds(30));

        Directory.Delete(At("agent"), recursive: true);
        var refused = await Assert.ThrowsAsync<IdentityException>(() => Join(join));
        Assert.StartsWith("join.token-used", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Same_request_again_is_answered_with_the_same_token_which_is_stored_nowhere()
    {
        var key = Guid.NewGuid();
        var first = await _plane.Post("/v1/hosts/hv78/join-token", key: key);
        var again = await _plane.Post("/v1/hosts/hv78/join-token", key: key);
        var other = await _plane.Post("/v1/hosts/hv78/join-token");
        Assert.Equal(first.Body.GetRawText(), again.Body.GetRawText());
        Assert.NotEqual(first.Body.Text("token"), other.Body.Text("token"));

        var secret = JoinToken.Parse(first.Body.Text("token")!)!.Secret;
        var stored = await _plane.Get("/v1/events?actor=bridge/hv78");
        Assert.Contains(JoinToken.HashOf(secret), stored.Body.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, stored.Body.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(stored.Body.GetProperty("items").EnumerateArray(), happened => happened.Text("who") == "operator:admin");
    }

    [Fact]
    public async Task Dry_run_makes_no_token()
    {
        var told = await _plane.Post("/v1/hosts/hv79/join-token?dryRun=true");
        Assert.Equal(200, told.Status);
        Assert.Null(told.Body.Text("token"));
        Assert.Equal(404, (await _plane.Get("/v1/hosts/hv79")).Status);
    }

    [Fact]
    public async Task Agents_door_has_no_api_and_the_peoples_door_no_certificates()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, peer, _, _) => peer is not null;
        using var http = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version20 };
        using var hosts = await http.GetAsync(new Uri(_plane.Agents, "/v1/hosts"));
        Assert.Equal(HttpStatusCode.NotFound, hosts.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_plane.Address, "/controlplane.agent.v1.AgentCertificates/Authority"));
        request.Headers.Authorization = new("Bearer", _plane.Token);
        Assert.Equal(404, (await _plane.Raw(request)).Status);
    }

    static Task<string> Join(string[] args) => AgentJoin.Run(args, TextReader.Null, TimeProvider.System, CancellationToken.None);

    string At(string name) => Path.Combine(_pki, name);
}

/// <summary>The words of <c>agent join</c>.</summary>
public sealed class AgentJoinTests
{
    [Theory]
    [InlineData]
    [InlineData("--server", "https://n1:1", "--token", "hv01:s:f")]
    [InlineData("--server", "http://n1:1", "--token", "x", "--data", "d")]
    [InlineData("--server", "https://n1:1", "--token", "x", "--data", "d")]
    [InlineData("--server", "https://n1:1", "--token", "x", "--data")]
    [InlineData("--data", "d", "--token", "x", "--data", "e")]
    public Task Wrong_words_of_agent_join_are_refused(params string[] args) => Assert.ThrowsAsync<SettingException>(
        () => AgentJoin.Run(args, TextReader.Null, TimeProvider.System, CancellationToken.None));
}

/// <summary>Where nobody may join.</summary>
[Collection(Shared.Name)]
public sealed class NoIssuerTests(RunningControlPlane plane)
{
    [Fact]
    public async Task Node_without_an_issuer_gives_no_token_and_says_where_there_is_one()
    {
        var told = await plane.Post("/v1/hosts/hv77/join-token");
        Assert.Equal((409, "join.no-issuer"), (told.Status, told.Code));
        Assert.Contains("--issuer", told.Body.Text("detail"), StringComparison.Ordinal);
    }
}
