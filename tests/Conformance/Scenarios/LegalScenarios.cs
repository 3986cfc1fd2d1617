using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.1, but for the external and internal adapters.</summary>
public abstract class LegalScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task L01_Port_and_nic_come_up_in_three_steps()
    {
        Assert.Equal(("Created", "Absent"), States(await CreatePort()));
        Assert.Equal(("Created", "Created"), States(await CreateNic()));
        Assert.Equal(("Created", "Connected"), States(await ConnectNic()));
        Assert.True((await Target.Hold("e1", P, 0)).Succeeded);
    }

    [Fact]
    public async Task L02_Nic_and_port_go_in_the_reverse_order_and_leave_nothing()
    {
        await Connected();
        Assert.Equal(("Created", "Disconnected"), States(await DisconnectNic()));
        Assert.Equal(("Created", "Absent"), States(await DeleteNic()));
        Assert.Equal("TearingDown", (await Does(OidCode.PortTeardown)).PortState);
        Assert.Equal("NotCreated", (await Does(OidCode.PortDelete)).PortState);
        await Happened(PortId(), "PortCreated", "NicAttached", "NicDetached", "PortTornDown", "PortDeleted");
        await Happened(NicId(), "NicCreated", "NicConnected", "NicDisconnected", "NicDeleted");
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task L03_Port_without_a_nic_can_be_torn_down_and_deleted()
    {
        await CreatePort();
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortDelete);
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task L04_Nic_that_never_connected_can_be_deleted_and_the_port_stays()
    {
        await CreatePort();
        await CreateNic();
        Assert.Equal(("Created", "Absent"), States(await DeleteNic()));
        await NeverHappened(NicId(), "NicConnected", "NicDisconnected");
    }

    [Fact]
    public async Task L05_Port_is_reused_by_a_second_nic()
    {
        await Connected();
        await DisconnectNic();
        await DeleteNic();
        await Does(OidCode.NicCreate, parameters: Nic(P, name: $"{Vm}--other"));
        Assert.Equal("Connected", (await ConnectNic()).NicState);
        Assert.Single(await Target.Events(PortId()), "PortCreated");
        await Happened(EntityId.Nic(Vm, "other"), "NicCreated", "NicConnected");
    }

    [Fact]
    public async Task L13_Friendly_name_changes_under_a_connected_nic()
    {
        await Connected();
        var outcome = await Does(OidCode.PortUpdated, parameters: Port(friendlyName: "Front"));
        Assert.Equal(("Created", "Connected"), States(outcome));
        await Happened(PortId(), "PortUpdated");
    }

    [Fact]
    public async Task L14_Friendly_name_changes_on_a_port_without_a_nic()
    {
        await CreatePort();
        Assert.Equal(("Created", "Absent"), States(await Does(OidCode.PortUpdated, parameters: Port(friendlyName: "Front"))));
    }

    [Fact]
    public async Task L15_Attributes_of_a_connected_nic_are_replaced()
    {
        await Connected();
        var changes = Nic() with { Mtu = 9000, CurrentMacAddress = "00:15:5d:00:00:ff", VfAssigned = true };
        Assert.Equal("Connected", (await Does(OidCode.NicUpdated, parameters: changes)).NicState);
        await Happened(NicId(), "NicConnected", "NicUpdated");
    }

    [Fact]
    public async Task L16_Property_is_bound_to_the_port_before_its_nic()
    {
        await CreatePort();
        await Does(OidCode.PortPropertyAdd, parameters: Security());
        await CreateNic();
        await Happened(PortId(), "PortPropertyChanged", "NicAttached");
    }

    [Fact]
    public async Task L17_Property_changes_under_a_connected_nic()
    {
        await Connected();
        await Does(OidCode.PortPropertyAdd, parameters: Security());
        Assert.Equal("Connected", (await Does(OidCode.PortPropertyUpdate, parameters: Security())).NicState);
    }

    [Fact]
    public async Task L18_Property_sent_before_the_teardown_is_forwarded_during_it()
    {
        await TearingDown();
        Assert.Equal("TearingDown", (await Does(OidCode.PortPropertyAdd, parameters: Security())).PortState);
        await NeverHappened(PortId(), "PortPropertyChanged");
    }

    [Fact]
    public async Task L20_Second_nic_of_a_running_vm_leaves_the_first_alone()
    {
        await DefineVm("eth0");
        Assert.True((await Target.StartVm(Vm)).Succeeded);
        var before = await Target.Events(EntityId.Nic(Vm, "eth0"));
        await Connected(Q);
        Assert.Equal(before, await Target.Events(EntityId.Nic(Vm, "eth0")));
        Assert.Equal("running", await Target.Power(Vm));
    }

    [Fact]
    public async Task L21_Forwarder_lowers_the_mtu_of_a_nic_that_initialises()
    {
        await DefineThree(forward: new ExtensionSettings(MtuHeadroom: 50));
        await CreatePort();
        await Does(OidCode.NicCreate, parameters: Nic() with { Flags = ["NicInitializing"] });
        Assert.Equal(1450, await Target.Mtu(NicId()));
        Assert.Equal(0, await Times("ExtensionFaulted"));
    }

    [Fact]
    public async Task L21_Mtu_of_a_nic_that_does_not_initialise_is_left_alone()
    {
        await DefineThree(forward: new ExtensionSettings(MtuHeadroom: 50));
        await CreatePort();
        await CreateNic();
        Assert.Equal(1500, await Target.Mtu(NicId()));
    }

    [Fact]
    public async Task L23_Two_ports_keep_their_orders_and_one_oid_is_in_traversal_at_a_time()
    {
        OidCode[] ladder = [OidCode.PortCreate, OidCode.NicCreate, OidCode.NicConnect, OidCode.NicDisconnect, OidCode.NicDelete, OidCode.PortTeardown];
        foreach (var oid in ladder)
        {
            var verdicts = await Target.OidsAtOnce(new[] { P, Q }.Select(port => new OidRequest(NextRequest(), oid, port, 0, Parameters(oid, port))));
            Assert.All(verdicts, verdict => Assert.True(verdict.Succeeded, $"{verdict}"));
        }
        var traversals = (await Target.Events(SwitchId)).Where(type => type is "OidStarted" or "OidCompleted").Chunk(2);
        Assert.All(traversals, pair => Assert.Equal(["OidStarted", "OidCompleted"], pair));
        await Happened(PortId(P), "PortCreated", "NicAttached", "NicDetached", "PortTornDown");
        await Happened(PortId(Q), "PortCreated", "NicAttached", "NicDetached", "PortTornDown");
    }

    [Fact]
    public async Task L24_Packets_flow_before_the_guest_is_up_but_nobody_may_reference_the_nic()
    {
        await CreatePort();
        await CreateNic();
        await Target.InFlight(P, 0, 2, 0);
        Assert.Equal("nic.hold.not-connected", (await Target.Hold("e3", P, 0)).Refusal?.Code);
        Assert.Equal("Connected", (await ConnectNic()).NicState);
    }

    [Theory]
    [InlineData(NicType.Synthetic)]
    [InlineData(NicType.Emulated)]
    [InlineData(NicType.Internal)]
    [InlineData(NicType.External)]
    public async Task L25_Generic_port_takes_any_nic(NicType type)
    {
        await CreatePort(type: PortType.Generic);
        Assert.Equal("Created", (await CreateNic(type: type)).NicState);
        Assert.Equal("Connected", (await ConnectNic()).NicState);
    }

    OidParameters? Parameters(OidCode oid, uint port) =>
        oid == OidCode.PortCreate ? Port(port) : oid == OidCode.NicCreate ? Nic(port) : null;

    static (string, string) States(OidOutcome outcome) => (outcome.PortState, outcome.NicState);
}
