using System.Text.Json;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>V20: each value is understood, or refused with the field and the rule.</summary>
public sealed class PropertyValueTests
{
    [Theory]
    [InlineData("""{"operationMode":"access","accessVlanId":1}""", """{"mode":"access","id":1}""")]
    [InlineData("""{"operationMode":"Access","accessVlanId":4094,"nativeVlanId":0}""", """{"mode":"access","id":4094}""")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"10,20-22"}""", """{"mode":"trunk","native":0,"allowed":[{"first":10,"last":10},{"first":20,"last":22}]}""")]
    [InlineData("""{"operationMode":"trunk","nativeVlanId":5,"trunkVlanIds":[10,"11-30"],"pruneVlanIds":"12-29"}""", """{"mode":"trunk","native":5,"allowed":[{"first":10,"last":11},{"first":30,"last":30}]}""")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"1-4094","pruneVlanIds":"1-4094"}""", """{"mode":"trunk","native":0,"allowed":[]}""")]
    [InlineData("""{"operationMode":"private","pvlanMode":"isolated","primaryVlanId":10,"secondaryVlanId":200}""", """{"mode":"private","kind":"isolated","primary":10,"secondaries":[200]}""")]
    [InlineData("""{"operationMode":"private","pvlanMode":"community","primaryVlanId":10,"secondaryVlanIds":"201"}""", """{"mode":"private","kind":"community","primary":10,"secondaries":[201]}""")]
    [InlineData("""{"operationMode":"private","pvlanMode":"promiscuous","primaryVlanId":10,"secondaryVlanIds":[200,201]}""", """{"mode":"private","kind":"promiscuous","primary":10,"secondaries":[200,201]}""")]
    public void Vlan_is_understood(string value, string policy)
    {
        var (read, fault) = PropertyValues.Read(Of(PropertyType.Vlan, value));
        Assert.Null(fault);
        Assert.Equal(policy, JsonSerializer.Serialize(((PropertyValue.Vlan)read!).Policy, WordsJson.Default.VlanPolicy));
    }

    [Theory]
    [InlineData(null, "value")]
    [InlineData("7", "value")]
    [InlineData("{}", "value.operationMode")]
    [InlineData("""{"operationMode":"qinq"}""", "value.operationMode")]
    [InlineData("""{"operationMode":"access"}""", "value.accessVlanId")]
    [InlineData("""{"operationMode":"access","accessVlanId":0}""", "value.accessVlanId")]
    [InlineData("""{"operationMode":"access","accessVlanId":4095}""", "value.accessVlanId")]
    [InlineData("""{"operationMode":"access","accessVlanId":"10"}""", "value.accessVlanId")]
    [InlineData("""{"operationMode":"access","accessVlanId":10,"primaryVlanId":10}""", "value.primaryVlanId")]
    [InlineData("""{"operationMode":"access","accessVlanId":10,"color":"red"}""", "value.color")]
    [InlineData("""{"operationMode":"trunk"}""", "value.trunkVlanIds")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"10-5000"}""", "value.trunkVlanIds")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"20-10"}""", "value.trunkVlanIds")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"1-2-3"}""", "value.trunkVlanIds")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":[true]}""", "value.trunkVlanIds")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"1","pruneVlanIds":"0"}""", "value.pruneVlanIds")]
    [InlineData("""{"operationMode":"trunk","trunkVlanIds":"1","nativeVlanId":4095}""", "value.nativeVlanId")]
    [InlineData("""{"operationMode":"private","primaryVlanId":10,"secondaryVlanId":20}""", "value.pvlanMode")]
    [InlineData("""{"operationMode":"private","pvlanMode":"isolated","secondaryVlanId":20}""", "value.primaryVlanId")]
    [InlineData("""{"operationMode":"private","pvlanMode":"isolated","primaryVlanId":10}""", "value.secondaryVlanId")]
    [InlineData("""{"operationMode":"private","pvlanMode":"isolated","primaryVlanId":10,"secondaryVlanIds":"20-21"}""", "value.secondaryVlanIds")]
    [InlineData("""{"operationMode":"private","pvlanMode":"promiscuous","primaryVlanId":10}""", "value.secondaryVlanIds")]
    [InlineData("""{"operationMode":"private","pvlanMode":"promiscuous","primaryVlanId":10,"secondaryVlanIds":"9-11"}""", "value.primaryVlanId")]
    public void Vlan_is_refused_with_its_field(string? value, string field) => Refused(Of(PropertyType.Vlan, value), field, NdisStatus.InvalidParameter);

    [Theory]
    [InlineData(PropertyType.Security, """{"allowMacSpoofing":1}""", "value.allowMacSpoofing")]
    [InlineData(PropertyType.Security, """{"virtualSubnetId":4095}""", "value.virtualSubnetId")]
    [InlineData(PropertyType.Security, """{"virtualSubnetId":16777216}""", "value.virtualSubnetId")]
    [InlineData(PropertyType.Security, """{"dynamicIpAddressLimit":-1}""", "value.dynamicIpAddressLimit")]
    [InlineData(PropertyType.Security, """{"portIsolation":true}""", "value.portIsolation")]
    [InlineData(PropertyType.Profile, "\"gold\"", "value")]
    [InlineData(PropertyType.Isolation, "{}", "value.mode")]
    [InlineData(PropertyType.Isolation, """{"mode":"vlan","defaultIsolationId":4095}""", "value.defaultIsolationId")]
    [InlineData(PropertyType.Isolation, """{"mode":"nativeVirtualSubnet","defaultIsolationId":7}""", "value.defaultIsolationId")]
    [InlineData(PropertyType.RoutingDomain, """{"routingDomainName":"x"}""", "value.routingDomainId")]
    [InlineData(PropertyType.RoutingDomain, """{"routingDomainId":"6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b09","isolationEntries":[{}]}""", "value.isolationEntries[0].virtualSubnetId")]
    public void Standard_value_is_refused_with_its_field(PropertyType type, string value, string field) =>
        Refused(Of(type, value), field, NdisStatus.InvalidParameter);

    [Theory]
    [InlineData(PropertyType.Security, null)]
    [InlineData(PropertyType.Security, """{"allowMacSpoofing":true,"virtualSubnetId":16777215,"allowTeaming":true,"allowIeeePriorityTag":false,"dynamicIpAddressLimit":4294967295}""")]
    [InlineData(PropertyType.Profile, """{"profileName":"gold","anything":[1]}""")]
    [InlineData(PropertyType.Isolation, """{"mode":"vlan","defaultIsolationId":7,"allowUntaggedTraffic":true}""")]
    [InlineData(PropertyType.Isolation, """{"mode":"externalVirtualSubnet","defaultIsolationId":4096}""")]
    [InlineData(PropertyType.RoutingDomain, """{"routingDomainId":"6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b09","routingDomainName":"red","isolationEntries":[{"virtualSubnetId":5000},{"vlanId":7,"name":"x"}]}""")]
    public void Standard_value_is_understood(PropertyType type, string? value) => Assert.NotNull(PropertyValues.Read(Of(type, value)).Value);

    [Theory]
    [InlineData("""{"rules":[]}""", 0)]
    [InlineData("""[{"direction":"inbound","action":"deny"}]""", 1)]
    [InlineData("""{"rules":[{"direction":"outbound","action":"allow","remote":"00-15-5D-01-02-03"},{"direction":"inbound","action":"deny","remote":"2001:db8::/32","protocol":6,"localPort":22}]}""", 2)]
    public void Access_list_is_understood(string value, int rules)
    {
        var acl = (PropertyValue.Acl)PropertyValues.Read(Of(PropertyType.Custom, value, PropertyIds.Acl)).Value!;
        Assert.Equal(rules, acl.Rules.Count);
        Assert.All(acl.Rules, rule => Assert.Equal(rule.Remote?.ToLowerInvariant(), rule.Remote));
    }

    [Theory]
    [InlineData("""{"rules":[{"action":"deny"}]}""", "value.rules[0].direction")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"drop"}]}""", "value.rules[0].action")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny","remote":"10.0.0.1/8"}]}""", "value.rules[0].remote")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny","remote":"10.0.0.0/33"}]}""", "value.rules[0].remote")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny","remote":"10"}]}""", "value.rules[0].remote")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny","remote":"example.org"}]}""", "value.rules[0].remote")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny"},{"direction":"inbound","action":"deny","localPort":22}]}""", "value.rules[1].protocol")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny","protocol":1,"remotePort":22}]}""", "value.rules[0].protocol")]
    [InlineData("""{"rules":[{"direction":"inbound","action":"deny","protocol":6,"remotePort":0}]}""", "value.rules[0].remotePort")]
    [InlineData("""{"rules":7}""", "value.rules")]
    [InlineData("""{"rules":[],"more":1}""", "value.more")]
    public void Access_list_is_refused_with_its_field(string value, string field) =>
        Refused(Of(PropertyType.Custom, value, PropertyIds.Acl), field, NdisStatus.InvalidParameter);

    [Theory]
    [InlineData("{}", "value.outboundBitsPerSecond")]
    [InlineData("""{"outboundBitsPerSecond":63999}""", "value.outboundBitsPerSecond")]
    [InlineData("""{"inboundBitsPerSecond":100000000001}""", "value.inboundBitsPerSecond")]
    public void Bandwidth_is_refused_with_its_field(string value, string field) =>
        Refused(Of(PropertyType.Custom, value, PropertyIds.Bandwidth), field, NdisStatus.InvalidParameter);

    [Fact]
    public void Property_is_known_by_a_type_an_instance_and_a_guid_where_it_is_custom()
    {
        Refused(Of(PropertyType.Undefined, "{}"), "propertyType", NdisStatus.NotSupported);
        Refused(Of(PropertyType.Security, null) with { PropertyInstanceId = "" }, "propertyInstanceId", NdisStatus.InvalidParameter);
        Refused(Of(PropertyType.Custom, "1"), "propertyId", NdisStatus.InvalidParameter);
        Refused(Of(PropertyType.Custom, "1", "gold"), "propertyId", NdisStatus.InvalidParameter);
        Refused(Of(PropertyType.Security, null) with { PropertyVersion = 65_536 }, "propertyVersion", NdisStatus.InvalidParameter);
    }

    [Fact]
    public void Value_of_a_vendor_is_anything_up_to_a_bound()
    {
        const string vendor = "6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b99";
        Assert.Null(PropertyValues.Read(Of(PropertyType.Custom, "[1,{\"a\":null}]", vendor)).Fault);
        Assert.Null(PropertyValues.Read(Of(PropertyType.Custom, null, vendor)).Fault);
        var text = new string('x', PayloadSizes.ValueMax);
        Assert.Null(PropertyValues.Read(Of(PropertyType.Custom, $"\"{text[2..]}\"", vendor)).Fault);
        Refused(Of(PropertyType.Custom, $"\"{text}\"", vendor), "value", NdisStatus.InvalidLength);
    }

    [Theory]
    [InlineData(PropertyType.Vlan, null, PropertyType.Vlan, null, true)]
    [InlineData(PropertyType.Security, null, PropertyType.Security, null, true)]
    [InlineData(PropertyType.Vlan, null, PropertyType.Isolation, null, true)]
    [InlineData(PropertyType.Isolation, null, PropertyType.Vlan, null, true)]
    [InlineData(PropertyType.Custom, PropertyIds.Acl, PropertyType.Custom, PropertyIds.Acl, true)]
    [InlineData(PropertyType.Custom, PropertyIds.Acl, PropertyType.Custom, PropertyIds.Bandwidth, false)]
    [InlineData(PropertyType.RoutingDomain, null, PropertyType.RoutingDomain, null, false)]
    [InlineData(PropertyType.Security, null, PropertyType.Vlan, null, false)]
    public void Properties_that_contradict_each_other_are_a_conflict(
        PropertyType first, string? firstId, PropertyType second, string? secondId, bool conflict)
    {
        var there = new PortProperty(Of(first, """{"mode":"vlan"}""", firstId), null);
        var fault = PortPolicies.Conflict(Of(second, """{"mode":"vlan"}""", secondId) with { PropertyInstanceId = "i2" }, [there]);
        Assert.Equal(conflict ? NdisStatus.DataNotAccepted : null, fault?.Status);
    }

    static void Refused(PropertyParameters property, string field, NdisStatus status)
    {
        var (value, fault) = PropertyValues.Read(property);
        Assert.Null(value);
        Assert.Equal((field, status), (fault!.Field, fault.Status));
        Assert.False(string.IsNullOrEmpty(fault.Rule));
        Assert.Contains(field, fault.Detail + field, StringComparison.Ordinal);
    }

    static PropertyParameters Of(PropertyType type, string? value, string? id = null) =>
        new(type, "i1", id, 0, value is null ? null : JsonElement.Parse(value));
}
