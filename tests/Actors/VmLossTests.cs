using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>A VM whose host was lost while one of its steps was on the way (switch.md 9.5.4).</summary>
public sealed class VmLossTests
{
    static readonly EntityId Vm = EntityId.Vm("web");

    VmState _state = VmLifecycle.Initial(Vm);

    public VmLossTests()
    {
        Do(new DefineVm(new VmDefinition("hv01", [Nic("eth0"), Nic("eth1")])));
        Do(new StartVm());
    }

    [Fact]
    public void Step_that_was_asked_before_the_loss_is_waited_for_before_the_rest_is_taken_down()
    {
        UntilAsked(VmStepKind.PortCreate, "eth1");
        var asked = Asked;
        Do(new LoseVm("hv01", 1, HostLoss.Rebooted, ["eth0"]));

        Assert.Equal(asked, Asked);
        Assert.Equal("stopping", _state.Name);
        Answer();
        Assert.Equal(
            [
                VmStepKind.NicDisconnect, VmStepKind.NicDrain, VmStepKind.NicDelete, VmStepKind.PortTeardown, VmStepKind.PortDrain,
                VmStepKind.PortDelete, VmStepKind.ReleaseGuest,
            ],
            Steps);
        Assert.All(_state.LadderOrNull!.Remaining.SkipLast(1), step => Assert.Equal("eth1", step.Nic));
        UntilStopped();
    }

    [Theory]
    [InlineData("host.lost")]
    [InlineData("port.absent")]
    public void Refusal_of_such_a_step_ends_the_wait_too(string code)
    {
        UntilAsked(VmStepKind.NicCreate, "eth1");
        Do(new LoseVm("hv01", 1, HostLoss.Rebooted, ["eth0"]));
        Answer(new Refusal(RefusalKind.Conflict, code, "No."));
        Assert.Equal(VmStepKind.NicDisconnect, Steps.First());
        UntilStopped();
    }

    [Fact]
    public void Vm_that_has_nothing_left_is_stopped_when_its_last_step_is_answered_so_that_the_next_start_does_not_meet_it()
    {
        UntilAsked(VmStepKind.NicConnect, "eth1");
        var asked = Asked;
        Do(new LoseVm("hv01", 1, HostLoss.Rebooted, ["eth0", "eth1"]));
        Assert.Equal((asked, "stopping"), (Asked, _state.Name));
        Answer();
        Assert.Equal("stopped", _state.Name);
    }

    [Fact]
    public void Second_loss_does_not_forget_what_is_waited_for()
    {
        UntilAsked(VmStepKind.PortCreate, "eth1");
        var asked = Asked;
        Do(new LoseVm("hv01", 1, HostLoss.Rebooted, ["eth0"]));
        Do(new LoseVm("hv01", 1, HostLoss.Rebooted, ["eth0"]));
        Assert.Equal(asked, Asked);
        Answer();
        Assert.Equal(VmStepKind.NicDisconnect, Steps.First());
        UntilStopped();
    }

    [Fact]
    public void Loss_that_is_the_answer_to_the_step_leaves_nothing_to_wait_for()
    {
        UntilAsked(VmStepKind.PortCreate, "eth1");
        Answer(HostLoss.Refusal("hv01", HostLoss.Rebooted));
        Assert.Equal(VmStepKind.NicDisconnect, Steps.First());
        UntilStopped();
    }

    Effect.Ask Asked => Assert.IsType<Effect.Ask>(Assert.Single(VmLifecycle.Outstanding(_state)));

    IEnumerable<VmStepKind> Steps => _state.LadderOrNull!.Remaining.Select(step => step.Kind);

    void UntilAsked(VmStepKind kind, string nic)
    {
        while (_state.LadderOrNull!.Remaining[0] is var step && (step.Kind, step.Nic) != (kind, nic))
        {
            Answer();
        }
    }

    void UntilStopped()
    {
        while (_state.LadderOrNull is not null)
        {
            Answer();
        }
        Assert.Equal("stopped", _state.Name);
    }

    void Answer(Refusal? refusal = null) => Do(new AnswerArrived(Asked.Id, refusal is null ? new Done() : null, refusal));

    void Do(Command command)
    {
        var decision = Assert.IsType<Decision<VmEvent>.Accepted>(VmLifecycle.Decide(_state, command, new Turn(default, "m", "system", "c", "op")));
        _state = decision.Events.Aggregate(_state, VmLifecycle.Evolve);
    }

    static NicDefinition Nic(string name) => new(name, "sw", NicType.Synthetic, "02:00:00:00:00:01");
}
