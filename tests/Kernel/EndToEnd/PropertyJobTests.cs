using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>Properties and NICs of running VMs, from HTTP down to what real packets meet.</summary>
public sealed class PropertyJobTests : IAsyncLifetime
{
    readonly ControlPlaneProcess _plane = new();

    public async Task InitializeAsync()
    {
        if (RootFactAttribute.CanRun)
        {
            await _plane.Start();
            await _plane.DefineSwitch("hv01");
        }
    }

    public async Task DisposeAsync() => await _plane.DisposeAsync();

    [RootFact]
    public async Task Vlan_of_a_running_vm_decides_whom_it_reaches()
    {
        await Define("web-1", Nic(10));
        await Define("db-1", Nic(10));
        await _plane.Run("web-1", "start");
        await _plane.Run("db-1", "start");
        var db = await _plane.AddressOf("db-1");
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", db)), "a ping within the VLAN");

        await Define("web-1", Nic(20)); // while it runs
        Assert.False(_plane.Ping("web-1", db));
        Assert.True(await Ready("web-1"));

        await Define("web-1", Nic(10));
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", db)), "a ping within the VLAN again");
    }

    [RootFact]
    public async Task Property_that_the_host_enforces_is_read_back_and_shown()
    {
        await Define("web-1", Nic(10, new { propertyType = "Custom", propertyId = "6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b02", value = new { outboundBitsPerSecond = 10_000_000 } }));
        await _plane.Run("web-1", "start");

        var policy = (await _plane.Get("/v1/ports/hv01/vsw0/web-1--eth0"))!["policy"]!;

        Assert.Equal(($"{policy["wanted"]}", $"{policy["wanted"]}"), ($"{policy["applied"]}", $"{policy["observed"]}"));
        Assert.Equal(10_000_000, (long)policy["effective"]!["bandwidth"]!["outboundBitsPerSecond"]!);
        Assert.True(await Ready("web-1"));
    }

    [RootFact]
    public async Task Policies_hold_while_the_process_is_dead_and_its_successor_applies_none_again()
    {
        await Define("web-1", Nic(10));
        await Define("db-1", Nic(10));
        await Define("other-1", Nic(20));
        foreach (var vm in new[] { "web-1", "db-1", "other-1" })
        {
            await _plane.Run(vm, "start");
        }
        var (db, other) = (await _plane.AddressOf("db-1"), await _plane.AddressOf("other-1"));
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", db)), "a ping within the VLAN");
        var before = Enforced();
        Assert.Contains("bpf", before, StringComparison.Ordinal);

        await _plane.Kill();
        Assert.True(_plane.Ping("web-1", db));
        Assert.False(_plane.Ping("web-1", other));

        await _plane.Start();
        await ControlPlaneProcess.Until(async () => await Ready("web-1") && await Ready("db-1") && await Ready("other-1"), "NICs that are ready");
        Assert.True(_plane.Ping("web-1", db));
        Assert.False(_plane.Ping("web-1", other));
        Assert.Equal(before, Enforced());
    }

    /// <summary>Rules with their handles and programs with their ids, as the kernel has them: what is applied anew has new ones.</summary>
    string Enforced()
    {
        var host = _plane.Prefix + "hv01";
        var rules = ControlPlaneProcess.Run("ip", "netns", "exec", host, "nft", "-a", "list", "ruleset");
        var programs = _plane.Devices("hv01").SelectMany(device => new[] { "ingress", "egress" }.Select(way =>
            ControlPlaneProcess.Run("ip", "netns", "exec", host, "tc", "filter", "show", "dev", device, way)));
        return Regex.Replace($"{rules}\n{string.Join('\n', programs)}", @"packets \d+ bytes \d+", "");
    }

