using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 3.7 and 7.3 V22, 7.4 F07 to F09: an extension that pends an OID holds the slot, as a state, and nobody's thread.</summary>
public abstract class PendingScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    const string Extension = "test.verdict";

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task V22_Other_oids_of_the_switch_wait_while_one_is_pending_and_the_late_status_decides()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate));
        var (first, second) = (NextRequest(), NextRequest());
        var pending = await Target.Begin(new OidRequest(first, OidCode.PortCreate, P, 0, Port()));
        var waiting = await Target.Begin(new OidRequest(second, OidCode.PortArray, 0));
        await NeverHappened(PortId(), "PortCreated");
        Assert.Equal(1, await Times("OidStarted"));

        Assert.True((await Target.Complete(first, Extension, NdisStatus.Success)).Succeeded);
        var outcome = (await pending.End()).Outcome!;
        Assert.Equal(NdisStatus.Success, outcome.Status);
        Assert.Equal([(0, "Down"), (1, "Down"), (2, "Down"), (-1, "Down"), (2, "Up"), (1, "Up"), (0, "Up")], Trace(outcome));
        Assert.Equal(1, (await waiting.End()).Outcome!.Output!.Value.GetProperty("numElements").GetInt32());
    }

    [Fact]
    public async Task V22_Late_refusal_refuses_and_who_agreed_above_undoes()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate));
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        await Target.Complete(request, Extension, NdisStatus.Resources);
        var outcome = (await pending.End()).Outcome!;
        Assert.Equal((NdisStatus.Resources, 1), (outcome.Status, outcome.RefusedBy!.Position));
        Assert.Equal([(0, "Down"), (1, "Down"), (0, "Up")], Trace(outcome));
        Assert.Equal(1, await Times("OidUndone"));
        await NeverHappened(PortId(), "PortCreated");
    }

    [Fact]
    public async Task Late_refusal_of_what_may_not_be_refused_is_a_fault_and_the_oid_goes_on()
    {
        await DefineThree(filter: Pends(OidCode.NicConnect));
        await CreatePort();
        await CreateNic();
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.NicConnect, P));
        await Target.Complete(request, Extension, NdisStatus.Failure);
        var outcome = (await pending.End()).Outcome!;
        Assert.Equal((NdisStatus.Success, "Connected"), (outcome.Status, outcome.NicState));
        Assert.Equal("X28", Assert.Single(outcome.Faults).Rule);
    }

    [Fact]
    public async Task Oid_is_pended_at_one_position_after_the_other()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate), forward: Pends(OidCode.PortCreate));
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        await Target.Complete(request, Extension, NdisStatus.Success);
        await Target.Complete(request, Extension, NdisStatus.DataNotAccepted);
        Assert.Equal(2, (await pending.End()).Outcome!.RefusedBy!.Position);
    }

    [Fact]
    public async Task Late_answer_that_nobody_waits_for_is_refused()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate));
        Assert.Equal("oid.not-pending", (await Target.Complete("none", Extension, NdisStatus.Success)).Refusal?.Code);
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        Assert.Equal("oid.not-pending", (await Target.Complete(request, "filter.quota", NdisStatus.Success)).Refusal?.Code);
        Assert.Equal("oid.completion.pending", (await Target.Complete(request, Extension, NdisStatus.Pending)).Refusal?.Code);
        await Target.Complete(request, Extension, NdisStatus.Success);
        Assert.True((await pending.End()).Succeeded);
        Assert.Equal("oid.not-pending", (await Target.Complete(request, Extension, NdisStatus.Success)).Refusal?.Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Extension_that_is_taken_away_while_an_oid_is_pending_at_it_is_at_fault_and_the_oid_goes_on_below(bool removed)
    {
        await DefineThree(filter: Pends(OidCode.PortCreate), forward: Answers(OidCode.PortCreate));
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        ExtensionDefinition[] left =
        [
            new(Extension, ExtensionClass.Capture), new(Extension, ExtensionClass.Filter, Enabled: false), new(Extension, ExtensionClass.Forward, true, Answers(OidCode.PortCreate)),
        ];
        await Target.DefineSwitch(removed ? [left[0], left[2]] : left);
        var outcome = (await pending.End()).Outcome!;
        Assert.Equal((NdisStatus.DataNotAccepted, 2), (outcome.Status, outcome.RefusedBy!.Position));
        Assert.Equal((1, "switch.md 3.7"), (Assert.Single(outcome.Faults).Position, outcome.Faults[0].Rule));
        Assert.Equal(1, await Times("ExtensionFaulted"));
        await Does(OidCode.PortArray, 0); // the switch goes on
    }

    [Fact]
    public async Task Extension_that_is_moved_while_an_oid_is_pending_at_it_is_at_fault_and_one_that_stays_is_not()
    {
        ExtensionDefinition verdict = new(Extension, ExtensionClass.Filter, true, Pends(OidCode.PortCreate)), acl = new("filter.acl", ExtensionClass.Filter);
        await Target.DefineSwitch(verdict, acl);
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        await Target.DefineSwitch(verdict, acl, new("forward.vlan", ExtensionClass.Forward));
        Assert.Equal(0, await Times("OidResumed"));
        await Target.DefineSwitch(acl, verdict);
        var outcome = (await pending.End()).Outcome!;
        Assert.Equal((NdisStatus.Success, "switch.md 3.7"), (outcome.Status, Assert.Single(outcome.Faults).Rule));
    }

    [Fact]
    public async Task F07_Restart_of_the_stack_that_is_asked_for_while_an_oid_is_pending_is_reported_and_follows_the_oid()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate) with { AsksRestart = OidCode.PortCreate });
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        await Happened(SwitchId, "OidStarted", "StackRestartDeferred");
        Assert.Equal(0, await Times("StackRestarted"));
        await Target.Complete(request, Extension, NdisStatus.Success);
        Assert.True((await pending.End()).Succeeded);
        await Happened(SwitchId, "StackRestartDeferred", "OidResumed", "OidCompleted", "StackRestarted", "ExtensionAttached");
    }

    [Fact]
    public async Task F08_Oid_that_is_open_for_a_second_is_a_warning_with_oid_port_and_position()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate));
        var request = NextRequest();
        var pending = await Target.Begin(new OidRequest(request, OidCode.PortCreate, P, 0, Port()));
        await Target.Passes(TimeSpan.FromSeconds(1.2));
        await Happened(SwitchId, "OidStarted", "OidSlow");
        await Target.Complete(request, Extension, NdisStatus.Success);
        Assert.True((await pending.End()).Succeeded);
    }

    [Fact]
    public async Task F09_Cancelled_oid_that_its_extension_does_not_let_go_is_completed_as_if_nobody_had_asked()
    {
        await DefineThree(filter: Pends(OidCode.PortCreate));
        var (first, second) = (NextRequest(), NextRequest());
        var pending = await Target.Begin(new OidRequest(first, OidCode.PortCreate, P, 0, Port()));
        var waiting = await Target.Begin(new OidRequest(second, OidCode.PortArray, 0));
        var before = await Target.Picture();
        Assert.True((await Target.Cancel(first)).Succeeded);
        Assert.True((await Target.Cancel(second)).Succeeded); // it waits for the slot
        Assert.Equal(2, await Times("OidCancelRequested"));
        Assert.Equal((before, 0), (await Target.Picture(), await Times("OidCompleted")));

        await Target.Complete(first, Extension, NdisStatus.Success);
        var outcome = (await pending.End()).Outcome!;
        Assert.Equal((NdisStatus.Success, "Created"), (outcome.Status, outcome.PortState));
        Assert.Empty(outcome.Faults);
        Assert.Equal([(0, "Down"), (1, "Down"), (2, "Down"), (-1, "Down"), (2, "Up"), (1, "Up"), (0, "Up")], Trace(outcome));
        Assert.Equal(1, (await waiting.End()).Outcome!.Output!.Value.GetProperty("numElements").GetInt32());
        await Happened(SwitchId, "OidCancelRequested", "OidResumed", "OidCompleted");
    }

    [Fact]
    public async Task F09_Cancel_of_an_oid_that_is_not_open_is_refused()
    {
        var request = NextRequest();
        await CreatePort(P);
        await Does(OidCode.PortUpdated, parameters: Port(), request: request);
        foreach (var id in new[] { request, "none" })
        {
            var verdict = await Target.Cancel(id);
            Assert.Equal((409, "oid.not-open", "F09"), (verdict.Http, verdict.Refusal?.Code, verdict.Refusal?.Rule));
        }
        await NeverHappened(SwitchId, "OidCancelRequested");
    }

    static ExtensionSettings Pends(OidCode oid) => new(Pends: [oid]);

    static (int, string)[] Trace(OidOutcome outcome) => [.. outcome.Trace.Select(step => (step.Position, step.Direction.ToString()))];
}
