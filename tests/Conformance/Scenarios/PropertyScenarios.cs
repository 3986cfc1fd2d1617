using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Port properties of switch.md 7: V11, V12, V15, V17 to V20, and what of them the data path enforces.</summary>
public abstract class PropertyScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    const string Vendor = "11111111-2222-4333-8444-555555555555";

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task L16_Property_of_a_port_is_enforced_for_its_nic_from_the_start()
    {
        await CreatePort();
        await Does(OidCode.PortPropertyAdd, parameters: Spoofing(true));
        await CreateNic();
        await ConnectNic();
        await IsEnforced(PortPolicy.Default with { AllowMacSpoofing = true }, "Security i1 miniport-edge");
    }

    [Fact]
    public async Task L17_Update_of_a_property_reaches_the_connected_nic()
    {
        await Connected();
        await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        await IsEnforced(PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) }, "Vlan i1 miniport-edge");
        await Does(OidCode.PortPropertyUpdate, parameters: Access(20));
        await IsEnforced(PortPolicy.Default with { Vlan = new VlanPolicy.Access(20) }, "Vlan i1 miniport-edge");
        await Does(OidCode.PortPropertyDelete, parameters: Access(20));
        await IsEnforced(PortPolicy.Default);
    }

    [Fact]
    public async Task L18_Property_sent_before_the_teardown_passes_unread_and_changes_nothing()
    {
        await CreatePort();
        await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortPropertyUpdate, parameters: new PropertyParameters(PropertyType.Vlan, "i1", Value: Json("\"no VLAN\"")));
        await Does(OidCode.PortPropertyDelete, parameters: Access(10));
        Assert.Equal(["Vlan i1 miniport-edge"], (await Target.Port(PortId())).Properties);
    }

    [Fact]
    public async Task V11_Vlan_without_a_forwarder_is_accepted_and_enforced_by_the_edge()
    {
        await Connected();
        var outcome = await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        Assert.Equal(RefusedBy.EdgePosition, outcome.Trace[^1].Position);
        await IsEnforced(PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) }, "Vlan i1 miniport-edge");
    }

    [Fact]
    public async Task V12_Standard_property_that_the_forwarder_does_not_support_fails_and_is_not_there()
    {
        await DefineThree(forward: Answers(OidCode.PortPropertyAdd, NdisStatus.NotSupported));
        await Connected();
        await Refused(NdisStatus.NotSupported, position: 2, OidCode.PortPropertyAdd, Access(10));
        await IsEnforced(PortPolicy.Default);
    }

    [Fact]
    public async Task V15_Property_that_nobody_owns_is_accepted_and_marked_unenforced()
    {
        await Connected();
        await Does(OidCode.PortPropertyAdd, parameters: new PropertyParameters(PropertyType.Custom, "i1", Vendor, 0x0100, Json("{\"level\":\"gold\"}")));
        await Does(OidCode.PortPropertyAdd, parameters: new PropertyParameters(PropertyType.Custom, "acl", PropertyIds.Acl, 0, Json("[{\"direction\":\"inbound\",\"action\":\"deny\"}]")));
        await IsEnforced(PortPolicy.Default, "Custom i1 nobody", "Custom acl nobody");
    }

    [Fact]
    public async Task V17_Update_of_an_unknown_instance_or_version_is_refused_and_the_old_value_kept()
    {
        await Connected();
        await Does(OidCode.PortPropertyAdd, parameters: Access(10, version: 1));
        await Refused(NdisStatus.InvalidParameter, -1, OidCode.PortPropertyUpdate, Access(20, version: 2));
        await Refused(NdisStatus.InvalidParameter, -1, OidCode.PortPropertyUpdate, Access(20, version: 1) with { PropertyInstanceId = "i2" });
        await Refused(NdisStatus.InvalidParameter, -1, OidCode.PortPropertyDelete, Access(20, version: 1) with { PropertyInstanceId = "i2" });
        await IsEnforced(PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) }, "Vlan i1 miniport-edge");
        await Does(OidCode.PortPropertyUpdate, parameters: Access(20, version: 1));
    }

    [Fact]
    public async Task V18_Delete_that_an_extension_refuses_keeps_the_property_with_a_warning()
    {
        await DefineThree(filter: Answers(OidCode.PortPropertyDelete));
        await Connected();
        await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        await Refused(NdisStatus.DataNotAccepted, position: 1, OidCode.PortPropertyDelete, Access(10));
        await IsEnforced(PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) }, "Vlan i1 miniport-edge");
        Assert.Equal(["port.property.delete-refused"], await Target.Alarms(PortId()));
        await Does(OidCode.PortPropertyDelete, parameters: Access(10));
        Assert.Empty(await Target.Alarms(PortId()));
    }

    [Fact]
    public async Task V19_Validation_port_accepts_what_the_host_has_no_room_for_now()
    {
        await CreatePort(validation: true);
        await Target.Plant(DriverVerb.ApplyPolicy, NdisStatus.Resources);
        await Does(OidCode.PortPropertyAdd, parameters: Bandwidth(100_000_000_000));
        await Connected(Q);
        await Refused(NdisStatus.Resources, -1, OidCode.PortPropertyAdd, Bandwidth(100_000_000_000), Q); // the same where it counts
        await Does(OidCode.PortPropertyAdd, Q, parameters: Bandwidth(100_000_000_000));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task V20_Malformed_unfit_or_conflicting_property_is_refused_by_the_edge(bool validation)
    {
        await CreatePort(validation: validation);
        await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        foreach (var (field, property) in Wrong())
        {
            var refused = await Refused(null, -1, OidCode.PortPropertyAdd, property);
            Assert.Equal(field, refused.Field);
            Assert.False(string.IsNullOrEmpty(refused.Rule) || string.IsNullOrEmpty(refused.Detail));
        }
        Assert.Equal(["Vlan i1 miniport-edge"], (await Target.Port(PortId())).Properties);
    }

    static IEnumerable<(string Field, PropertyParameters Property)> Wrong() =>
    [
        ("value", Of(PropertyType.Vlan, "7")), // malformed
        ("value.operationMode", Of(PropertyType.Vlan, "{\"operationMode\":\"qinq\"}")),
        ("value.trunkVlanIds", Of(PropertyType.Vlan, "{\"operationMode\":\"trunk\",\"trunkVlanIds\":\"10-5000\"}")), // out of range
        ("value.virtualSubnetId", Of(PropertyType.Security, "{\"virtualSubnetId\":4095}")),
        ("propertyType", Of(PropertyType.Undefined, "{}")), // inapplicable
        ("propertyId", Of(PropertyType.Custom, "{}")),
        ("propertyInstanceId", Access(11) with { PropertyInstanceId = "i2" }), // conflicting: two VLANs
        ("propertyType", Of(PropertyType.Isolation, "{\"mode\":\"vlan\",\"defaultIsolationId\":7}")), // VLAN twice in two ways
        ("propertyInstanceId", Access(11)), // there, with another value
    ];

    [Fact]
    public async Task Property_that_is_added_again_as_it_is_changes_nothing()
    {
        await Connected();
        await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        await Does(OidCode.PortPropertyAdd, parameters: Access(10));
        await IsEnforced(PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) }, "Vlan i1 miniport-edge");
    }

    [Fact]
    public async Task Enumeration_answers_the_properties_of_the_type_with_version_instance_and_value()
    {
        await CreatePort();
        await Does(OidCode.PortPropertyAdd, parameters: Access(10, version: 0x0100));
        await Does(OidCode.PortPropertyAdd, parameters: Spoofing(true));
        var one = Assert.Single(await Listed(new QueryParameters(PropertyType: PropertyType.Vlan)));
        Assert.Equal((256, "i1", 10), (
            one.GetProperty("propertyVersion").GetInt32(), one.GetProperty("propertyInstanceId").GetString(),
            one.GetProperty("value").GetProperty("accessVlanId").GetInt32()));
        Assert.Equal("miniport-edge", one.GetProperty("enforcedBy").GetString());
        Assert.Equal(2, (await Listed(null)).Length);
        Assert.Empty(await Listed(new QueryParameters(PropertyType: PropertyType.Profile)));

        var small = await Try(OidCode.PortPropertyEnum, parameters: new QueryParameters(Capacity: 60));
        Assert.Equal(NdisStatus.InvalidLength, small.Outcome!.Status);
        Assert.True(small.Outcome.BytesNeeded > 60);

        async Task<JsonElement[]> Listed(QueryParameters? query) =>
            [.. (await Does(OidCode.PortPropertyEnum, parameters: query)).Output!.Value.GetProperty("properties").EnumerateArray()];
    }

    /// <summary>These properties hold, and the host enforces exactly what they come to.</summary>
    async Task IsEnforced(PortPolicy policy, params string[] properties)
    {
        var seen = await Target.Port(PortId());
        Assert.Equal(properties, seen.Properties);
        Assert.Equal((policy.Digest, policy.Digest, true), (seen.Wanted, seen.Observed, seen.Ready));
    }

    /// <param name="status">Null: any but success.</param>
    async Task<RefusedBy> Refused(NdisStatus? status, int position, OidCode oid, PropertyParameters property, uint port = P)
    {
        var verdict = await Try(oid, port, parameters: property);
        Assert.True(verdict.Outcome is { RefusedBy: not null }, $"{property}: {verdict}");
        Assert.NotEqual(NdisStatus.Success, verdict.Outcome.Status);
        Assert.Equal((status ?? verdict.Outcome.Status, position), (verdict.Outcome.Status, verdict.Outcome.RefusedBy.Position));
        return verdict.Outcome.RefusedBy;
    }

    static PropertyParameters Access(int id, int version = 0) => Of(PropertyType.Vlan, $$"""{"operationMode":"access","accessVlanId":{{id}}}""") with { PropertyVersion = version };

    static PropertyParameters Spoofing(bool allow) => Of(PropertyType.Security, allow ? "{\"allowMacSpoofing\":true}" : "{}");

    static PropertyParameters Bandwidth(long bits) =>
        new(PropertyType.Custom, "i1", PropertyIds.Bandwidth, 0, Json($$"""{"outboundBitsPerSecond":{{bits}}}"""));

    static PropertyParameters Of(PropertyType type, string value) => new(type, "i1", Value: Json(value));

    static JsonElement Json(string text) => JsonElement.Parse(text);
}
