using ControlPlane.Actors.Nics;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A device that changes without us is recorded as drift; the lifecycle stays; the switch's policy alone repairs.</summary>
public sealed class DriftTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");

    readonly World _world = new();

    [Fact]
    public void Reported_drift_stays_until_the_device_is_as_wanted()
    {
        Running(DriftPolicy.Report);
        _world.MoveGate("hv01", Nic.Text, up: false);
        Assert.Equal((DriftStage.Reported, "Connected"), (Drift?.Stage, _world.State<NicState>(Nic).Name));
        Assert.False(Device.Up);
        Assert.Single(_world.Events(Sw), "DriftSeen");
        _world.MoveGate("hv01", Nic.Text, up: true);
        Assert.Null(Drift);
        Assert.Contains("NicConverged", _world.Events(Nic));
    }

    [Fact]
    public void Repaired_drift_is_gone_and_the_device_is_back()
    {
        Running(DriftPolicy.Repair);
        _world.RemoveDevice("hv01", Nic.Text);
        Assert.Null(Drift);
        Assert.True(Device.Up);
        Assert.Contains("NicRepaired", _world.Events(Nic));
    }

    [Fact]
    public void Failed_repair_is_recorded_and_not_repeated_by_itself()
    {
        Running(DriftPolicy.Repair);
        _world.Hosts["hv01"].Plant(DriverVerb.RepairNic, NdisStatus.Failure);
        _world.MoveGate("hv01", Nic.Text, up: false);
        Assert.Equal(DriftStage.Reported, Drift?.Stage);
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Single(_world.Hosts["hv01"].Carried, command => command.Verb == DriverVerb.RepairNic);
    }

    [Fact]
    public void What_changed_while_the_host_was_away_is_seen_at_the_next_session()
    {
        Running(DriftPolicy.Report);
        _world.Disconnect("hv01").Hosts["hv01"].Remove(Nic.Text);
        _world.Connect("hv01");
        Assert.Equal(DriftStage.Reported, Drift?.Stage);
        Assert.False(Drift!.Observed.Present);
    }

    [Fact]
    public void Host_that_was_emptied_gets_its_switch_and_under_repair_its_nics_again()
    {
        Running(DriftPolicy.Repair);
        _world.Disconnect("hv01").Hosts["hv01"].LoseEverything();
        _world.Connect("hv01");
        Assert.Contains("sw", _world.Hosts["hv01"].Switches);
        Assert.True(Device.Up);
        Assert.Null(Drift);
    }

    [Fact]
    public void Nic_that_vanished_can_still_be_stopped()
    {
        Running(DriftPolicy.Report);
        _world.RemoveDevice("hv01", Nic.Text);
        _world.StopVm("web");
        Assert.Equal("Absent", _world.State<NicState>(Nic).Name);
        _world.StartVm("web");
        Assert.True(Device.Up);
        Assert.Null(Drift);
    }

    [Theory]
    [InlineData(DriverVerb.ConnectNic)]
    [InlineData(DriverVerb.DisconnectNic)]
    [InlineData(DriverVerb.DeleteNic)]
    public void Verb_that_may_not_fail_is_recorded_as_a_fault_and_the_lifecycle_goes_on(DriverVerb verb)
    {
        Defined(DriftPolicy.Report);
        _world.Hosts["hv01"].Plant(verb, NdisStatus.Failure);
        _world.StartVm("web");
        Assert.Equal("Connected", _world.State<NicState>(Nic).Name);
        _world.StopVm("web");
        Assert.Equal("Absent", _world.State<NicState>(Nic).Name);
        Assert.Single(_world.Events(Nic), "NicEdgeFaulted");
    }

    [Fact]
    public void Gate_that_did_not_open_is_drift_and_repaired_under_the_policy()
    {
        Defined(DriftPolicy.Repair);
        _world.Hosts["hv01"].Plant(DriverVerb.ConnectNic, NdisStatus.Failure);
        _world.StartVm("web");
        Assert.True(Device.Up);
        Assert.Null(Drift);
    }

    [Fact]
    public void Snapshot_that_is_older_than_a_completed_command_is_no_drift()
    {
        Defined(DriftPolicy.Report);
        _world.Ask(EntityId.Vm("web"), "start", new StartVm());
        while (!_world.Events(Nic).Contains("NicConnectProposed"))
        {
            _world.Step();
        }
        // The gate is closed when the snapshot is taken; the switch tells the NIC of it after the gate was opened.
        _world.Reconnect("hv01");
        _world.HoldWrites(Sw);
        _world.Settle();
        Assert.Equal("Connected", _world.State<NicState>(Nic).Name);
        _world.FinishWrite(Sw);
        _world.Settle();
        Assert.Contains("SwitchReconciled", _world.Events(Sw));
        Assert.DoesNotContain("NicDrifted", _world.Events(Nic));
    }

    [Fact]
    public void Frame_from_before_a_command_is_no_drift_after_it()
    {
        Running(DriftPolicy.Report);
        var old = Device with { Up = true, Revision = Device.Revision - 1 };
        var answer = _world.Do(Nic, new ReportDevice("late", false, old with { Up = false }));
        Assert.NotNull(answer.Reply);
        Assert.Null(Drift);
    }

    void Defined(DriftPolicy drift)
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, drift);
        _world.DefineVm("web", "hv01", new NicDefinition("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01"));
    }

    void Running(DriftPolicy drift)
    {
        Defined(drift);
        _world.StartVm("web");
    }

    NicDrift? Drift => _world.State<NicState>(Nic).BodyOrNull!.Drift;

    DeviceState Device => _world.Hosts["hv01"].Devices[Nic.Text];
}
