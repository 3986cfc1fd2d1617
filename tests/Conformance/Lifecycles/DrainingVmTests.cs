using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A VM at gates that close where only a race closes them.</summary>
public sealed class DrainingVmTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "web--eth0");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");

    readonly World _world = new();

    public DrainingVmTests()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        _world.DefineVm("web", "hv01",
            new NicDefinition("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01"), new NicDefinition("eth1", "sw", NicType.Synthetic, "00:15:5d:00:00:02"));
    }

    [Fact]
    public void Undo_of_a_refused_start_waits_for_a_reference_that_was_taken_meanwhile()
    {
        _world.Hosts["hv01"].Plant(DriverVerb.CreateNic, NdisStatus.Resources, 1, skip: 1);
        _world.Ask(EntityId.Vm("web"), "start", new StartVm());
        StepUntil(Nic, "NicConnected");
        _world.Ask(Sw, "hold", new TakeHoldAt("h1", "e3", 1, 0, "race"));
        _world.Settle();
        Assert.IsType<VmState.Undoing>(_world.State(EntityId.Vm("web")));
        Assert.Contains("NicDisconnected", _world.Events(Nic));
        Assert.DoesNotContain("NicDeleteReceived", _world.Events(Nic));
        _world.Do(Sw, new ReleaseHoldAt("h1"));
        Assert.Equal("stopped", Power);
        Assert.Empty(_world.Switch(Sw).Ports);
    }

    [Fact]
    public void Stop_waits_with_the_teardown_for_packets_of_the_port_but_not_for_its_references()
    {
        _world.StartVm("web");
        _world.Do(Sw, new SetInFlightAt(1, null, 3, 0));
        _world.Do(Sw, new TakeHoldAt("h1", "e3", 1, null, "test"));
        _world.StopVm("web");
        Assert.DoesNotContain("PortTeardownReceived", _world.Events(Port));
        _world.Do(Sw, new SetInFlightAt(1, null, 0, 0));
        Assert.Contains("PortTornDown", _world.Events(Port));
        Assert.Equal("stopping", Power);
        _world.Do(Sw, new ReleaseHoldAt("h1"));
        Assert.Equal("stopped", Power);
    }

    [Fact]
    public void Reference_that_is_taken_again_after_the_gate_was_open_is_waited_for_once_more()
    {
        _world.StartVm("web");
        _world.Do(Sw, new SetInFlightAt(1, 0, 1, 0));
        _world.StopVm("web");
        _world.HoldWrites(EntityId.Vm("web"));
        _world.Do(Sw, new SetInFlightAt(1, 0, 0, 0)); // the gate opens, the VM hears of it
        _world.Do(Sw, new SetInFlightAt(1, 0, 2, 0)); // and it closes before the VM goes on
        _world.FinishWrite(EntityId.Vm("web"));
        _world.Settle();
        Assert.Contains("VmStepDeferred", _world.Events(EntityId.Vm("web")));
        Assert.Equal("stopping", Power);
        _world.Do(Sw, new SetInFlightAt(1, 0, 0, 0));
        Assert.Equal("stopped", Power);
    }

    string Power => _world.State<VmState>(EntityId.Vm("web")).Name;

    void StepUntil(EntityId id, string happened)
    {
        while (!_world.Events(id).Contains(happened))
        {
            _world.Step();
        }
    }
}
