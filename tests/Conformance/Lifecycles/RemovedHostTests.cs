using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A host that never returns ends with all that was on it, by an operator's word (api.md 3).</summary>
public sealed class RemovedHostTests
{
    static readonly EntityId Bridge = EntityId.Bridge("hv01");
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "web--eth0");
    static readonly EntityId Vm = EntityId.Vm("web");

    readonly World _world = new();

    public RemovedHostTests()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        _world.DefineVm("web", "hv01", Eth0);
        _world.StartVm("web");
    }

    [Fact]
    public void Objects_of_a_removed_host_end_as_lost_and_its_vms_are_stopped()
    {
        _world.Disconnect("hv01");
        Assert.NotNull(_world.Do(Bridge, new RemoveHost(Force: true)).Reply);
        Assert.Equal(HostLoss.Removed, Assert.IsType<NicLost>(_world.Rows(Nic)[^1].Event).Reason);
        Assert.Equal(HostLoss.Removed, Assert.IsType<PortLost>(_world.Rows(Port)[^1].Event).Reason);
        Assert.Equal("stopped", _world.State<VmState>(Vm).Name);
        Assert.IsType<SwitchState.Absent>(_world.State(Sw));
        Assert.Equal("SwitchLost", _world.Events(Sw)[^1]);
        Assert.DoesNotContain(_world.Hosts["hv01"].Carried, command => command.Verb is DriverVerb.DeleteNic or DriverVerb.RemoveSwitch);
    }

    [Fact]
    public void Port_lets_go_of_a_nic_that_was_lost_without_its_knowing()
    {
        Assert.Equal(new ObjectLost(true), _world.Do(Nic, new LoseObject(Sw, 99, HostLoss.Removed)).Reply);
        Assert.Single(_world.State<PortState>(Port).BodyOrNull!.Nics);
        var id = _world.State<PortState>(Port).BodyOrNull!.PortId;
        Assert.Equal("nic.absent", _world.Do(Sw, new SubmitOid(new OidRequest("r1", OidCode.NicDelete, id), true)).Refusal?.Code);
        Assert.Empty(_world.State<PortState>(Port).BodyOrNull!.Nics);
        Assert.Equal(NdisStatus.Success, ((OidOutcome)_world.Do(Sw, new SubmitOid(new OidRequest("r2", OidCode.PortTeardown, id), true)).Reply!).Status);
    }

    [Fact]
    public void Host_that_has_switches_or_a_session_is_not_removed()
    {
        Assert.Equal("host.delete.online", _world.Do(Bridge, new RemoveHost(Force: true)).Refusal?.Code);
        _world.Disconnect("hv01");
        Assert.Equal("host.delete.in-use", _world.Do(Bridge, new RemoveHost(Force: false)).Refusal?.Code);
        Assert.Equal("host.unknown", _world.Do(EntityId.Bridge("hv99"), new RemoveHost(Force: true)).Refusal?.Code);
        Assert.Equal("running", _world.State<VmState>(Vm).Name);
    }

    [Fact]
    public void Removed_host_gets_no_session_until_it_is_admitted_again()
    {
        _world.Disconnect("hv01");
        _world.Do(Bridge, new RemoveHost(Force: true));
        var open = new OpenSession("memory", "1", true, _world.Hosts["hv01"].Inventory());
        Assert.Equal("host.removed", _world.Do(Bridge, open).Refusal?.Code);
        Assert.Equal("host.removed", _world.StartVm("web").Refusal?.Code);
        Assert.Equal("host.unknown", _world.Do(Bridge, new RemoveHost(Force: true)).Refusal?.Code);
        Assert.NotNull(_world.Do(Bridge, new ReadmitHost()).Reply);
        Assert.Equal("host.readmit.present", _world.Do(Bridge, new ReadmitHost()).Refusal?.Code);
        _world.Hosts["hv01"].Reboot();
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        Assert.Null(_world.StartVm("web").Refusal);
        Assert.Equal("running", _world.State<VmState>(Vm).Name);
    }

    [Fact]
    public void Switch_defined_while_its_host_is_removed_is_not_ready_and_can_be_defined_anew_or_deleted()
    {
        _world.Disconnect("hv01");
        _world.Do(Bridge, new RemoveHost(Force: true));
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        Assert.Equal(SwitchStage.Failed, _world.State<SwitchState.Here>(Sw).Stage);
        Assert.NotNull(_world.Do(Sw, new DeleteSwitch()).Reply);
        Assert.IsType<SwitchState.Absent>(_world.State(Sw));
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        Assert.Contains("removed", Assert.IsType<SwitchNotReady>(_world.Rows(Sw)[^1].Event).Detail, StringComparison.Ordinal);
        _world.Do(Bridge, new ReadmitHost());
        _world.Hosts["hv01"].Reboot();
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        Assert.Equal(SwitchStage.Ready, _world.State<SwitchState.Here>(Sw).Stage);
    }

    [Fact]
    public void What_was_under_way_on_a_removed_host_is_answered()
    {
        _world.Disconnect("hv01");
        _world.Do(Vm, new StopVm(), "stop");
        var create = _world.Ask(Sw, "peer", new SubmitOid(new OidRequest("peer", OidCode.PortCreate, 9, 0, new PortParameters("p9")), true));
        var delete = _world.Ask(EntityId.Switch("hv01", "other"), "define", new DefineSwitch(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [])));
        _world.Settle();
        Assert.Null(create.Answer);
        _world.Do(Bridge, new RemoveHost(Force: true));
        Assert.Equal("host.removed", create.Answer?.Refusal?.Code);
        Assert.NotNull(delete.Answer);
        Assert.Equal("stopped", _world.State<VmState>(Vm).Name);
        Assert.Equal("host.removed", _world.State<VmState>(Vm).Operations[^1].Problem?.Code);
        Assert.IsType<SwitchState.Absent>(_world.State(Sw));
        Assert.IsType<SwitchState.Absent>(_world.State(EntityId.Switch("hv01", "other")));
        Assert.Equal("NotCreated", _world.State<PortState>(Port).Name);
    }

    [Fact]
    public void Vm_of_a_removed_host_starts_on_another_under_a_higher_epoch()
    {
        var before = _world.State<NicState>(Nic).Epoch;
        _world.Disconnect("hv01");
        _world.Do(Bridge, new RemoveHost(Force: true));
        _world.Connect("hv02");
        _world.DefineSwitch(EntityId.Switch("hv02", "sw"), DriftPolicy.Repair);
        _world.DefineVm("web", "hv02", Eth0);
        _world.StartVm("web");
        Assert.True(_world.Hosts["hv02"].Devices[Nic.Text] is { Up: true, Epoch: var epoch } && epoch > before);
    }

    [Fact]
    public void Crash_of_any_entity_after_any_step_of_a_removal_changes_nothing()
    {
        for (var at = 0; ; at++)
        {
            var world = new RemovedHostTests()._world;
            world.Disconnect("hv01");
            world.Ask(Bridge, "remove", new RemoveHost(Force: true));
            var taken = 0;
            for (; taken < at && world.Busy; taken++)
            {
                world.Step();
            }
            world.CrashAll(withSnapshot: at % 2 == 0);
            world.Settle();
            Assert.IsType<SwitchState.Absent>(world.State(Sw));
            Assert.Single(world.Events(Nic), "NicLost");
            Assert.Single(world.Events(Vm), "VmLost");
            Assert.Equal("stopped", world.State<VmState>(Vm).Name);
            if (taken < at)
            {
                Assert.True(at > 10, $"only {at} steps");
                return;
            }
        }
    }

    static readonly NicDefinition Eth0 = new("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01");
}
