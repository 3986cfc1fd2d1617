using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>A switch with more ports than a kernel bridge takes spans several, and nobody on it can tell.</summary>
public sealed class LargeSwitchTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Guests_on_different_bridges_of_a_switch_reach_each_other_and_other_hosts()
    {
        // The first bridge has room for 4 - 3, each further one for 4 - 1.
        var hv01 = await _fleet.Host("hv01", portsMax: 4, bridgesMax: 3);
        var hv02 = await _fleet.Host("hv02");
        Nic[] nics = [.. Enumerable.Range(1, 7).Select(number => new Nic("vm" + number, number))];
        foreach (var nic in nics)
        {
            await Open(hv01, nic);
        }

        var far = new Nic("far", 99);
        await Open(hv02, far);

        Assert.Equal(3, nics.Select(nic => Master(nic)).Distinct().Count());
        Assert.True(Reaches("vm1", "10.0.0.2"));
        Assert.True(Reaches("vm2", "10.0.0.7"));
        Assert.True(Reaches("vm7", far.Address));
        var snapshot = await hv01.Snapshot(default);
        Assert.Equal([Fleet.Switch], snapshot.Switches);
        Assert.All(snapshot.Devices, device => Assert.True(device is { Enslaved: true, Up: true, Switch: Fleet.Switch }));
        Assert.Equal(7, snapshot.Devices.Count);

        var refused = await _fleet.Do(hv01, new Nic("one-too-many", 8).Create());
        Assert.Equal(NdisStatus.Resources, refused.Status);
    }

    [RootFact]
    public async Task Switch_that_spans_bridges_goes_on_after_a_restart_and_goes_whole()
    {
        var first = await _fleet.Host("hv01", portsMax: 4, bridgesMax: 2);
        Nic[] nics = [.. Enumerable.Range(1, 4).Select(number => new Nic("vm" + number, number))];
        foreach (var nic in nics)
        {
            await Open(first, nic);
        }

        await first.DisposeAsync();
        var second = _fleet.Start("hv01", portsMax: 4, bridgesMax: 2);
        await second.Resume(default);
        await _fleet.Done(second, nics[3].Delete());
        await _fleet.Done(second, new Nic("late", 9).Create());
        await second.Suspend(default);
        Assert.DoesNotContain(_fleet.Namespace("hv01"), _fleet.Namespaces());
        await second.Resume(default);
        Assert.True(Reaches("vm1", "10.0.0.3"));

        foreach (var nic in nics[..3].Append(new Nic("late", 9, epoch: 2)))
        {
            await _fleet.Done(second, nic.Delete());
        }

        var removed = await _fleet.Do(second, new DriverCommand("", DriverVerb.RemoveSwitch, Fleet.Switch));
        Assert.Equal(NdisStatus.Success, removed.Status);
        Assert.DoesNotContain("br", _fleet.Ip("hv01", "-br", "link", "show", "type", "bridge").Output, StringComparison.Ordinal);
        Assert.DoesNotContain("veth", _fleet.Ip("hv01", "-d", "link", "show").Output, StringComparison.Ordinal);
    }

    [RootFact]
    public async Task Joint_that_another_hand_removed_is_made_again_with_the_next_NIC_or_the_switch()
    {
        var hv01 = await _fleet.Host("hv01", portsMax: 4, bridgesMax: 2);
        Nic[] nics = [.. Enumerable.Range(1, 3).Select(number => new Nic("vm" + number, number))];
        foreach (var nic in nics)
        {
            await Open(hv01, nic);
        }

        Assert.True(Reaches("vm1", "10.0.0.3"));
        Assert.Equal(0, _fleet.Ip("hv01", "link", "del", DeviceNames.Joint(Fleet.Switch, 1)).Code);
        Assert.False(Reaches("vm1", "10.0.0.3"));
        await Open(hv01, new Nic("vm4", 4));
        Assert.True(Reaches("vm1", "10.0.0.3"));

        Assert.Equal(0, _fleet.Ip("hv01", "link", "set", DeviceNames.JointFarEnd(Fleet.Switch, 1), "nomaster").Code);
        Assert.False(Reaches("vm1", "10.0.0.3"));
        await _fleet.Do(hv01, new DriverCommand("", DriverVerb.EnsureSwitch, Fleet.Switch));
        Assert.True(Reaches("vm1", "10.0.0.3"));
    }

    async Task Open(LinuxDriver host, Nic nic)
    {
        await _fleet.Done(host, nic.Create());
        await _fleet.Done(host, nic.Connect());
    }

    string Master(Nic nic) => _fleet.Device("hv01", DeviceNames.Nic(nic.Key))!.Value.GetProperty("master").GetString()!;

    bool Reaches(string vm, string address) => Enumerable.Range(0, 3).Any(_ => _fleet.Ping(vm, address));
}
