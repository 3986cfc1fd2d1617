using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 1.2, 2.7, 2.8 and 9.3.1: OIDs that an extension sends down itself while it handles another.</summary>
public abstract class OriginatedScenarios(ITarget target) : Scenario(target)
{
    [Theory]
    [InlineData("PARAMETERS")]
    [InlineData("PORT_ARRAY")]
    [InlineData("NIC_ARRAY")]
    [InlineData("PROPERTY_ENUM")]
    public async Task Query_of_an_extension_is_seen_by_those_below_it_and_answered_by_the_switch(string oid)
    {
        var own = OidCode.Parse($"OID_SWITCH_{oid}")!.Value;
        await DefineThree(filter: new ExtensionSettings(Originates: own));
        var outcome = await CreatePort();
        Assert.Empty(outcome.Faults);
        Assert.Equal([0, 1, 2, -1, 2, 1, 0], outcome.Trace.Select(step => step.Position));
        var sent = Assert.Single(outcome.Originated!);
        Assert.Equal((outcome.RequestId, 1, "test.verdict", own, NdisStatus.Success), (sent.Parent, sent.Position, sent.Extension, sent.Oid, sent.Status));
        Assert.Equal([(2, TraceDirection.Down), (-1, TraceDirection.Down), (2, TraceDirection.Up)], sent.Trace.Select(step => (step.Position, step.Direction)));
        Assert.Equal(1, await Times("OidCompleted"));
    }

    [Fact]
    public async Task Originated_oid_lets_those_below_originate_their_own()
    {
        await DefineThree(new ExtensionSettings(Originates: OidCode.PortArray), forward: new ExtensionSettings(Originates: OidCode.NicArray));
        var outcome = await CreatePort();
        Assert.Equal(
            [(outcome.RequestId, 0, OidCode.PortArray), ($"{outcome.RequestId}>1", 2, OidCode.NicArray), (outcome.RequestId, 2, OidCode.NicArray)],
            outcome.Originated!.Select(own => (own.Parent, own.Position, own.Oid)));
        Assert.Equal(["1", "2", "3"], outcome.Originated!.Select(own => own.RequestId.Split('>')[1]));
        Assert.Null((await DefinedAgain()).Originated);
    }

    [Theory]
    [InlineData("FEATURE_STATUS_QUERY")]
    [InlineData("NIC_SAVE")]
    [InlineData("NIC_SUSPEND")]
    public async Task What_the_protocol_edge_alone_issues_is_not_originated(string oid)
    {
        await DefineThree(forward: new ExtensionSettings(Originates: OidCode.Parse($"OID_SWITCH_{oid}")));
        var outcome = await CreatePort();
        Assert.Equal(("switch.md 2.0", 2), (Assert.Single(outcome.Faults).Rule, outcome.Faults[0].Position));
        Assert.Null(outcome.Originated);
    }

    [Fact]
    public async Task R17_Forwarder_sends_an_offload_of_its_own_in_place_of_the_one_that_it_filters()
    {
        await Uplink();
        await DefineThree(forward: Answers(OidCode.NicRequest, NdisStatus.Success) with { Originates = OidCode.NicRequest });
        var outcome = await Does(OidCode.NicRequest, 0, parameters: Queue);
        Assert.Empty(outcome.Faults);
        Assert.Equal([0, 1, 2, 1, 0], outcome.Trace.Select(step => step.Position)); // the original ends at the forwarder
        var sent = Assert.Single(outcome.Originated!);
        Assert.Equal((2, OidCode.NicRequest, NdisStatus.Success), (sent.Position, sent.Oid, sent.Status));
        Assert.Equal(-1, Assert.Single(sent.Trace).Position);
    }

    [Fact]
    public async Task R17_Forwarder_that_sends_its_own_offload_and_passes_on_the_original_is_at_fault()
    {
        await Uplink();
        await DefineThree(forward: new ExtensionSettings(Originates: OidCode.NicRequest));
        var outcome = await Does(OidCode.NicRequest, 0, parameters: Queue);
        Assert.Equal("switch.md 2.8", Assert.Single(outcome.Faults).Rule);
        Assert.Single(outcome.Originated!);
    }

    [Fact]
    public async Task Filter_originates_no_offload()
    {
        await Uplink();
        await DefineThree(filter: new ExtensionSettings(Originates: OidCode.NicRequest));
        var outcome = await Does(OidCode.NicRequest, 0, parameters: Queue);
        Assert.Equal("switch.md 1.2", Assert.Single(outcome.Faults).Rule);
        Assert.Null(outcome.Originated);
    }

    [Fact]
    public async Task Offload_is_not_originated_while_another_oid_is_handled()
    {
        await DefineThree(forward: new ExtensionSettings(Originates: OidCode.NicRequest));
        Assert.Equal("switch.md 2.8", Assert.Single((await CreatePort()).Faults).Rule);
    }

    [Fact]
    public async Task O07_Forwarder_indicates_a_status_for_a_nic_that_it_can_reference_and_for_no_other()
    {
        await DefineThree(forward: new ExtensionSettings(Indicates: "NDIS_STATUS_SWITCH_PORT_REMOVE_VF"));
        Assert.False(Sent(await CreatePort()));
        Assert.False(Sent(await CreateNic()));
        Assert.False(Sent(await ConnectNic())); // rights come with the completion
        Assert.True(Sent(await Does(OidCode.NicUpdated, parameters: Nic() with { Mtu = 1400 })));
        var hold = (await Target.Hold("test", P, 0)).Id!;
        Assert.True(Sent(await DisconnectNic()));
        await Target.Release(hold);
        Assert.False(Sent(await Does(OidCode.PortUpdated, parameters: Port())));

        bool Sent(OidOutcome outcome)
        {
            Assert.Empty(outcome.Faults);
            var status = Assert.Single(outcome.Indicated!);
            Assert.Equal((outcome.RequestId, 2, P, 0, "NDIS_STATUS_SWITCH_PORT_REMOVE_VF"), (status.Parent, status.Position, status.PortId, status.NicIndex, status.Status));
            return status.Forwarded;
        }
    }

    [Fact]
    public async Task O07_Status_is_not_forwarded_from_the_receipt_of_the_disconnect_on()
    {
        await DefineThree(forward: new ExtensionSettings(Indicates: "NDIS_STATUS_SWITCH_PORT_REMOVE_VF"));
        await Connected();
        Assert.False(Assert.Single((await DisconnectNic()).Indicated!).Forwarded);
    }

    [Fact]
    public async Task Filter_indicates_no_status()
    {
        await DefineThree(filter: new ExtensionSettings(Indicates: "NDIS_STATUS_SWITCH_PORT_REMOVE_VF"));
        var outcome = await CreatePort();
        Assert.Equal(("switch.md 1.2", 1), (Assert.Single(outcome.Faults).Rule, outcome.Faults[0].Position));
        Assert.Null(outcome.Indicated);
    }

    /// <summary>A queue of the adapter below the external one, on behalf of the VM on P.</summary>
    static NicRequestParameters Queue => new(P, 0, Q, 1, OidCode.ReceiveFilterAllocateQueue);

    async Task Uplink()
    {
        await Target.DefineSwitch();
        await Connected();
        await CreatePort(Q, PortType.External);
        for (var index = 0; index <= 1; index++)
        {
            await Does(OidCode.NicCreate, Q, index, HostNic(NicType.External));
        }
        for (var index = 0; index <= 1; index++)
        {
            await Does(OidCode.NicConnect, Q, index);
        }
    }

    async Task<OidOutcome> DefinedAgain()
    {
        await DefineThree();
        return await CreatePort(Q);
    }
}
