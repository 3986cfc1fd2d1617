using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// switch.md 4.4 as one switch sees it, M02 to M08: what a refusal at each step leaves behind, without the migration
/// around it. P is the port on the source, Q the one on the destination; one switch is both.
/// </summary>
public abstract class MigrationStepScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task M02_Refused_validation_port_leaves_nothing_and_the_source_as_it_was()
    {
        await Connected();
        await DefineThree(filter: Answers(OidCode.PortCreate));
        Assert.Equal(NdisStatus.DataNotAccepted, (await Try(OidCode.PortCreate, Q, parameters: Port(Q, validation: true))).Outcome?.Status);
        await Does(OidCode.NicUpdated, parameters: Nic()); // the source is connected
        await NeverHappened(PortId(Q), "PortCreated", "PortTeardownReceived");
    }

    [Fact]
    public async Task M03_Refused_policy_on_the_validation_port_and_the_port_is_removed()
    {
        await Connected();
        await DefineThree(filter: Answers(OidCode.PortPropertyAdd));
        await CreatePort(Q, validation: true);
        Assert.Equal(NdisStatus.DataNotAccepted, (await Try(OidCode.PortPropertyAdd, Q, parameters: Security())).Outcome?.Status);
        await Does(OidCode.PortDelete, Q); // without a teardown, as a validation port may be (switch.md 8.18)
        await Rejects("port.absent", "X25", () => Try(OidCode.PortUpdated, Q, parameters: Port(Q)));
    }

    [Fact]
    public async Task M04_Refused_operational_port_follows_an_accepted_validation_port_and_nothing_is_saved()
    {
        await Connected();
        await DefineThree(filter: Answers(OidCode.NicRestore));
        await CreatePort(Q, validation: true);
        await Does(OidCode.PortTeardown, Q);
        await Does(OidCode.PortDelete, Q);
        await DefineThree(filter: Answers(OidCode.PortCreate));
        Assert.Equal(NdisStatus.DataNotAccepted, (await Try(OidCode.PortCreate, Q, parameters: Port(Q))).Outcome?.Status);
        await NeverHappened(SwitchId, "SaveRound", "SaveCompleted");
    }

    [Fact]
    public async Task M05_Refused_policy_on_the_operational_port_and_the_port_is_torn_down()
    {
        await Connected();
        await DefineThree(filter: Answers(OidCode.PortPropertyAdd));
        await CreatePort(Q);
        Assert.Equal(NdisStatus.DataNotAccepted, (await Try(OidCode.PortPropertyAdd, Q, parameters: Security())).Outcome?.Status);
        await Does(OidCode.PortTeardown, Q);
        await Does(OidCode.PortDelete, Q);
        await NeverHappened(SwitchId, "SaveRound", "SaveCompleted");
        await Does(OidCode.NicUpdated, parameters: Nic()); // the source is connected
    }

    [Fact]
    public async Task M06_Failed_save_leaves_the_source_connected()
    {
        await Connected();
        await DefineThree(filter: Answers(OidCode.NicSave, NdisStatus.Resources));
        Assert.Equal(NdisStatus.Resources, (await Try(OidCode.NicSave)).Outcome?.Status);
        await NeverHappened(NicId(), "NicDisconnectReceived");
        await Does(OidCode.NicUpdated, parameters: Nic());
    }

    [Fact]
    public async Task M08_Restore_before_connect_is_rejected()
    {
        await CreatePort();
        await CreateNic();
        var (verdict, _) = await Target.Restore(PortName(P), [new NicBlob("8d4bb1a0-0000-4000-8000-0000000000aa", "x", "AA==")]);
        Assert.Equal((409, "M08"), (verdict.Http, verdict.Refusal?.Rule));
    }

    [Fact]
    public async Task Steps_in_order_bring_the_data_of_the_source_to_the_destination()
    {
        await DefineThree(filter: new ExtensionSettings(Saves: ["flows"]));
        await Connected();
        await CreatePort(Q);
        await Does(OidCode.PortPropertyAdd, Q, parameters: Security());
        var (_, blobs) = await Target.Save(PortName(P));
        await DisconnectNic();
        await DeleteNic();
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortDelete);
        await Does(OidCode.NicCreate, Q, parameters: Nic(P)); // the same NIC
        await ConnectNic(Q);
        var (verdict, taken) = await Target.Restore(PortName(Q), blobs);
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Equal("test.verdict", Assert.Single(taken).Owner);
    }
}
