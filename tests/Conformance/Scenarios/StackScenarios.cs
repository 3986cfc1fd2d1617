using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.1 to 7.4: what an extension may do by its class, what it owns, and what its defects may not break.</summary>
public abstract class StackScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    const string Own = "8d4bb1a0-0000-4000-8000-000000000001";
    const string Other = "8d4bb1a0-0000-4000-8000-000000000002";

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task V10_Forwarder_without_vlans_refuses_them()
    {
        await Target.DefineSwitch(new ExtensionDefinition("forward.learning", ExtensionClass.Forward));
        await CreatePort();
        var outcome = (await Try(OidCode.PortPropertyAdd, parameters: Vlan())).Outcome!;
        Assert.Equal((NdisStatus.DataNotAccepted, "forward.learning"), (outcome.Status, outcome.RefusedBy!.Extension));
        await NeverHappened(PortId(), "PortPropertyChanged");
        await Does(OidCode.PortPropertyAdd, parameters: Security());
    }

    [Fact]
    public async Task V10_Forwarder_that_neither_takes_nor_refuses_vlans_is_at_fault()
    {
        await DefineThree();
        await CreatePort();
        Assert.Equal("V10", Assert.Single((await Does(OidCode.PortPropertyAdd, parameters: Vlan())).Faults).Rule);
        await Target.DefineSwitch(new ExtensionDefinition("forward.vlan", ExtensionClass.Forward));
        Assert.Empty((await Does(OidCode.PortPropertyUpdate, parameters: Vlan())).Faults);
    }

    [Fact]
    public async Task V13_Owner_is_told_to_the_port_and_what_it_owns_is_enforced()
    {
        await Target.DefineSwitch(new ExtensionDefinition("filter.acl", ExtensionClass.Filter), new ExtensionDefinition("forward.vlan", ExtensionClass.Forward));
        await Connected();
        var rules = System.Text.Json.JsonSerializer.SerializeToElement(new[] { new { direction = "inbound", action = "deny", remote = "10.0.0.0/8" } });
        await Does(OidCode.PortPropertyAdd, parameters: new PropertyParameters(PropertyType.Custom, "acl", PropertyIds.Acl.ToUpperInvariant(), 0, rules));
        await Does(OidCode.PortPropertyAdd, parameters: Vlan());
        var seen = await Target.Port(PortId());
        Assert.Equal(["Custom acl filter.acl", "Vlan v1 forward.vlan"], seen.Properties);
        Assert.NotEqual(PortPolicy.Default.Digest, seen.Wanted);
        Assert.Equal((seen.Wanted, true), (seen.Observed, seen.Ready));
    }

    [Fact]
    public async Task V13_Filter_applies_its_custom_property_and_passes_it_on()
    {
        await DefineThree(filter: new ExtensionSettings(Owns: [Own]));
        await CreatePort();
        var outcome = await Does(OidCode.PortPropertyAdd, parameters: Custom());
        Assert.Equal([(0, "Down"), (1, "Down"), (2, "Down"), (-1, "Down"), (2, "Up"), (1, "Up"), (0, "Up")], Trace(outcome));
        Assert.Empty(outcome.Faults);
    }

    [Fact]
    public async Task V14_Forwarder_applies_its_custom_property_and_completes_it_and_the_edge_never_sees_it()
    {
        await DefineThree(forward: new ExtensionSettings(Owns: [Own]));
        await CreatePort();
        var outcome = await Does(OidCode.PortPropertyAdd, parameters: Custom());
        Assert.Equal([(0, "Down"), (1, "Down"), (2, "Down"), (1, "Up"), (0, "Up")], Trace(outcome));
        await Happened(PortId(), "PortPropertyChanged");
        Assert.Contains((-1, "Down"), Trace(await Does(OidCode.PortPropertyAdd, parameters: Custom(Other)))); // V15
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task V18_Refused_property_delete_keeps_the_property_and_raises_a_warning(bool ofSwitch)
    {
        var (add, delete) = ofSwitch ? (OidCode.PropertyAdd, OidCode.PropertyDelete) : (OidCode.PortPropertyAdd, OidCode.PortPropertyDelete);
        await DefineThree(filter: Answers(delete));
        await CreatePort();
        await Does(add, parameters: Custom());
        var outcome = (await Try(delete, parameters: Custom())).Outcome!;
        Assert.Equal((NdisStatus.DataNotAccepted, "V18"), (outcome.Status, Assert.Single(outcome.Faults).Rule));
        await Does(delete, parameters: Custom());
    }

    [Theory]
    [InlineData("OID_NIC_SWITCH_ALLOCATE_VF")]
    [InlineData("OID_NIC_SWITCH_CREATE_VPORT")]
    [InlineData("OID_RECEIVE_FILTER_ALLOCATE_QUEUE")]
    [InlineData("OID_RECEIVE_FILTER_SET_FILTER")]
    public async Task V23_Forwarder_may_refuse_what_takes_something_of_the_hardware(string inner)
    {
        await DefineThree(forward: Answers(OidCode.NicRequest));
        var outcome = (await Try(OidCode.NicRequest, 0, parameters: Inner(inner))).Outcome!;
        Assert.Equal((NdisStatus.DataNotAccepted, 2), (outcome.Status, outcome.RefusedBy!.Position));
        Assert.Empty(outcome.Faults);
    }

    [Theory]
    [InlineData("OID_RECEIVE_FILTER_CLEAR_FILTER")]
    [InlineData("OID_RECEIVE_FILTER_FREE_QUEUE")]
    [InlineData("OID_NIC_SWITCH_FREE_VF")]
    [InlineData("0x00010114")]
    public async Task V24_Nobody_may_refuse_what_gives_something_back_or_is_not_known(string inner)
    {
        await DefineThree(forward: Answers(OidCode.NicRequest));
        var outcome = await Does(OidCode.NicRequest, 0, parameters: Inner(inner));
        Assert.Equal(("V24", 2), (Assert.Single(outcome.Faults).Rule, outcome.Faults[0].Position));
    }

    [Fact]
    public async Task V24_Filter_may_refuse_no_hardware_request()
    {
        await DefineThree(filter: Answers(OidCode.NicRequest));
        Assert.Equal("V24", Assert.Single((await Does(OidCode.NicRequest, 0, parameters: Inner("OID_NIC_SWITCH_ALLOCATE_VF"))).Faults).Rule);
    }

    [Fact]
    public async Task V25_Extension_on_a_live_switch_can_veto_nothing_it_can_only_fail_to_attach()
    {
        await Connected();
        await Target.DefineSwitch(new ExtensionDefinition("filter.quota", ExtensionClass.Filter, true, new ExtensionSettings(MaxPorts: 0)));
        await Happened(SwitchId, "SwitchReady", "OidCompleted", "SwitchDefined", "ExtensionAttached");
        await NeverHappened(PortId(), "PortTeardownReceived");
        Assert.Equal(1, (await Does(OidCode.PortArray, 0)).Output!.Value.GetProperty("numElements").GetInt32());

        await DefineThree(filter: new ExtensionSettings(AttachFails: true));
        await Happened(SwitchId, "ExtensionDetached", "ExtensionAttachFailed");
        var outcome = await CreatePort(Q);
        Assert.Equal([(0, "Down"), (1, "Down"), (-1, "Down"), (1, "Up"), (0, "Up")], Trace(outcome)); // without it
        await DefineThree();
        Assert.Equal(3, Trace(await Does(OidCode.PortUpdated, Q, parameters: Port(Q))).Count(step => step.Item2 == "Up"));
    }

    [Fact]
    public async Task X28_Property_that_a_filter_completes_goes_on_all_the_same()
    {
        await DefineThree(filter: Answers(OidCode.PortPropertyAdd, NdisStatus.Success));
        await CreatePort();
        var outcome = await Does(OidCode.PortPropertyAdd, parameters: Security());
        Assert.Equal("X28", Assert.Single(outcome.Faults).Rule);
        await Happened(PortId(), "PortPropertyChanged");
    }

    [Theory]
    [InlineData(ExtensionClass.Capture)]
    [InlineData(ExtensionClass.Filter)]
    [InlineData(ExtensionClass.Forward)]
    public async Task Extension_that_throws_is_recorded_and_passed_and_the_switch_goes_on(ExtensionClass at)
    {
        var throws = new ExtensionSettings(Throws: [OidCode.PortCreate]);
        await DefineThree(
            at == ExtensionClass.Capture ? throws : null, at == ExtensionClass.Filter ? throws : null, at == ExtensionClass.Forward ? throws : null);
        var outcome = await CreatePort();
        Assert.Equal(("defect", (int)at), (Assert.Single(outcome.Faults).Rule, outcome.Faults[0].Position));
        Assert.Equal(7, outcome.Trace.Count);
        Assert.Equal(1, await Times("ExtensionFaulted"));
        await CreateNic();
    }

    [Fact]
    public async Task F10_Extension_that_lacks_memory_refuses_and_counts_are_as_before()
    {
        await DefineThree(forward: Answers(OidCode.PortCreate, NdisStatus.Resources, times: 3));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(NdisStatus.Resources, (await Try(OidCode.PortCreate, parameters: Port())).Outcome?.Status);
        }
        await Connected();
        await DisconnectNic();
        await DeleteNic();
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortDelete); // nothing of the attempts keeps a gate closed
    }

    [Theory]
    [InlineData("0x00010296")]
    [InlineData("0x00010297")]
    [InlineData("0x00010298")]
    [InlineData("0x00010299")]
    [InlineData("0x0001029a")]
    [InlineData("0x000102ff")]
    public async Task F11_Code_without_a_public_page_is_observed_and_forwarded(string code)
    {
        await DefineThree(filter: Answers(OidCode.Parse(code)!.Value, NdisStatus.Failure));
        await Connected();
        var before = await Target.Picture();
        Assert.Equal(NdisStatus.Success, (await Does(OidCode.Parse(code)!.Value)).Status);
        Assert.Equal(before, await Target.Picture());
        await Happened(SwitchId, "ExtensionFaulted", "OidCompleted");
    }

    [Fact]
    public async Task L21_Lowered_mtu_is_seen_below_and_in_the_list()
    {
        await DefineThree(filter: new ExtensionSettings(MtuHeadroom: 50), forward: new ExtensionSettings(MtuHeadroom: 50));
        await CreatePort();
        await Does(OidCode.NicCreate, parameters: Nic() with { Flags = ["NicInitializing"] });
        Assert.Equal(1400, await Target.Mtu(NicId()));
        Assert.Equal(1400, (await Does(OidCode.NicArray, 0)).Output!.Value.GetProperty("elements")[0].GetProperty("mtu").GetInt32());
    }

    [Fact]
    public async Task L23_Oids_of_two_ports_alternate_and_no_extension_sees_two_at_once()
    {
        await DefineThree();
        var oids = new[] { P, Q }.SelectMany(port => new[]
        {
            new OidRequest($"a-{Target.Switch}-{port}", OidCode.PortCreate, port, 0, Port(port)),
        }).ToList();
        Assert.All(await Target.OidsAtOnce(oids), verdict => Assert.True(verdict.Succeeded, $"{verdict}"));
        await Task.WhenAll(Ladder(P), Ladder(Q));
        var lane = (await Target.Events(SwitchId)).Where(type => type is "OidStarted" or "OidCompleted").ToList();
        Assert.All(lane.Index(), step => Assert.Equal(step.Index % 2 == 0 ? "OidStarted" : "OidCompleted", step.Item));
    }

    [Fact]
    public async Task L24_Nic_that_is_created_has_no_right_to_a_reference_yet_and_its_switch_forwards()
    {
        await DefineThree();
        await CreatePort();
        await CreateNic();
        await Target.InFlight(P, 0, 2, 0); // packets of the switch itself
        Assert.Equal("R1", (await Target.Hold("e3", P, 0)).Refusal?.Rule);
        await Target.InFlight(P, 0, 0, 0);
        await ConnectNic();
        Assert.NotNull((await Target.Hold("e3", P, 0)).Id);
    }

    [Theory]
    [InlineData(NicType.Synthetic)]
    [InlineData(NicType.Emulated)]
    [InlineData(NicType.Internal)]
    public async Task L25_Generic_port_takes_any_nic(NicType type)
    {
        await CreatePort(type: PortType.Generic);
        await Does(OidCode.NicCreate, parameters: type == NicType.Internal ? HostNic(type) : Nic(type: type));
    }

    async Task Ladder(uint port)
    {
        await CreateNic(port);
        await ConnectNic(port);
        await DisconnectNic(port);
        await DeleteNic(port);
    }

    static PropertyParameters Vlan() => new(
        PropertyType.Vlan, "v1", Value: System.Text.Json.JsonSerializer.SerializeToElement(new { operationMode = "access", accessVlanId = 7 }));

    static PropertyParameters Custom(string id = Own) => new(PropertyType.Custom, "i1", id, 1);

    static NicRequestParameters Inner(string oid) => new(0, 0, 0, 0, OidCode.Parse(oid)!.Value);

    static (int, string)[] Trace(OidOutcome outcome) => [.. outcome.Trace.Select(step => (step.Position, step.Direction.ToString()))];
}
