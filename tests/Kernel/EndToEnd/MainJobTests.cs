using System.Text.Json.Nodes;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>The mission, end to end: HTTP in, a real bridge and real packets out.</summary>
public sealed class MainJobTests : IAsyncLifetime
{
    static readonly string[] StartOids = ["OID_SWITCH_PORT_CREATE", "OID_SWITCH_NIC_CREATE", "OID_SWITCH_NIC_CONNECT"];

    static readonly string[] StopOids =
        ["OID_SWITCH_NIC_DISCONNECT", "OID_SWITCH_NIC_DELETE", "OID_SWITCH_PORT_TEARDOWN", "OID_SWITCH_PORT_DELETE"];

    static readonly object EdgeNic = new
    {
        nicName = "edge-1--eth0",
        nicType = "Synthetic",
        vmName = "edge-1",
        permanentMacAddress = "00-15-5d-7f-00-01",
        mtu = 1500,
    };

    readonly ControlPlaneProcess _plane = new();

    public async Task InitializeAsync()
    {
        if (RootFactAttribute.CanRun)
        {
            await _plane.Start();
        }
    }

    public async Task DisposeAsync() => await _plane.DisposeAsync();

    [RootFact]
    public async Task Start_and_stop_run_exactly_the_documented_oids_and_leave_no_device()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("web-1", "hv01");

        var started = await _plane.Run("web-1", "start");
        var operation = started!["id"]!.ToString();
        Assert.Equal("done", started["state"]!.ToString());
        Assert.Equal(StartOids, await _plane.CompletedOids(operation));
        Assert.Single(_plane.Devices("hv01"));
        Assert.True((bool)(await _plane.Get("/v1/nics/web-1/eth0"))!["ready"]!);

