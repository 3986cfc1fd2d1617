using System.Text.Json;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>
/// Reads one port property: its typed value, or the fault that names the field and the rule. What is here is what a
/// validation port checks as well (switch.md 1.3): syntax, range, applicability; whether a host has room is asked of the
/// host alone.
/// </summary>
public static class PropertyValues
{
    const int VersionMax = ushort.MaxValue;
    const int SubnetMin = 4_096;
    const int SubnetMax = 16_777_215;
    const int RoutingNameMax = 127;
    const int RoutingEntriesMax = 4_096;
    const long BitsMin = 64_000;
    const long BitsMax = 100_000_000_000;

    /// <summary>The property in the form in which it is kept: a custom id is a GUID in lower case.</summary>
    public static PropertyParameters Canonical(PropertyParameters property) =>
        property.PropertyType == PropertyType.Custom && Guid.TryParse(property.PropertyId, out var id)
            ? property with { PropertyId = id.ToString("D") }
            : property;

    /// <summary>The typed value of a canonical property, or what is wrong with it; exactly one of the two.</summary>
    public static (PropertyValue? Value, PropertyFault? Fault) Read(PropertyParameters property)
    {
        if (Identity(property) is { } unnamed)
        {
            return (null, unnamed);
        }
        return PayloadSizes.Bytes(property.Value) > PayloadSizes.ValueMax
            ? (null, new PropertyFault(NdisStatus.InvalidLength, "value", "switch.md 2.1", $"value has at most {PayloadSizes.ValueMax} bytes."))
            : property.PropertyType switch
            {
                PropertyType.Vlan => VlanValue.Read(property.Value),
                PropertyType.Security => Security(property.Value),
                PropertyType.Profile => Profile(property.Value),
                PropertyType.Isolation => Isolation(property.Value),
                PropertyType.RoutingDomain => RoutingDomain(property.Value),
                PropertyType.Custom when property.PropertyId == PropertyIds.Acl => AclValue.Read(property.Value),
                PropertyType.Custom when property.PropertyId == PropertyIds.Bandwidth => Bandwidth(property.Value),
                PropertyType.Custom => (new PropertyValue.Custom(), null),
                _ => (null, new PropertyFault(
                    NdisStatus.NotSupported, "propertyType", "switch.md 1.5", $"There is no property of type {property.PropertyType}.")),
            };
    }

    /// <summary>What a property is known by (switch.md 2.5), also where nothing but that counts: DELETE.</summary>
    public static PropertyFault? Identity(PropertyParameters property) =>
        property.PropertyInstanceId.Length == 0
            ? PropertyFault.Wrong("propertyInstanceId", "switch.md 2.5", "propertyInstanceId is needed.")
        : property.PropertyType == PropertyType.Custom && !Guid.TryParse(property.PropertyId, out _)
            ? PropertyFault.Wrong("propertyId", "switch.md 2.1", "propertyId is the GUID of a custom property.")
        : property.PropertyVersion is < 0 or > VersionMax
            ? PropertyFault.Wrong("propertyVersion", "switch.md 1.5", $"propertyVersion is from 0 to {VersionMax}.")
        : null;

    /// <summary>Fields that are not given are false or zero, as in a structure that nobody filled.</summary>
    static (PropertyValue?, PropertyFault?) Security(JsonElement? value)
    {
        if (value is null)
        {
            return (new PropertyValue.Security(false, false, 0, false, 0), null);
        }
        var fields = new ValueFields(value, "value", "switch.md 2.1");
        var security = new PropertyValue.Security(
            fields.Truth("allowMacSpoofing") ?? false,
            fields.Truth("allowIeeePriorityTag") ?? false,
            Subnet(fields, "virtualSubnetId") ?? 0,
            fields.Truth("allowTeaming") ?? false,
            fields.Long("dynamicIpAddressLimit", 0, uint.MaxValue) ?? 0);
        return fields.Done() is { } fault ? (null, fault) : (security, null);
    }

