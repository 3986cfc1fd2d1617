using System.Text.Json;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>Switches and hosts: limits, ordered ends, and a driver that comes back to a living kernel.</summary>
public sealed class HostLifeTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Suspend_leaves_nothing_and_Resume_puts_everything_back()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db, tap) = (new Nic("web", 1), new Nic("db", 2, epoch: 6), new Nic("qemu", 3));
        await _fleet.Done(hv01, tap.Create() with { Attach = NicAttach.Tap });
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create(), db.Connect(), db.Disconnect()])
        {
            await _fleet.Done(hv01, command);
        }

        var before = await hv01.Snapshot(default);
        await hv01.Suspend(default);
        Assert.Empty(_fleet.Namespaces());
        Assert.NotEqual(NdisStatus.Success, (await _fleet.Do(hv01, web.Connect())).Status);
        await hv01.DisposeAsync();

        var next = _fleet.Start("hv01");
        await next.Resume(default);

        var after = await next.Snapshot(default);
        Assert.Equal(before.Switches, after.Switches);
        Assert.Equal(before.Devices.OrderBy(nic => nic.Device), after.Devices.OrderBy(nic => nic.Device));
        Assert.Equal("02:00:00:00:00:02", _fleet.Device("vm-db", "eth0")!.Value.GetProperty("address").GetString());
        Assert.False(_fleet.Ping("web", db.Address));
        await _fleet.Done(next, db.Connect());
        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping after the way back");
        Assert.False(File.Exists(Path.Combine(_fleet.StateOf("hv01"), "suspended.json")));
    }

    [RootFact]
    public async Task One_instance_suspends_and_resumes_again_and_again()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        await _fleet.Done(hv01, web.Create());
        var open = await _fleet.Done(hv01, web.Connect());

        for (var round = 0; round < 3; round++)
        {
            await hv01.Suspend(default);
            Assert.Empty(_fleet.Namespaces());
            await hv01.Resume(default);
        }

        Assert.Equal([open], (await hv01.Snapshot(default)).Devices);
    }

    [RootFact]
    public async Task Suspended_host_leaves_the_other_hosts_part_alone()
    {
        var hv01 = await _fleet.Host("hv01");
        var hv02 = await _fleet.Host("hv02");
        var (web, db, away) = (new Nic("web", 1), new Nic("db", 2), new Nic("web", 1, epoch: 2));
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create(), db.Connect()])
        {
            await _fleet.Done(hv02, command);
        }

        await _fleet.Done(hv01, away.Create());
        await hv01.Suspend(default);

        Assert.True(await Eventually(() => _fleet.Ping("web", db.Address)));
        await hv01.Resume(default);
        Assert.Equal(2, Assert.Single((await hv01.Snapshot(default)).Devices).Epoch);
        Assert.True(_fleet.Ping("web", db.Address));
    }

    [RootFact]
    public async Task Driver_started_on_a_living_kernel_adopts_it_without_touching()
    {
        // The first instance is left as a killed process leaves it: nothing of its end is run.
        var killed = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create()])
        {
            await _fleet.Done(killed, command);
        }

        var devices = (await killed.Snapshot(default)).Devices;
        var (before, beforeBackplane) = (Kernel("hv01"), Kernel("bp-web"));

        var next = _fleet.Start("hv01");
        await next.Resume(default);

        Assert.Equal(before, Kernel("hv01"));
        Assert.Equal(beforeBackplane, Kernel("bp-web"));
        var adopted = await next.Snapshot(default);
        Assert.Equal(devices.OrderBy(nic => nic.Device), adopted.Devices.OrderBy(nic => nic.Device));
        Assert.Equal([Fleet.Switch], adopted.Switches);
        Assert.Equal(0, adopted.LastSeq);
        await _fleet.Done(next, db.Connect());
        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping after the adoption");

        // The operational state settles by itself; index, gate, bridge and alias do not change without a hand.
        string[] Kernel(string inside) =>
        [
            .. from link in JsonDocument.Parse(_fleet.Ip(inside, "-j", "link", "show").Output).RootElement.EnumerateArray()
               select string.Join(' ', from name in (string[])["ifindex", "ifname", "address", "master", "ifalias"]
                                       select link.TryGetProperty(name, out var value) ? value.ToString() : "")
                   + (link.GetProperty("flags").EnumerateArray().Any(flag => flag.GetString() == "UP") ? " up" : " down"),
        ];
    }

    [RootFact]
    public async Task Switch_with_ports_stays_and_an_empty_one_goes_with_its_part_of_the_underlay()
    {
        var hv01 = await _fleet.Host("hv01");
        var hv02 = await _fleet.Host("hv02");
        var web = new Nic("web", 1);
        await _fleet.Done(hv01, web.Create());
        var remove = new DriverCommand("", DriverVerb.RemoveSwitch, Fleet.Switch);

        Assert.Equal(NdisStatus.Failure, (await _fleet.Do(hv01, remove)).Status);
        await _fleet.Done(hv01, web.Delete());
        Assert.Equal(NdisStatus.Success, (await _fleet.Do(hv01, remove)).Status);
        Assert.Equal(NdisStatus.Success, (await _fleet.Do(hv01, remove)).Status);

        Assert.Null(_fleet.Device("hv01", Fleet.Switch));
        Assert.NotNull(_fleet.Device("underlay", Fleet.Switch));
        Assert.Equal(NdisStatus.Success, (await _fleet.Do(hv02, remove)).Status);
        Assert.DoesNotContain(_fleet.Namespace("underlay"), _fleet.Namespaces());
    }

    [RootFact]
    public async Task Port_beyond_the_switchs_limit_is_refused_until_one_is_freed()
    {
        // The uplink is the first of the four.
        var hv01 = await _fleet.Host("hv01", portsMax: 4, bridgesMax: 1);
        var web = new Nic("web", 1);
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.CreatePort, "port-web-1"));
        await _fleet.Done(hv01, web.Create());
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.CreatePort, "p2"));
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.CreatePort, "p3"));

        Assert.Equal(NdisStatus.Resources, await Port(DriverVerb.CreatePort, "p4"));
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.CreatePort, "p3"));
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.TeardownPort, "p3"));
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.DeletePort, "p3"));
        Assert.Equal(NdisStatus.Success, await Port(DriverVerb.CreatePort, "p4"));

        async Task<NdisStatus> Port(DriverVerb verb, string port) =>
            (await _fleet.Do(hv01, new DriverCommand("", verb, Fleet.Switch, port))).Status;
    }

    [RootFact]
    public async Task NIC_on_a_missing_switch_fails_and_says_so()
    {
        var hv01 = await _fleet.Host("hv01");

        var refused = await _fleet.Do(hv01, new Nic("web", 1, switchName: "red").Create());

        Assert.Equal(NdisStatus.Failure, refused.Status);
        Assert.Contains("no switch red", refused.Detail, StringComparison.Ordinal);
        Assert.False(refused.Observed!.Present);
    }

    [RootFact]
    public async Task Planted_fault_is_not_for_a_real_host()
    {
        var hv01 = await _fleet.Host("hv01");
        var refused = await _fleet.Do(hv01, new DriverCommand("", DriverVerb.PlantFault, ""));
        Assert.Equal(NdisStatus.NotSupported, refused.Status);
    }

    [RootFact]
    public async Task Long_names_come_back_whole_also_after_a_restart()
    {
        var hv01 = await _fleet.Host("hv01");
        var longSwitch = "tenant-a/production network | " + new string('s', 34);
        await _fleet.Do(hv01, new DriverCommand("", DriverVerb.EnsureSwitch, longSwitch));
        var create = new DriverCommand(
            "", DriverVerb.CreateNic, longSwitch, new string('p', 120), "vm with spaces/" + new string('v', 200),
            "a network adapter", "nic|" + new string('k', 136), Epoch: 12, Revision: 34, Mac: "02:00:00:00:00:09");

        var created = await _fleet.Done(hv01, create);
        await hv01.DisposeAsync();
        var next = _fleet.Start("hv01");
        await next.Resume(default);

        var snapshot = await next.Snapshot(default);
        Assert.Equal((create.NicKey, longSwitch, create.Port), (created.NicKey, created.Switch, created.Port));
        Assert.Equal([created], snapshot.Devices);
        Assert.Contains(longSwitch, snapshot.Switches);
        Assert.Equal(created, await _fleet.Done(next, create));
    }

    [RootFact]
    public async Task Commands_for_many_NICs_may_come_at_once_and_from_two_hosts()
    {
        var hv01 = await _fleet.Host("hv01");
        var hv02 = await _fleet.Host("hv02");
        Nic[] nics = [.. Enumerable.Range(1, 12).Select(number => new Nic("shared" + (number % 3), number, name: "eth" + number))];

        await Task.WhenAll(nics.Select(async (nic, place) =>
        {
            var host = place % 2 == 0 ? hv01 : hv02;
            await _fleet.Done(host, nic.Create());
            await _fleet.Done(host, nic.Connect());
        }));

        foreach (var host in (LinuxDriver[])[hv01, hv02])
        {
            var snapshot = await host.Snapshot(default);
            Assert.Equal(6, snapshot.Devices.Count(nic => nic is { Up: true, Enslaved: true }));
            Assert.Equal(0, snapshot.LastSeq);
        }
    }

    static async Task<bool> Eventually(Func<bool> condition)
    {
        await Fleet.Eventually(condition, "a ping");
        return true;
    }
}