    [RootFact]
    public async Task Nic_is_added_to_a_running_vm_and_taken_away_while_the_first_goes_on()
    {
        await Define("web-1", Nic(null));
        await Define("db-1", Nic(null));
        await _plane.Run("web-1", "start");
        await _plane.Run("db-1", "start");
        var db = await _plane.AddressOf("db-1");
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", db)), "a ping");

        await _plane.Done(HttpMethod.Post, "/v1/vms/web-1/nics?wait=60s", new { name = "eth1", @switch = "vsw0", vlan = 20 });
        Assert.Equal(3, _plane.Devices("hv01").Count);
        Assert.True(await Ready("web-1", "eth1"));
        Assert.True(_plane.Ping("web-1", db));

        await _plane.Done(HttpMethod.Delete, "/v1/vms/web-1/nics/eth1?wait=60s");
        Assert.Equal(2, _plane.Devices("hv01").Count);
        Assert.True(_plane.Ping("web-1", db));

        await _plane.Run("web-1", "stop");
        await _plane.Run("db-1", "stop");
        Assert.Empty(_plane.Devices("hv01"));
    }

    [RootFact]
    public async Task Update_that_the_kernel_refuses_is_drift_until_one_that_it_takes_and_another_hands_mtu_is_repaired()
    {
        await Define("web-1", new { name = "eth0", @switch = "vsw0", attach = "tap" });
        await _plane.Run("web-1", "start");
        var device = Assert.Single(_plane.Devices("hv01"));

        await Update(65_535); // a tap has at most 65,521
        var nic = (await _plane.Get("/v1/nics/web-1/eth0"))!;
        Assert.Equal(("65535", "1500", "Connected"), ($"{nic["addresses"]!["mtu"]}", $"{nic["drift"]!["observed"]!["mtu"]}", $"{nic["state"]}"));
        Assert.False(await Ready("web-1"));

        await Update(1_400);
        Assert.Null((await _plane.Get("/v1/nics/web-1/eth0"))!["drift"]);
        Assert.True(await Ready("web-1"));
        Assert.Equal(1_400, Mtu());

        await _plane.DefineSwitch("hv01", "repair");
        ControlPlaneProcess.Run("ip", "-n", _plane.Prefix + "hv01", "link", "set", device, "mtu", "1300");
        await ControlPlaneProcess.Until(async () => Mtu() == 1_400 && await Ready("web-1"), "a repaired MTU");

        Task Update(int mtu) => _plane.Oid("hv01", "OID_SWITCH_NIC_UPDATED", 1, new { nicName = "web-1--eth0", nicType = "Synthetic", vmName = "web-1", mtu });

        int Mtu() => (int)_plane.Links("hv01").Single(link => $"{link["ifname"]}" == device)["mtu"]!;
    }

    [RootFact]
    public async Task Internal_nic_is_a_device_of_the_host_with_its_gate()
    {
        await _plane.Oid("hv01", "OID_SWITCH_PORT_CREATE", 77, new { portName = "host-port", portType = "Internal" });
        await _plane.Oid("hv01", "OID_SWITCH_NIC_CREATE", 77, new { nicName = "host", nicType = "Internal", permanentMacAddress = "00-15-5d-7f-00-02", mtu = 1500 });
        await _plane.Oid("hv01", "OID_SWITCH_NIC_CONNECT", 77);
        Assert.Single(_plane.Devices("hv01"));
        Assert.True((bool)(await _plane.Get("/v1/nics/hv01/vsw0/host-port/0"))!["ready"]!);
        await _plane.Oid("hv01", "OID_SWITCH_NIC_DISCONNECT", 77);
        await _plane.Oid("hv01", "OID_SWITCH_NIC_DELETE", 77);
        Assert.Empty(_plane.Devices("hv01"));
    }

    Task<JsonNode?> Define(string vm, object nic) => _plane.Done(HttpMethod.Put, $"/v1/vms/{vm}", new { host = "hv01", nics = new[] { nic } });

    static object Nic(int? vlan, params object[] properties) => new { name = "eth0", @switch = "vsw0", vlan, properties };

    async Task<bool> Ready(string vm, string nic = "eth0") => (bool)(await _plane.Get($"/v1/nics/{vm}/{nic}"))!["ready"]!;
}
