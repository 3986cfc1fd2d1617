using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.2: what breaks the contract of the edge is rejected, changes nothing and is recorded.</summary>
public abstract class IllegalScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public Task X01_Nic_needs_a_port() => Rejects("port.absent", "X01", () => Try(OidCode.NicCreate, parameters: Nic()));

    [Fact]
    public async Task X02_Nic_that_was_not_created_is_not_connected()
    {
        await CreatePort();
        await Rejects("nic.absent", "X02", () => Try(OidCode.NicConnect));
    }

    [Fact]
    public async Task X03_Second_connect_is_rejected_but_a_repeat_is_answered_from_the_record()
    {
        await CreatePort();
        await CreateNic();
        var request = NextRequest();
        var first = await Does(OidCode.NicConnect, request: request);
        var again = await Does(OidCode.NicConnect, request: request);
        Assert.Equal((first.Status, first.PortState, first.NicState), (again.Status, again.PortState, again.NicState));
        await Rejects("nic.connect.connected", "X03", () => Try(OidCode.NicConnect));
        Assert.Single(await Target.Events(NicId()), "NicConnected");
    }

    [Fact]
    public async Task X04_Nic_that_never_connected_is_not_disconnected()
    {
        await CreatePort();
        await CreateNic();
        await Rejects("nic.disconnect.not-connected", "X04", () => Try(OidCode.NicDisconnect));
    }

    [Fact]
    public async Task X05_Connected_nic_is_not_deleted()
    {
        await Connected();
        await Rejects("nic.delete.connected", "X05", () => Try(OidCode.NicDelete));
    }

    [Fact]
    public async Task X06_Port_under_a_connected_nic_is_not_torn_down()
    {
        await Connected();
        await Rejects("port.teardown.nic-present", "G4", () => Try(OidCode.PortTeardown));
    }

    [Fact]
    public async Task X08_Port_under_a_disconnected_nic_is_torn_down_only_after_its_deletion()
    {
        await Disconnected();
        await Rejects("port.teardown.nic-present", "G4", () => Try(OidCode.PortTeardown));
        await DeleteNic();
        await Does(OidCode.PortTeardown);
    }

    [Fact]
    public async Task X09_Operational_port_is_not_deleted_without_a_teardown()
    {
        await CreatePort();
        await Rejects("port.delete.not-torn-down", "X09", () => Try(OidCode.PortDelete));
    }

    [Fact]
    public async Task X09_Validation_port_may_be_deleted_without_a_teardown()
    {
        await CreatePort(validation: true);
        Assert.Equal("NotCreated", (await Does(OidCode.PortDelete)).PortState);
        await NeverHappened(PortId(), "PortTeardownReceived");
    }

    [Fact]
    public async Task X10_Disconnected_nic_is_not_connected_again()
    {
        await Disconnected();
        await Rejects("nic.connect.disconnected", "X10", () => Try(OidCode.NicConnect));
    }

    [Fact]
    public async Task X11_Port_that_is_torn_down_takes_no_nic()
    {
        await TearingDown();
        await Rejects("nic.create.port-tearing-down", "X11", () => Try(OidCode.NicCreate, parameters: Nic()));
    }

    [Fact]
    public async Task X13_Live_port_id_is_not_given_twice()
    {
        await CreatePort();
        await Rejects("port.create.exists", "X13", () => Try(OidCode.PortCreate, parameters: Port(name: "other")));
    }

    [Fact]
    public async Task X14_Two_ports_may_share_a_friendly_name()
    {
        await CreatePort(friendlyName: "Front");
        await CreatePort(Q, friendlyName: "Front");
    }

    [Fact]
    public async Task X15_Port_name_is_unique()
    {
        await CreatePort();
        await Rejects("port.create.name", "X15", () => Try(OidCode.PortCreate, Q, parameters: Port(P)));
    }

    [Fact]
    public async Task X16_Validation_port_takes_no_nic()
    {
        await CreatePort(validation: true);
        await Rejects("nic.create.validation-port", "X16", () => Try(OidCode.NicCreate, parameters: Nic()));
    }

    [Fact]
    public async Task X17_Port_of_a_vm_has_index_zero_only()
    {
        await CreatePort();
        await Rejects("nic.create.index", "X17", () => Try(OidCode.NicCreate, index: 1, parameters: Nic()));
    }

    [Fact]
    public async Task X21_Type_of_the_nic_fits_the_port()
    {
        await CreatePort();
        await Rejects("nic.create.type", "X21", () => Try(OidCode.NicCreate, parameters: Nic(type: NicType.Emulated)));
    }

    [Fact]
    public async Task X22_Nic_is_not_updated_before_it_is_connected()
    {
        await CreatePort();
        await CreateNic();
        await Rejects("nic.update.not-connected", "X22", () => Try(OidCode.NicUpdated, parameters: Nic()));
    }

    [Fact]
    public async Task X23_Nic_is_not_updated_after_it_is_disconnected()
    {
        await Disconnected();
        await Rejects("nic.update.not-connected", "X23", () => Try(OidCode.NicUpdated, parameters: Nic()));
    }

    [Fact]
    public async Task X24_Port_that_is_torn_down_is_not_updated()
    {
        await TearingDown();
        await Rejects("port.update.tearing-down", "X24", () => Try(OidCode.PortUpdated, parameters: Port(friendlyName: "late")));
    }

    [Fact]
    public async Task X25_Every_oid_for_a_deleted_port_is_late()
    {
        await TearingDown();
        await Does(OidCode.PortDelete);
        foreach (var oid in new[] { OidCode.PortTeardown, OidCode.PortDelete, OidCode.PortUpdated, OidCode.PortPropertyAdd, OidCode.PortPropertyEnum })
        {
            await Rejects("port.absent", "X25", () => Try(oid, parameters:
                oid == OidCode.PortUpdated ? Port() : oid == OidCode.PortPropertyAdd ? Security() : null));
        }
    }

    [Theory]
    [InlineData("PORT_CREATE")]
    [InlineData("NIC_DELETE")]
    [InlineData("PROPERTY_ADD")]
    public async Task X26_Extension_that_originates_a_set_of_a_port_a_nic_or_a_property_is_at_fault(string oid)
    {
        await DefineThree(filter: new ExtensionSettings(Originates: OidCode.Parse($"OID_SWITCH_{oid}")));
        Assert.Null((await FaultIs("X26", position: 1, () => CreatePort())).Originated);
        Assert.Equal(0, await Times("OidRejected"));
    }

    [Fact]
    public async Task X27_Extension_that_completes_a_creation_itself_is_at_fault()
    {
        await DefineThree(forward: Answers(OidCode.PortCreate, NdisStatus.Success));
        await FaultIs("X27", position: 2, () => CreatePort());
    }

    [Theory]
    [InlineData(NdisStatus.Success)]
    [InlineData(NdisStatus.DataNotAccepted)]
    public async Task X28_Connect_and_teardown_go_on_whatever_an_extension_answers(NdisStatus status)
    {
        await DefineThree(filter: new ExtensionSettings(Verdicts: [
            new PlannedVerdict(OidCode.NicConnect, status, 1), new PlannedVerdict(OidCode.PortTeardown, status, 1)]));
        await CreatePort();
        await CreateNic();
        await FaultIs("X28", position: 1, () => ConnectNic());
        await DisconnectNic();
        await DeleteNic();
        await FaultIs("X28", position: 1, () => Does(OidCode.PortTeardown));
    }

    [Fact]
    public async Task X29_Extension_that_changes_a_payload_is_at_fault()
    {
        await DefineThree(forward: new ExtensionSettings(ChangesPayload: true));
        await FaultIs("X29", position: 2, () => CreatePort());
    }

    [Fact]
    public async Task X30_Second_forwarder_is_refused()
    {
        var verdict = await Target.DefineSwitch(
            new ExtensionDefinition("test.verdict", ExtensionClass.Forward), new ExtensionDefinition("test.verdict", ExtensionClass.Forward));
        Assert.Equal(("switch.extensions.two-forwarders", "X30"), (verdict.Refusal?.Code, verdict.Refusal?.Rule));
        Assert.True((await Target.DefineSwitch(
            new ExtensionDefinition("test.verdict", ExtensionClass.Forward),
            new ExtensionDefinition("test.verdict", ExtensionClass.Forward, Enabled: false))).Succeeded);
    }

    /// <summary>The OID succeeds, and the extension at this position is recorded as at fault.</summary>
    async Task<OidOutcome> FaultIs(string rule, int position, Func<Task<OidOutcome>> act)
    {
        var before = await Times("ExtensionFaulted");
        var outcome = await act();
        var fault = Assert.Single(outcome.Faults);
        Assert.Equal((rule, position), (fault.Rule, fault.Position));
        Assert.Equal(before + 1, await Times("ExtensionFaulted"));
        return outcome;
    }
}
