using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Scenarios of a host whose agent goes away and comes back: a second party at the agent socket, and the OID entry.</summary>
[Collection(OverHttp.Name)]
public sealed class AwayOverHttpTests : Scenario, IAsyncLifetime
{
    static int _hosts;

    readonly RunningControlPlane _running;
    readonly RemoteHost _host;

    public AwayOverHttpTests(RunningControlPlane running)
        : this(running, new RemoteHost(running, $"away{Interlocked.Increment(ref _hosts)}"))
    {
    }

    AwayOverHttpTests(RunningControlPlane running, RemoteHost host)
        : base(new HttpTarget(running, host.Name)) => (_running, _host) = (running, host);

    string Path => $"/v1/hosts/{Target.Host}/switches/{Target.Switch}";

    public Task InitializeAsync() => _host.Comes();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task O02_Port_that_the_snapshot_lists_too_is_one_port()
    {
        await Target.DefineSwitch();
        await Connected();
        var before = await Target.Picture();
        await _host.Goes();
        await _host.Comes();
        await RunningControlPlane.Until(async () => await Times("SwitchReconciled") == 1, "the switch has merged the snapshot");
        Assert.Equal(before, await Target.Picture());
        await IsOnePort();
        await DisconnectNic();
        await DeleteNic();
        Assert.Empty((await _host.Inventory()).Devices);
    }

    [Fact]
    public async Task O02_Nic_whose_create_is_under_way_when_the_snapshot_lists_it_is_one_nic()
    {
        await Target.DefineSwitch();
        await CreatePort();
        _host.LoseAnswer(DriverVerb.CreateNic);
        var create = Try(OidCode.NicCreate, parameters: Nic());
        await RunningControlPlane.Until(() => Task.FromResult(!_host.AnswersLost.IsEmpty), "the data path has the device, and nobody was told");
        await _host.Goes();
        Assert.False(create.IsCompleted);
        await _host.Comes();
        Assert.Equal(NdisStatus.Success, (await create).Outcome?.Status);
        await ConnectNic();
        await IsOnePort();
    }

    [Fact]
    public async Task O10_Lifecycle_oids_before_the_activation_wait_and_block_nobody()
    {
        await _host.Goes();
        await Target.DefineSwitch();
        var create = Try(OidCode.PortCreate, parameters: Port());
        await RunningControlPlane.Until(async () => (int)(await Switch())["queue"]! == 1, "the OID waits");
        var second = Try(OidCode.PortCreate, Q, parameters: Port(Q));
        await RunningControlPlane.Until(async () => (int)(await Switch())["queue"]! == 2, "the second waits behind it");

        await Does(OidCode.NicDirectRequest);
        Assert.True((await Target.DefineSwitch()).Succeeded);
        Assert.Equal("switch.not-active", (await Try(OidCode.PortArray, 0)).Refusal?.Code);
        Assert.Equal(("preparing", 2), ((string?)(await Switch())["state"], (int)(await Switch())["queue"]!));
        Assert.False(create.IsCompleted || second.IsCompleted);

        await _host.Comes();
        Assert.All(await Task.WhenAll(create, second), verdict => Assert.Equal(NdisStatus.Success, verdict.Outcome?.Status));
        await Happened(SwitchId, "OidQueued", "OidQueued", "SwitchReady", "OidStarted", "OidCompleted", "OidStarted", "OidCompleted");
        await CreateNic();
        await ConnectNic();
        await IsOnePort(besides: 1);
    }

    /// <summary>Everybody counts one port with one NIC, made once: the lists, the histories, the switch itself and the host.</summary>
    async Task IsOnePort(int besides = 0)
    {
        var counts = (await Switch())["counts"]!;
        Assert.Equal((1 + besides, 1), ((int)counts["ports"]!, (int)counts["nics"]!));
        var nic = Assert.Single(await Listed("nics"))!;
        Assert.Equal(("Connected", true, null), ((string?)nic["state"], (bool)nic["ready"]!, nic["drift"]));
        Assert.Equal(1 + besides, (await Listed("ports")).Count);
        Assert.Single(await Target.Events(PortId()), "PortCreated");
        Assert.Single(await Target.Events(NicId()), "NicCreated");
        Assert.Equal(1 + besides, (await Does(OidCode.PortArray, 0)).Output!.Value.GetProperty("numElements").GetInt32());
        var device = Assert.Single((await _host.Inventory()).Devices);
        Assert.Equal((NicId().Text, true), (device.NicKey, device.Up));
    }

    async Task<JsonNode> Switch() => (await _running.Client.GetFromJsonAsync<JsonNode>(new Uri(Path, UriKind.Relative)))!;

    async Task<JsonArray> Listed(string what) =>
        (await _running.Client.GetFromJsonAsync<JsonNode>(new Uri($"{Path}/{what}", UriKind.Relative)))!["items"]!.AsArray();
}
