using System.Collections;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Projections;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A host's own NIC has a device like a VM's: a snapshot is compared with it too (switch.md 9.5).</summary>
public sealed class InternalNicTests
{
    const uint P = 7;
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "p7");
    static readonly EntityId Nic = EntityId.HostNic("hv01", "sw", "p7", 0);

    readonly World _world = new World().Connect("hv01");
    int _requests;

    [Theory]
    [InlineData(DriftPolicy.Report)]
    [InlineData(DriftPolicy.Repair)]
    public void Device_that_went_while_the_host_was_away_is_drift_and_under_repair_comes_back(DriftPolicy policy)
    {
        Connected(policy);
        _world.Disconnect("hv01").Hosts["hv01"].Remove(Nic.Text);
        _world.Connect("hv01");
        Assert.Contains("NicDrifted", _world.Events(Nic));
        Assert.Equal("Connected", _world.State<NicState>(Nic).Name);
        if (policy == DriftPolicy.Repair)
        {
            Assert.True(_world.Hosts["hv01"].Devices[Nic.Text].Up);
            Assert.Null(_world.State<NicState>(Nic).BodyOrNull!.Drift);
        }
        else
        {
            Assert.Equal((DriftStage.Reported, false), (Drift!.Stage, Drift.Observed.Present));
        }
    }

    [Fact]
    public void Gate_that_was_moved_before_another_boot_that_lists_the_device_is_drift()
    {
        Connected(DriftPolicy.Report);
        var host = _world.Disconnect("hv01").Hosts["hv01"];
        host.MoveGate(Nic.Text, up: false);
        var kept = host.Devices[Nic.Text];
        host.Reboot();
        host.Devices[Nic.Text] = kept;
        _world.Connect("hv01");
        Assert.Equal((DriftStage.Reported, true, false), (Drift!.Stage, Drift.Observed.Present, Drift.Observed.Up));
    }

    [Fact]
    public void F06_Nic_that_a_reboot_took_is_lost_and_can_be_made_again_at_once_under_a_higher_epoch()
    {
        Connected(DriftPolicy.Repair);
        _world.Do(Sw, new TakeHoldAt("h1", "ext", P, 0, "test"));
        var before = _world.Hosts["hv01"].Devices[Nic.Text].Epoch;
        _world.Disconnect("hv01").Hosts["hv01"].Reboot();
        _world.Connect("hv01");
        Assert.Equal(("NicLost", "PortLost"), (_world.Events(Nic)[^1], _world.Events(Port)[^1]));
        Assert.Empty(_world.Switch(Sw).Ports);
        Assert.Empty(_world.Switch(Sw).Holds);
        Assert.DoesNotContain(_world.Hosts["hv01"].Carried, command => command.Verb is DriverVerb.DeleteNic or DriverVerb.RepairNic);
        Create();
        Assert.True(_world.Hosts["hv01"].Devices[Nic.Text].Epoch > before);
        Assert.True(_world.State<NicState>(Nic).IsReady());
    }

    [Theory]
    [InlineData(DriftPolicy.Report)]
    [InlineData(DriftPolicy.Repair)]
    public void Device_that_a_failed_delete_left_is_found_at_the_next_session_and_removed_under_repair(DriftPolicy policy)
    {
        Connected(policy);
        _world.Hosts["hv01"].Plant(DriverVerb.DeleteNic, NdisStatus.Failure);
        Does(OidCode.NicDisconnect);
        Does(OidCode.NicDelete);
        _world.Disconnect("hv01").Connect("hv01");
        var removed = policy == DriftPolicy.Repair;
        Assert.Equal(removed ? 0 : 1, _world.Hosts["hv01"].Devices.Count);
        Assert.Equal(removed ? [] : [(Nic.Text, true)], _world.Switch(Sw).Discovered.Values.Select(found => (found.Device.NicKey, found.LeftOver)));
    }

    [Fact]
    public void Snapshot_is_looked_through_as_often_for_many_nics_as_for_one()
    {
        Connected(DriftPolicy.Report);
        var one = Looks(_world.Switch(Sw));
        for (var index = 1; index <= 20; index++)
        {
            Does(OidCode.PortCreate, new PortParameters($"q{index}"), 100 + (uint)index);
            Does(OidCode.NicCreate, new NicParameters($"eth{index}", VmName: "web"), 100 + (uint)index);
        }
        Assert.Equal(one, Looks(_world.Switch(Sw)));
    }

    NicDrift? Drift => _world.State<NicState>(Nic).BodyOrNull!.Drift;

    void Connected(DriftPolicy policy)
    {
        _world.DefineSwitch(Sw, policy);
        Create();
    }

    void Create()
    {
        Does(OidCode.PortCreate, new PortParameters("p7", PortType: PortType.Internal));
        Does(OidCode.NicCreate, new NicParameters("host", NicType.Internal, PermanentMacAddress: "00:15:5d:00:00:01"));
        Does(OidCode.NicConnect);
    }

    void Does(OidCode oid, OidParameters? parameters = null, uint port = P) =>
        Assert.Equal(NdisStatus.Success, ((OidOutcome)_world.Oid(Sw, new OidRequest($"r{++_requests}", oid, port, 0, parameters)).Reply!).Status);

    int Looks(SwitchState.Here here)
    {
        var devices = new Counted([.. _world.Hosts["hv01"].Devices.Values]);
        SwitchLifecycle.Evolve(here, new SwitchReconcileStarted(9, true, devices));
        return devices.Looks;
    }

    sealed class Counted(IReadOnlyList<DeviceState> devices) : IReadOnlyList<DeviceState>
    {
        public int Looks { get; private set; }

        public int Count => devices.Count;

        public DeviceState this[int index] => devices[index];

        public IEnumerator<DeviceState> GetEnumerator()
        {
            Looks++;
            return devices.GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