    static (PropertyValue?, PropertyFault?) Profile(JsonElement? value) => value is { ValueKind: JsonValueKind.Object }
        ? (new PropertyValue.Profile(), null)
        : (null, PropertyFault.Wrong("value", "switch.md 2.1", "value is an object; its fields are the vendor's."));

    static (PropertyValue?, PropertyFault?) Isolation(JsonElement? value)
    {
        var fields = new ValueFields(value, "value", "switch.md 2.1");
        var mode = fields.Word("mode",
            ("none", IsolationMode.None), ("nativeVirtualSubnet", IsolationMode.NativeVirtualSubnet),
            ("externalVirtualSubnet", IsolationMode.ExternalVirtualSubnet), ("vlan", IsolationMode.Vlan));
        fields.Require(mode is not null, "mode", "is needed: none, nativeVirtualSubnet, externalVirtualSubnet or vlan");
        var id = mode == IsolationMode.Vlan ? fields.Number("defaultIsolationId", 0, VlanIds.Max) : Subnet(fields, "defaultIsolationId");
        var untagged = fields.Truth("allowUntaggedTraffic") ?? false;
        return fields.Done() is { } fault ? (null, fault) : (new PropertyValue.Isolation(mode!.Value, untagged, id ?? 0), null);
    }

    static (PropertyValue?, PropertyFault?) RoutingDomain(JsonElement? value)
    {
        var fields = new ValueFields(value, "value", "switch.md 2.1");
        var named = Guid.TryParse(fields.Text("routingDomainId", RoutingNameMax), out var id);
        fields.Require(named, "routingDomainId", "is a GUID");
        var name = fields.Text("routingDomainName", RoutingNameMax);
        var count = 0;
        if (fields.Find("isolationEntries") is { } entries)
        {
            fields.Require(entries.ValueKind == JsonValueKind.Array && entries.GetArrayLength() <= RoutingEntriesMax,
                "isolationEntries", $"is an array of at most {RoutingEntriesMax} entries");
            foreach (var entry in fields.Fault is null ? [.. entries.EnumerateArray()] : Array.Empty<JsonElement>())
            {
                if (Entry(new ValueFields(entry, $"value.isolationEntries[{count++}]", "switch.md 2.1")) is { } wrong)
                {
                    return (null, wrong);
                }
            }
        }
        return fields.Done() is { } fault ? (null, fault) : (new PropertyValue.RoutingDomain(id, name, count), null);
    }

    static PropertyFault? Entry(ValueFields fields)
    {
        _ = fields.Text("name", RoutingNameMax);
        var (subnet, vlan) = (Subnet(fields, "virtualSubnetId"), fields.Number("vlanId", VlanIds.Min, VlanIds.Max));
        fields.Require((subnet is null) != (vlan is null), "virtualSubnetId", "or vlanId is needed, not both");
        return fields.Done();
    }

    static (PropertyValue?, PropertyFault?) Bandwidth(JsonElement? value)
    {
        var fields = new ValueFields(value, "value", "switch.md 1.5");
        var policy = new BandwidthPolicy(
            fields.Long("outboundBitsPerSecond", BitsMin, BitsMax), fields.Long("inboundBitsPerSecond", BitsMin, BitsMax));
        fields.Require(
            policy.OutboundBitsPerSecond is not null || policy.InboundBitsPerSecond is not null, "outboundBitsPerSecond", "or inboundBitsPerSecond is needed");
        return fields.Done() is { } fault ? (null, fault) : (new PropertyValue.Bandwidth(policy), null);
    }

    /// <summary>24 significant bits, of which the lowest 4096 numbers are reserved (switch.md 2.1).</summary>
    static int? Subnet(ValueFields fields, string name)
    {
        var id = fields.Number(name, 0, SubnetMax);
        fields.Require(id is null or 0 or >= SubnetMin, name, $"is 0, or from {SubnetMin} to {SubnetMax}");
        return id;
    }
}
