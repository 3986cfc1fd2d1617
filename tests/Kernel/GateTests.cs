using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>The gate: nothing passes that was not connected, whatever the guest or the neighbours do.</summary>
public sealed class GateTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Created_NIC_is_on_the_bridge_with_its_gate_closed()
    {
        var hv01 = await _fleet.Host("hv01");

        var observed = await _fleet.Done(hv01, new Nic("web", 1).Create());

        var device = _fleet.Device("hv01", observed.Device)!.Value;
        Assert.Equal(Fleet.Switch, device.GetProperty("master").GetString());
        Assert.False(_fleet.IsUp("hv01", observed.Device));
        Assert.StartsWith("nic/web/eth0|blue|port-web-1|1|1|", device.GetProperty("ifalias").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            new DeviceState("nic/web/eth0", "blue", "port-web-1", observed.Device, Present: true, Up: false, Enslaved: true, 1, 1) { Mtu = 1_500 },
            observed);
    }

    [RootFact]
    public async Task Guest_has_the_NIC_by_its_name_with_the_MAC_and_an_address()
    {
        var hv01 = await _fleet.Host("hv01");

        await _fleet.Done(hv01, new Nic("web", 7).Create() with { Mtu = 9000 });

        var device = _fleet.Device("vm-web", "eth0")!.Value;
        Assert.Equal("02:00:00:00:00:07", device.GetProperty("address").GetString());
        Assert.Equal(9000, device.GetProperty("mtu").GetInt32());
        Assert.Contains("10.0.0.7/8", _fleet.Ip("vm-web", "address", "show", "dev", "eth0").Output, StringComparison.Ordinal);
    }

    [RootFact]
    public async Task Two_guests_reach_each_other_only_while_both_gates_are_open()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        await _fleet.Done(hv01, web.Create());
        await _fleet.Done(hv01, db.Create());
        Assert.False(_fleet.Ping("web", db.Address));

        Assert.True((await _fleet.Done(hv01, web.Connect())).Up);
        Assert.False(_fleet.Ping("web", db.Address));

        Assert.True((await _fleet.Done(hv01, db.Connect())).Up);
        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping with both gates open");

        Assert.False((await _fleet.Done(hv01, db.Disconnect())).Up);
        Assert.False(_fleet.Ping("web", db.Address));
    }

    [RootFact]
    public async Task Guest_that_bounces_its_device_opens_no_gate()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create()])
        {
            await _fleet.Done(hv01, command);
        }

        foreach (var position in (string[])["down", "up", "down", "up"])
        {
            Assert.Equal(0, _fleet.Ip("vm-db", "link", "set", "eth0", position).Code);
        }

        Assert.False(_fleet.Ping("db", web.Address));
        var devices = (await hv01.Snapshot(default)).Devices;
        Assert.False(Assert.Single(devices, nic => nic.NicKey == db.Key).Up);
    }

    [RootFact]
    public async Task Another_port_that_joins_opens_no_gate()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        var closed = await _fleet.Done(hv01, web.Create());

        await _fleet.Done(hv01, db.Create());
        await _fleet.Done(hv01, db.Connect());

        Assert.False(_fleet.IsUp("hv01", closed.Device));
        Assert.False(_fleet.Ping("db", web.Address));
    }

    [RootFact]
    public async Task Guests_on_two_hosts_reach_each_other_over_the_uplink()
    {
        var hv01 = await _fleet.Host("hv01");
        var hv02 = await _fleet.Host("hv02");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        foreach (var (host, nic) in new[] { (hv01, web), (hv02, db) })
        {
            await _fleet.Done(host, nic.Create());
            await _fleet.Done(host, nic.Connect());
        }

        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping over the uplink");
    }

    [RootFact]
    public async Task Guest_is_moved_between_hosts_by_gates_alone()
    {
        var hv01 = await _fleet.Host("hv01");
        var hv02 = await _fleet.Host("hv02");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create(), db.Connect()])
        {
            await _fleet.Done(hv01, command);
        }

        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping before the move");
        var device = _fleet.Device("vm-web", "eth0")!.Value.GetProperty("ifindex").GetInt32();
        var moved = new Nic("web", 1, epoch: 2);
        await _fleet.Done(hv02, moved.Create());
        await _fleet.Done(hv01, web.Disconnect());
        await _fleet.Done(hv02, moved.Connect());

        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping after the move");
        Assert.Equal(device, _fleet.Device("vm-web", "eth0")!.Value.GetProperty("ifindex").GetInt32());
    }

    [RootFact]
    public async Task Both_gates_of_a_guest_open_at_once_make_no_loop()
    {
        var hv01 = await _fleet.Host("hv01");
        var hv02 = await _fleet.Host("hv02");
        var (here, there, db) = (new Nic("web", 1), new Nic("web", 1, epoch: 2), new Nic("db", 2));
        foreach (var (host, command) in new[]
        {
            (hv01, here.Create()), (hv01, here.Connect()), (hv01, db.Create()), (hv01, db.Connect()),
            (hv02, there.Create()), (hv02, there.Connect()),
        })
        {
            await _fleet.Done(host, command);
        }

        // In a loop one broadcast would come back for ever, many thousand times a second.
        _fleet.Ping("db", "10.255.255.254");
        var first = Received();
        _fleet.Ping("db", "10.255.255.253");
        Assert.InRange(Received() - first, 0, 500);

        long Received() => long.Parse(
            Fleet.Shell("ip", [
                "netns", "exec", _fleet.Namespace("bp-web"), "cat", "/sys/class/net/br-eth0/statistics/rx_packets",
            ]).Output,
            System.Globalization.CultureInfo.InvariantCulture);
    }

    [RootFact]
    public async Task Deleted_NIC_leaves_no_device_and_the_guest_keeps_its_own()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        var created = await _fleet.Done(hv01, web.Create());
        await _fleet.Done(hv01, web.Connect());

        var gone = await _fleet.Done(hv01, web.Delete());

        Assert.False(gone.Present);
        Assert.Null(_fleet.Device("hv01", created.Device));
        Assert.NotNull(_fleet.Device("vm-web", "eth0"));
        Assert.False((await _fleet.Done(hv01, web.Delete())).Present);
    }

    [RootFact]
    public async Task Released_guest_is_gone_once_no_host_is_plugged_in()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        var release = new DriverCommand("", DriverVerb.ReleaseGuest, Fleet.Switch, Vm: "web");
        await _fleet.Done(hv01, web.Create());

        Assert.Equal(NdisStatus.Success, (await _fleet.Do(hv01, release)).Status);
        Assert.Contains(_fleet.Namespace("vm-web"), _fleet.Namespaces());

        await _fleet.Done(hv01, web.Delete());
        Assert.Equal(NdisStatus.Success, (await _fleet.Do(hv01, release)).Status);
        Assert.Equal([_fleet.Namespace("hv01"), _fleet.Namespace("underlay")], _fleet.Namespaces());
        Assert.Equal(NdisStatus.Success, (await _fleet.Do(hv01, release)).Status);
    }

    [RootFact]
    public async Task Tap_is_persistent_on_the_bridge_and_its_gate_works()
    {
        var hv01 = await _fleet.Host("hv01");
        var vm = new Nic("qemu", 1);

        var created = await _fleet.Done(hv01, vm.Create() with { Attach = NicAttach.Tap });

        var device = _fleet.Device("hv01", created.Device)!.Value;
        Assert.Equal("tun", device.GetProperty("linkinfo").GetProperty("info_kind").GetString());
        Assert.Equal(Fleet.Switch, device.GetProperty("master").GetString());
        Assert.False(created.Up);
        Assert.DoesNotContain(_fleet.Namespace("vm-qemu"), _fleet.Namespaces());
        Assert.True((await _fleet.Done(hv01, vm.Connect())).Up);
        Assert.True(_fleet.IsUp("hv01", created.Device));
        Assert.False((await _fleet.Done(hv01, vm.Disconnect())).Up);
        Assert.False((await _fleet.Done(hv01, vm.Delete())).Present);
        Assert.Null(_fleet.Device("hv01", created.Device));
    }
}
