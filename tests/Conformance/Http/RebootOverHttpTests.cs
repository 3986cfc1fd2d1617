using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Scenarios of a host that loses power, has devices of others, or never returns: a second party at the agent socket.</summary>
[Collection(OverHttp.Name)]
public sealed class RebootOverHttpTests : Scenario, IAsyncLifetime
{
    static int _hosts;

    readonly RunningControlPlane _running;
    readonly RemoteHost _host;

    public RebootOverHttpTests(RunningControlPlane running)
        : this(running, new RemoteHost(running, $"boot{Interlocked.Increment(ref _hosts)}"))
    {
    }

    RebootOverHttpTests(RunningControlPlane running, RemoteHost host)
        : base(new HttpTarget(running, host.Name)) => (_running, _host) = (running, host);

    public Task InitializeAsync() => _host.Comes();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task F06_Objects_of_a_rebooted_host_end_as_lost_and_its_vm_starts_again()
    {
        await Target.DefineSwitch();
        await DefineVm("eth0");
        Assert.True((await Target.StartVm(Vm)).Succeeded);
        await Reboots();
        await Until(async () => (string?)(await Get($"/v1/vms/{Vm}"))!["state"] == "stopped", "the VM is stopped");
        Assert.Equal(2, (long)(await Get($"/v1/hosts/{Target.Host}"))!["lost"]!);
        var counts = (await Get(SwitchPath))!["counts"]!;
        Assert.Equal((0, 0), ((int)counts["ports"]!, (int)counts["nics"]!));
        Assert.Equal("host lost", (string?)await Lost(EntityId.Nic(Vm, "eth0"), "NicLost"));
        Assert.Equal("host lost", (string?)await Lost(EntityId.Port(Target.Host, Target.Switch, $"{Vm}--eth0"), "PortLost"));
        await NeverHappened(EntityId.Nic(Vm, "eth0"), "NicDeleteReceived", "NicDrifted");
        Assert.Equal("VmLost", (await Target.Events(EntityId.Vm(Vm)))[^1]);

        Assert.True((await Target.StartVm(Vm)).Succeeded);
        Assert.True(Assert.Single((await _host.Inventory()).Devices).Up);
        Assert.True((bool)(await Get($"/v1/nics/{Vm}/eth0"))!["ready"]!);
    }

    [Fact]
    public async Task F05_Oid_that_was_proposed_when_the_host_rebooted_ends_with_a_clear_problem()
    {
        await Target.DefineSwitch();
        await CreatePort();
        _host.LoseAnswer(DriverVerb.CreateNic);
        var create = Try(OidCode.NicCreate, parameters: Nic());
        await Until(() => Task.FromResult(!_host.AnswersLost.IsEmpty), "the data path has the device, and nobody was told");
        await Reboots();
        var refusal = (await create).Refusal;
        Assert.Equal(("host.lost", "F06"), (refusal?.Code, refusal?.Rule));
        await Until(async () => (int)(await Get(SwitchPath))!["counts"]!["ports"]! == 0, "the port is dropped");
        Assert.Contains("OidLost", await Target.Events(SwitchId));
        await Connected();
        Assert.True(Assert.Single((await _host.Inventory()).Devices).Up);
    }

    [Fact]
    public async Task Foreign_device_is_discovered_and_counted_and_goes()
    {
        await Target.DefineSwitch();
        await Connected();
        _host.AddForeignDevice(Target.Switch, "veth7");
        await Until(async () => (await Discovered()).Count == 1, "the device is discovered");
        var found = Assert.Single(await Discovered())!;
        Assert.Equal(("veth7", false, true), ((string?)found["device"], (bool)found["leftOver"]!, (bool)found["enslaved"]!));
        Assert.Equal(1, (long)(await Get($"/v1/hosts/{Target.Host}"))!["discovered"]!);
        Assert.Equal(["switch.discovered"], await Target.Alarms(SwitchId));
        Assert.Equal(1, (int)(await Get(SwitchPath))!["counts"]!["nics"]!);
        await _host.Goes();
        _host.Reboot();
        await _host.Comes();
        await Until(async () => (await Discovered()).Count == 0, "the device is gone");
        Assert.Contains("DiscoveredGone", await Target.Events(SwitchId));
    }

    [Fact]
    public async Task Host_that_never_returns_is_given_up_and_admitted_again()
    {
        await Target.DefineSwitch();
        await DefineVm("eth0");
        Assert.True((await Target.StartVm(Vm)).Succeeded);
        var path = $"/v1/hosts/{Target.Host}";
        Assert.Equal("host.delete.online", await Refused(HttpMethod.Delete, $"{path}?force=true"));
        await _host.Goes();
        Assert.Equal("host.delete.in-use", await Refused(HttpMethod.Delete, path));
        Assert.Null(await Refused(HttpMethod.Delete, $"{path}?force=true"));
        await Until(async () => (string?)(await Get($"/v1/vms/{Vm}"))!["state"] == "stopped", "the VM is stopped");
        Assert.Equal("host removed", (string?)await Lost(EntityId.Nic(Vm, "eth0"), "NicLost"));
        await Until(async () => await Get(SwitchPath) is null, "the switch has ended");
        Assert.Null(await Get(path));
        Assert.Equal("vm.switch.unknown", (await Target.StartVm(Vm)).Refusal?.Code);

        _host.Reboot();
        var coming = _host.Comes();
        await Until(async () => (await Target.Events(EntityId.Bridge(Target.Host))).Contains("RequestRefused"), "the agent is sent away");
        Assert.Null(await Get(path));
        Assert.Null(await Refused(HttpMethod.Post, $"{path}/readmit"));
        await coming;
        await Target.DefineSwitch();
        Assert.True((await Target.StartVm(Vm)).Succeeded);
    }

    string SwitchPath => $"/v1/hosts/{Target.Host}/switches/{Target.Switch}";

    async Task Reboots()
    {
        await _host.Goes();
        _host.Reboot();
        await _host.Comes();
    }

    async Task<JsonArray> Discovered() => (await Get(SwitchPath))!["discovered"]!.AsArray();

    async Task<JsonNode?> Lost(EntityId id, string type)
    {
        var page = await Get($"/v1/events?actor={Uri.EscapeDataString(id.Text)}&type={type}");
        return Assert.Single(page!["items"]!.AsArray())!["body"]!["reason"];
    }

    /// <summary>The code of the refusal; null: it was done.</summary>
    async Task<string?> Refused(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await _running.Client.SendAsync(request);
        return answer.IsSuccessStatusCode ? null : (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["code"];
    }

    async Task<JsonNode?> Get(string path)
    {
        using var answer = await _running.Client.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await answer.Content.ReadFromJsonAsync<JsonNode>();
    }

    static Task Until(Func<Task<bool>> condition, string what) => RunningControlPlane.Until(condition, what);
}