        var stopped = await _plane.Run("web-1", "stop");
        Assert.Equal(StopOids, await _plane.CompletedOids(stopped!["id"]!.ToString()));
        Assert.Empty(_plane.Devices("hv01"));
    }

    [RootFact]
    public async Task Two_running_vms_reach_each_other_also_over_two_hosts()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineSwitch("hv02");
        await _plane.DefineVm("web-1", "hv01");
        await _plane.DefineVm("db-1", "hv01");
        await _plane.DefineVm("far-1", "hv02");
        foreach (var vm in (string[])["web-1", "db-1", "far-1"])
        {
            await _plane.Run(vm, "start");
        }

        var (db, far) = (await _plane.AddressOf("db-1"), await _plane.AddressOf("far-1"));
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", db)), "a ping on one host");
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", far)), "a ping to the other host");
    }

    [RootFact]
    public async Task Ping_passes_only_between_NIC_CONNECT_and_NIC_DISCONNECT()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("peer-1", "hv01");
        await _plane.Run("peer-1", "start");
        var peer = await _plane.AddressOf("peer-1");

        await _plane.Oid("hv01", "OID_SWITCH_PORT_CREATE", 77, new { portName = "edge-1--eth0", portType = "Synthetic" });
        await _plane.Oid("hv01", "OID_SWITCH_NIC_CREATE", 77, EdgeNic);
        Assert.False(_plane.Ping("edge-1", peer), "the gate is closed before NIC_CONNECT");
        BounceGuest("edge-1");
        await _plane.DefineVm("late-1", "hv01");
        await _plane.Run("late-1", "start");
        Assert.False(_plane.Ping("edge-1", peer), "neither a guest's bounced link nor another port opens a gate");

        await _plane.Oid("hv01", "OID_SWITCH_NIC_CONNECT", 77);
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("edge-1", peer)), "a ping after NIC_CONNECT");

        await _plane.Oid("hv01", "OID_SWITCH_NIC_DISCONNECT", 77);
        Assert.False(_plane.Ping("edge-1", peer), "the gate is closed after NIC_DISCONNECT");
        BounceGuest("edge-1");
        Assert.False(_plane.Ping("edge-1", peer), "a bounced link opens no gate");
        foreach (var oid in StopOids[1..])
        {
            await _plane.Oid("hv01", oid, 77);
        }
        await _plane.Run("peer-1", "stop");
        await _plane.Run("late-1", "stop");
        Assert.Empty(_plane.Devices("hv01"));
    }

    [RootFact]
    public async Task Hold_keeps_NIC_DELETE_waiting_and_never_NIC_DISCONNECT()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("web-1", "hv01");
        await _plane.Run("web-1", "start");
        var portId = (int)(await _plane.Get("/v1/ports/hv01/vsw0/web-1--eth0"))!["portId"]!;
        var hold = await _plane.Done(HttpMethod.Post, "/v1/hosts/hv01/switches/vsw0/holds",
            new { holder = "ext-7", target = new { portId, nicIndex = 0 }, purpose = "statistics" });

        var (status, operation) = await _plane.Send(HttpMethod.Post, "/v1/vms/web-1/stop?wait=300ms");
        Assert.Equal(202, status);
        await ControlPlaneProcess.Until(async () => (await _plane.Get("/v1/nics/web-1/eth0"))!["state"]!.ToString() == "Disconnected", "disconnected");
        Assert.Equal(StopOids[..1], await _plane.CompletedOids(operation!["id"]!.ToString()));
        Assert.Single(_plane.Devices("hv01"));

        await _plane.Done(HttpMethod.Delete, $"/v1/hosts/hv01/switches/vsw0/holds/{hold!["id"]}");
        await ControlPlaneProcess.Until(async () => (await _plane.Get("/v1/vms/web-1"))!["state"]!.ToString() == "stopped", "stopped");
        Assert.Equal(StopOids, await _plane.CompletedOids(operation["id"]!.ToString()));
        Assert.Empty(_plane.Devices("hv01"));
    }

    [RootFact]
    public async Task Hold_on_a_port_keeps_PORT_DELETE_waiting_and_never_PORT_TEARDOWN()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("web-1", "hv01");
        await _plane.Run("web-1", "start");
        const string Port = "/v1/ports/hv01/vsw0/web-1--eth0";
        var portId = (int)(await _plane.Get(Port))!["portId"]!;
        var hold = await _plane.Done(HttpMethod.Post, "/v1/hosts/hv01/switches/vsw0/holds", new { holder = "ext-7", target = new { portId } });

        var (status, operation) = await _plane.Send(HttpMethod.Post, "/v1/vms/web-1/stop?wait=300ms");
        Assert.Equal(202, status);
        var id = operation!["id"]!.ToString();
        await ControlPlaneProcess.Until(
            async () => (await _plane.Events(id)).Any(happened => happened["type"]!.ToString() == "PortDrainDeferred"), "the stop waits at the port");
        Assert.Equal("tornDown", (await _plane.Get(Port))!["phase"]!.ToString());
        Assert.Equal(StopOids[..3], await _plane.CompletedOids(id));
        Assert.Empty(_plane.Devices("hv01"));
        Assert.Equal("stopping", (await _plane.Get("/v1/vms/web-1"))!["state"]!.ToString());

        await _plane.Done(HttpMethod.Delete, $"/v1/hosts/hv01/switches/vsw0/holds/{hold!["id"]}");
        await ControlPlaneProcess.Until(async () => (await _plane.Get("/v1/vms/web-1"))!["state"]!.ToString() == "stopped", "stopped");
        Assert.Equal(StopOids, await _plane.CompletedOids(id));
        await NothingIsLeftOf("web-1");
    }

    [RootFact]
    public async Task Refusal_at_each_position_undoes_what_was_done_and_the_kernel_is_clean()
    {
        await _plane.DefineVm("web-1", "hv01", "eth0", "eth1");
        foreach (var (oid, position) in (IEnumerable<(string, int)>)[
            ("OID_SWITCH_PORT_CREATE", 1), ("OID_SWITCH_PORT_CREATE", 2), ("OID_SWITCH_NIC_CREATE", 1), ("OID_SWITCH_NIC_CREATE", 2)])
        {
            object Extension(int at, string extensionClass) => at == position
                ? new
                {
                    name = "test.verdict",
                    @class = extensionClass,
                    enabled = true,
                    settings = new { verdicts = new[] { new { oid, status = "NDIS_STATUS_DATA_NOT_ACCEPTED", times = 1 } } },
                }
                : new { name = "test.verdict", @class = extensionClass, enabled = true, settings = new { } };
            await _plane.DefineSwitch("hv01", extensions:
                [new { name = "capture.mirror", @class = "capture", enabled = true }, Extension(1, "filter"), Extension(2, "forward")]);

            var (_, refused) = await _plane.Send(HttpMethod.Post, "/v1/vms/web-1/start?wait=60s");
            Assert.Equal("refused", refused!["state"]!.ToString());
            Assert.Contains("test.verdict", refused["problem"]!["detail"]!.ToString(), StringComparison.Ordinal);
            var oids = await _plane.CompletedOids(refused["id"]!.ToString());
            Assert.Equal(oid == StartOids[0] ? [oid] : [StartOids[0], oid, .. StopOids[2..]], oids);
            var undone = (await _plane.Events(refused["id"]!.ToString())).Where(happened => happened["type"]!.ToString() == "OidUndone");
            Assert.Equal(Enumerable.Range(0, position).Reverse(), undone.Select(happened => (int)happened["body"]!["position"]!));
            await NothingIsLeftOf("web-1");
            await _plane.Done(HttpMethod.Delete, "/v1/hosts/hv01/switches/vsw0"); // so that the planned verdicts start anew
        }
    }

    [RootFact]
    public async Task Refusal_of_the_second_nic_takes_the_connected_first_one_away_in_order()
    {
        foreach (var (extension, refusedOids) in (IEnumerable<(object, string[])>)[
            (new { name = "filter.quota", @class = "filter", enabled = true, settings = new { maxPorts = 1 } }, StartOids[..1]),
            (new { name = "filter.mac-guard", @class = "filter", enabled = true }, StartOids[..2])])
        {
            await _plane.DefineSwitch("hv01", extensions: [extension]);
            await _plane.Done(HttpMethod.Put, "/v1/vms/web-1", new
            {
                host = "hv01",
                nics = ((string[])["eth0", "eth1"]).Select(name => new { name, @switch = "vsw0", type = "synthetic", mac = "00-15-5d-01-02-03" }),
            });

            var (_, refused) = await _plane.Send(HttpMethod.Post, "/v1/vms/web-1/start?wait=60s");
            Assert.Equal("refused", refused!["state"]!.ToString());
            var happened = (await _plane.Events(refused["id"]!.ToString())).Where(happened => happened["oid"] is not null).ToList();
            // What is refused at NIC_CREATE has a port by then, and it goes first.
            string[] ofEth1 = [.. refusedOids, .. refusedOids.Length == 1 ? [] : StopOids[2..]];
            Assert.Equal([.. StartOids, .. ofEth1, .. StopOids], happened.Select(one => one["oid"]!.ToString()));
            await NothingIsLeftOf("web-1");
            await _plane.Done(HttpMethod.Delete, "/v1/hosts/hv01/switches/vsw0");
        }
    }

    [RootFact]
    public async Task Device_deleted_behind_our_back_is_reported_within_a_second_and_repaired_under_the_policy()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("web-1", "hv01");
        await _plane.Run("web-1", "start");
        ControlPlaneProcess.Run("ip", "-n", _plane.Prefix + "hv01", "link", "del", Assert.Single(_plane.Devices("hv01")));
        await ControlPlaneProcess.Until(async () => (await _plane.Get("/v1/nics/web-1/eth0"))!["drift"] is JsonObject, "drift", TimeSpan.FromSeconds(1));
        Assert.False((bool)(await _plane.Get("/v1/nics/web-1/eth0"))!["ready"]!);
        Assert.Empty(_plane.Devices("hv01"));

        await _plane.Run("web-1", "stop");
        await _plane.DefineSwitch("hv01", drift: "repair");
        await _plane.DefineVm("db-1", "hv01");
        await _plane.Run("web-1", "start");
        await _plane.Run("db-1", "start");
        var address = await _plane.AddressOf("web-1");
        ControlPlaneProcess.Run("ip", "-n", _plane.Prefix + "hv01", "link", "del", _plane.Devices("hv01")[0]);
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Devices("hv01").Count == 2), "repaired");
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("db-1", address)), "traffic after the repair");
        await ControlPlaneProcess.Until(async () => (bool)(await _plane.Get("/v1/nics/web-1/eth0"))!["ready"]!, "ready again");
    }

    [RootFact]
    public async Task Ctrl_C_removes_everything_and_a_second_start_continues()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("web-1", "hv01");
        await _plane.DefineVm("db-1", "hv01");
        await _plane.Run("web-1", "start");
        await _plane.Run("db-1", "start");
        var address = await _plane.AddressOf("db-1");

        Assert.Equal(0, await _plane.Interrupt());
        Assert.DoesNotContain(_plane.Prefix, ControlPlaneProcess.Run("ip", "netns", "list"), StringComparison.Ordinal);

        await _plane.Start();
        Assert.Equal("running", (await _plane.Get("/v1/vms/web-1"))!["state"]!.ToString());
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", address)), "traffic after the second start");
        await _plane.Run("web-1", "stop");
        await _plane.Run("db-1", "stop");
        Assert.Empty(_plane.Devices("hv01"));
    }

    async Task NothingIsLeftOf(string vm)
    {
        Assert.Equal("stopped", (await _plane.Get($"/v1/vms/{vm}"))!["state"]!.ToString());
        var ports = await _plane.Get("/v1/hosts/hv01/switches/vsw0/ports");
        Assert.Empty(ports!["items"]!.AsArray());
        Assert.Empty(_plane.Devices("hv01"));
        Assert.DoesNotContain($"{_plane.Prefix}vm-{vm}", _plane.Namespaces());
        Assert.DoesNotContain($"{_plane.Prefix}bp-{vm}", _plane.Namespaces());
    }

    void BounceGuest(string vm)
    {
        ControlPlaneProcess.Run("ip", "-n", $"{_plane.Prefix}vm-{vm}", "link", "set", "eth0", "down");
        ControlPlaneProcess.Run("ip", "-n", $"{_plane.Prefix}vm-{vm}", "link", "set", "eth0", "up");
    }
}
