using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.3 V01 to V08: who refused, who saw it, who undoes. Positions: 0 capture, 1 filter, 2 forward, -1 the edge.</summary>
public abstract class RefusalScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task V01_Filter_refuses_a_port_and_the_capture_extension_undoes()
    {
        await DefineThree(filter: Answers(OidCode.PortCreate));
        var outcome = await Refused(NdisStatus.DataNotAccepted, position: 1, () => Try(OidCode.PortCreate, parameters: Port()));
        Assert.Equal([(0, "Down"), (1, "Down"), (0, "Up")], Trace(outcome));
        Assert.Equal(1, await Times("OidUndone"));
        Assert.True(await Target.DataPathIsClean());
        await Rejects("port.absent", "X25", () => Try(OidCode.PortTeardown));
    }

    [Fact]
    public async Task V02_Forwarder_refuses_a_port_and_filter_then_capture_undo()
    {
        await DefineThree(forward: Answers(OidCode.PortCreate));
        var outcome = await Refused(NdisStatus.DataNotAccepted, position: 2, () => Try(OidCode.PortCreate, parameters: Port()));
        Assert.Equal([(0, "Down"), (1, "Down"), (2, "Down"), (1, "Up"), (0, "Up")], Trace(outcome));
        Assert.Equal(2, await Times("OidUndone"));
    }

    [Fact]
    public async Task V03_Capture_extension_may_not_refuse()
    {
        await DefineThree(capture: Answers(OidCode.PortCreate));
        var outcome = await Does(OidCode.PortCreate, parameters: Port());
        Assert.Equal(("V03", 0), (Assert.Single(outcome.Faults).Rule, outcome.Faults[0].Position));
        Assert.Equal(1, await Times("ExtensionFaulted"));
    }

    [Fact]
    public async Task V04_Miniport_edge_refuses_a_port_and_all_undo()
    {
        await DefineThree();
        await Target.Plant(DriverVerb.CreatePort, NdisStatus.Resources);
        var outcome = await Refused(
            NdisStatus.Resources, RefusedBy.EdgePosition, () => Try(OidCode.PortCreate, parameters: Port()));
        Assert.Equal([(0, "Down"), (1, "Down"), (2, "Down"), (-1, "Down"), (2, "Up"), (1, "Up"), (0, "Up")], Trace(outcome));
        Assert.Equal(3, await Times("OidUndone"));
        await CreatePort(); // a refusal for lack of resources may be tried again and looks like a first attempt
    }

    [Fact]
    public async Task V04_Miniport_edge_refuses_a_nic_and_the_port_stays()
    {
        await CreatePort();
        await Target.Plant(DriverVerb.CreateNic, NdisStatus.Failure);
        await Refused(NdisStatus.Failure, RefusedBy.EdgePosition, () => Try(OidCode.NicCreate, parameters: Nic()));
        await CreateNic();
        await ConnectNic();
    }

    [Theory]
    [InlineData(NdisStatus.Failure)]
    [InlineData(NdisStatus.Resources)]
    [InlineData(NdisStatus.NotSupported)]
    public async Task V07_Any_error_refuses(NdisStatus status)
    {
        await DefineThree(filter: Answers(OidCode.PortCreate, status));
        await Refused(status, position: 1, () => Try(OidCode.PortCreate, parameters: Port()));
        await NeverHappened(PortId(), "PortCreated", "PortTeardownReceived", "PortDeleteReceived");
    }

    [Fact]
    public async Task V08_Nic_is_refused_the_port_stays_and_takes_a_later_nic()
    {
        await DefineThree(forward: Answers(OidCode.NicCreate));
        await CreatePort();
        var outcome = await Refused(NdisStatus.DataNotAccepted, position: 2, () => Try(OidCode.NicCreate, parameters: Nic()));
        Assert.Equal(("Created", "Absent"), (outcome.PortState, outcome.NicState));
        await Happened(NicId(), "NicCreateProposed", "NicCreateRefused");
        await CreateNic();
        await ConnectNic();
    }

    [Fact]
    public async Task Planned_verdict_answers_as_often_as_planned()
    {
        await DefineThree(filter: Answers(OidCode.PortCreate, times: 2));
        await Refused(NdisStatus.DataNotAccepted, 1, () => Try(OidCode.PortCreate, parameters: Port()));
        await Refused(NdisStatus.DataNotAccepted, 1, () => Try(OidCode.PortCreate, parameters: Port()));
        await CreatePort();
    }

    [Fact]
    public async Task Illegal_request_uses_up_no_planned_verdict()
    {
        await DefineThree(filter: Answers(OidCode.NicCreate));
        await TearingDown();
        await Rejects("nic.create.port-tearing-down", "X11", () => Try(OidCode.NicCreate, parameters: Nic()));
        await CreatePort(Q);
        await Refused(NdisStatus.DataNotAccepted, 1, () => Try(OidCode.NicCreate, Q, parameters: Nic(Q)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Property_that_is_refused_is_not_there(bool tearingDown)
    {
        await DefineThree(forward: Answers(OidCode.PortPropertyAdd));
        await (tearingDown ? TearingDown() : CreatePort());
        await Refused(NdisStatus.DataNotAccepted, 2, () => Try(OidCode.PortPropertyAdd, parameters: Security()));
        await NeverHappened(PortId(), "PortPropertyChanged");
    }

    static (int, string)[] Trace(OidOutcome outcome) => [.. outcome.Trace.Select(step => (step.Position, step.Direction.ToString()))];

    async Task<OidOutcome> Refused(NdisStatus status, int position, Func<Task<Verdict>> act)
    {
        var before = await Times("OidRefused");
        var verdict = await act();
        Assert.Equal(200, verdict.Http);
        var outcome = verdict.Outcome!;
        Assert.Equal(status, outcome.Status);
        Assert.Equal((position, status), (outcome.RefusedBy!.Position, outcome.RefusedBy.Status));
        Assert.Equal(before + 1, await Times("OidRefused"));
        return outcome;
    }
}
