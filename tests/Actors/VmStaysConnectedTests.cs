using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>A NIC that is connected when its NIC_DELETE comes is disconnected first; a VM does not try that for ever.</summary>
public sealed class VmStaysConnectedTests
{
    VmState _state = VmLifecycle.Initial(EntityId.Vm("web"));

    [Fact]
    public void Stop_ends_with_a_name_for_the_NIC_that_stays_connected()
    {
        Running();
        Do(new StopVm(), "stop");
        Assert.Equal(1 + VmLifecycle.DisconnectsMax, Disconnects(stays: true));
        var operation = _state.Operations[^1];
        Assert.Equal(("stopped", VmOperationStatus.Refused, "vm.nic.stays-connected"), (_state.Name, operation.Status, operation.Problem?.Code));
    }

    [Fact]
    public void Change_that_could_not_take_its_NIC_away_is_refused_and_the_NIC_stays_defined()
    {
        Running();
        Do(new RemoveNic("eth0"), "remove");
        Disconnects(stays: true);
        Assert.Equal(("running", "vm.nic.stays-connected"), (_state.Name, _state.Operations[^1].Problem?.Code));
        Assert.Single(_state.DefinitionOrNull!.Nics);
    }

    [Fact]
    public void NIC_that_was_connected_once_is_disconnected_and_the_stop_is_done()
    {
        Running();
        Do(new StopVm(), "stop");
        Assert.Equal(2, Disconnects(stays: false));
        Assert.Equal(("stopped", VmOperationStatus.Done), (_state.Name, _state.Operations[^1].Status));
    }

    void Running()
    {
        Do(new DefineVm(new VmDefinition("hv01", [new NicDefinition("eth0", "sw", NicType.Synthetic, "02:00:00:00:00:01")])), "define");
        Do(new StartVm(), "start");
        while (_state is not VmState.Running)
        {
            Answer(null);
        }
    }

    /// <summary>Until the ladder ends: NIC_DELETE finds the NIC connected, always or the first time.</summary>
    int Disconnects(bool stays)
    {
        var (disconnects, deletes) = (0, 0);
        while (_state.LadderOrNull is { Remaining: [var step, ..] })
        {
            disconnects += step.Kind == VmStepKind.NicDisconnect ? 1 : 0;
            deletes += step.Kind == VmStepKind.NicDelete ? 1 : 0;
            Assert.InRange(disconnects, 0, 10);
            Answer(step.Kind == VmStepKind.NicDelete && (stays || deletes == 1)
                ? Refusal.Illegal(NicLifecycle.DeleteConnected, "NIC_DISCONNECT comes first.", "X05", "Connected")
                : null);
        }
        return disconnects;
    }

    void Answer(Refusal? refusal)
    {
        var asked = Assert.Single(VmLifecycle.Outstanding(_state));
        Do(new AnswerArrived(asked.Id, refusal is null ? new Done() : null, refusal), "");
    }

    void Do(Command command, string operation)
    {
        var decision = Assert.IsType<Decision<VmEvent>.Accepted>(VmLifecycle.Decide(_state, command, new Turn(default, operation, "system", "c", operation)));
        _state = decision.Events.Aggregate(_state, VmLifecycle.Evolve);
    }
}
