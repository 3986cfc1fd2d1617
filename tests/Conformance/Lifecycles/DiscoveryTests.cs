using System.Collections.Immutable;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Projections;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Devices that no NIC of ours knows are discovered in the state in which they are listed (switch.md 9.5.2, 9.5.5).</summary>
public sealed class DiscoveryTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");

    readonly World _world = new();

    [Fact]
    public void Foreign_device_is_discovered_by_its_frame_and_goes_with_its_frame()
    {
        Defined(DriftPolicy.Repair);
        _world.ForeignDevice("hv01", "sw", "veth7");
        var found = Assert.Single(Discovered);
        Assert.Equal(("veth7", false, 0L), (found.Key, found.Value.LeftOver, found.Value.Removal));
        Assert.Empty(_world.Switch(Sw).Ports);
        Assert.Equal(["switch.discovered"], Alarms().Select(alarm => alarm.Code));
        _world.ForeignDevice("hv01", "sw", "veth7", there: false);
        Assert.Empty(Discovered);
        Assert.Equal(["DeviceDiscovered", "DiscoveredGone"], _world.Events(Sw).Where(type => type.Contains("Discover", StringComparison.Ordinal)));
        Assert.Empty(Alarms());
    }

    [Fact]
    public void Foreign_device_is_discovered_by_the_snapshot_once_and_goes_with_the_next()
    {
        Defined(DriftPolicy.Report);
        _world.Disconnect("hv01").Hosts["hv01"].Foreign("sw", "veth7");
        _world.Connect("hv01");
        Assert.Equal(["veth7"], Discovered.Keys);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Single(_world.Events(Sw), "DeviceDiscovered");
        _world.Disconnect("hv01").Hosts["hv01"].Foreign("sw", "veth7", there: false);
        _world.Connect("hv01");
        Assert.Empty(Discovered);
    }

    [Theory]
    [InlineData(DriftPolicy.Report)]
    [InlineData(DriftPolicy.Repair)]
    public void Device_that_a_failed_delete_left_is_found_at_the_next_session_and_removed_under_repair(DriftPolicy drift)
    {
        LeftOver(drift);
        var removed = drift == DriftPolicy.Repair;
        Assert.Equal(removed ? 0 : 1, _world.Hosts["hv01"].Devices.Count);
        Assert.Equal(removed ? [] : [(Nic.Text, true)], Discovered.Values.Select(found => (found.Device.NicKey, found.LeftOver)));
        Assert.Equal("Absent", _world.State<NicState>(Nic).Name);
        Assert.Equal(removed ? 2 : 1, _world.Hosts["hv01"].Carried.Count(command => command.Verb == DriverVerb.DeleteNic));
        Assert.Equal(removed ? [] : ["switch.left-over"], Alarms().Select(alarm => alarm.Code));
        if (!removed)
        {
            _world.DefineSwitch(Sw, DriftPolicy.Repair);
            Assert.Empty(_world.Hosts["hv01"].Devices);
            Assert.Empty(Discovered);
        }
    }

    [Fact]
    public void Removal_that_the_host_fails_is_recorded_and_tried_again_with_its_next_snapshot()
    {
        _world.Connect("hv01");
        LeftOver(DriftPolicy.Repair, failures: 2);
        Assert.NotNull(Assert.Single(Discovered).Value.Problem);
        Assert.Contains("LeftOverNotRemoved", _world.Events(Sw));
        Assert.Contains("did not remove", Assert.Single(Alarms()).Reason, StringComparison.Ordinal);
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Single(_world.Hosts["hv01"].Devices);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Empty(_world.Hosts["hv01"].Devices);
        Assert.Empty(Discovered);
    }

    [Fact]
    public void Nic_that_is_created_again_takes_its_left_over_device_for_its_own()
    {
        LeftOver(DriftPolicy.Report);
        Assert.Single(Discovered);
        _world.StartVm("web");
        Assert.Equal("running", _world.State<VmState>(EntityId.Vm("web")).Name);
        Assert.Empty(Discovered);
        Assert.Empty(Alarms());
    }

    [Fact]
    public void Device_of_a_nic_that_is_on_another_host_is_reported_and_never_removed()
    {
        LeftOver(DriftPolicy.Report);
        _world.Connect("hv02");
        _world.DefineSwitch(EntityId.Switch("hv02", "sw"), DriftPolicy.Repair);
        _world.DefineVm("web", "hv02", Eth0);
        _world.StartVm("web");
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Equal([false], Discovered.Values.Select(found => found.LeftOver));
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Single(_world.Hosts["hv01"].Devices);
        Assert.True(_world.State<NicState>(Nic).IsReady());
        Assert.DoesNotContain("NicDrifted", _world.Events(Nic));
    }

    [Fact]
    public void Snapshot_taken_before_a_delete_discovers_nothing_after_it()
    {
        Defined(DriftPolicy.Repair);
        _world.StartVm("web");
        _world.HoldWrites(Sw);
        var before = _world.Hosts["hv01"].Devices[Nic.Text];
        _world.FinishWrite(Sw);
        _world.StopVm("web");
        var session = _world.State<ControlPlane.Actors.Bridge.BridgeState>(EntityId.Bridge("hv01")).Session;
        _world.Do(Sw, new ReconcileSwitch(session, true, [before]));
        Assert.Empty(Discovered);
        Assert.DoesNotContain("DeviceDiscovered", _world.Events(Sw));
    }

    [Fact]
    public void More_devices_than_are_recorded_are_counted_and_an_alarm_says_so()
    {
        Defined(DriftPolicy.Report);
        var host = _world.Disconnect("hv01").Hosts["hv01"];
        for (var i = 0; i < 258; i++)
        {
            host.Foreign("sw", $"veth{i}");
        }
        _world.Connect("hv01");
        Assert.Equal((256, 2), (Discovered.Count, _world.Switch(Sw).NotRecorded));
        Assert.Equal(2, _world.Events(Sw).Count(type => type == "DiscoveryLimited"));
        Assert.Contains("more than 256", Assert.Single(Alarms()).Reason, StringComparison.Ordinal);
    }

    static readonly NicDefinition Eth0 = new("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01");

    ImmutableSortedDictionary<string, DiscoveredDevice> Discovered => _world.Switch(Sw).Discovered;

    ImmutableArray<Alarm> Alarms() => Actors.Projections.Alarms.Of(_world.Rows(Sw).Aggregate(EntityView.New(Sw), (view, row) => view.After(row)));

    /// <summary>A VM was stopped, its NIC's device stayed, and the host has had a new session since.</summary>
    void LeftOver(DriftPolicy drift, int failures = 1)
    {
        Defined(drift);
        _world.StartVm("web");
        _world.Hosts["hv01"].Plant(DriverVerb.DeleteNic, NdisStatus.Failure, failures);
        _world.StopVm("web");
        Assert.Equal("stopped", _world.State<VmState>(EntityId.Vm("web")).Name);
        Assert.Empty(Discovered);
        _world.Disconnect("hv01").Connect("hv01");
    }

    void Defined(DriftPolicy drift)
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, drift);
        _world.DefineVm("web", "hv01", Eth0);
    }
}
