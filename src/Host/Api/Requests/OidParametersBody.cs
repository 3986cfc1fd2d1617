using System.Text.Json;
using ControlPlane.Actors.Switches;
using ControlPlane.Host.Api.Resources;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Requests;

/// <summary>Reads <c>parameters</c> by the OID that they are for.</summary>
static class OidParametersBody
{
    static readonly OidCode[] Properties =
    [
        OidCode.PortPropertyAdd, OidCode.PortPropertyUpdate, OidCode.PortPropertyDelete, OidCode.PropertyAdd, OidCode.PropertyUpdate, OidCode.PropertyDelete,
    ];

    static readonly OidCode[] Queries = [OidCode.Parameters, OidCode.PortArray, OidCode.NicArray, OidCode.PropertyEnum, OidCode.PortPropertyEnum];

    static readonly (string, PropertyType)[] PropertyTypes =
    [
        ("Undefined", PropertyType.Undefined), ("Custom", PropertyType.Custom), ("Security", PropertyType.Security), ("Vlan", PropertyType.Vlan),
        ("Profile", PropertyType.Profile), ("Isolation", PropertyType.Isolation), ("RoutingDomain", PropertyType.RoutingDomain),
    ];

    /// <summary>Characters of a blob in base64.</summary>
    const int DataMax = (PayloadSizes.BlobMax + 2) / 3 * 4;

    const int FlagsMax = 32;
    const int TextMax = 256;
    public const int VlanMin = 1;
    public const int VlanMax = 4_094;

    /// <summary>The parameters, and what the peer's structure said of itself; both may be absent.</summary>
    public static (OidParameters? Parameters, PayloadHeader? Header) Read(OidCode oid, Body body)
    {
        if (body.ObjectOrNull("parameters") is not { } given)
        {
            return (null, null);
        }
        var (revision, size) = ((int?)given.NumberOrNull("revision", 0, byte.MaxValue), (int?)given.NumberOrNull("size", 0, int.MaxValue));
        return (Of(oid, given), revision is null && size is null ? null : new PayloadHeader(revision, size));
    }

    static OidParameters? Of(OidCode oid, Body given)
    {
        return oid == OidCode.PortCreate || oid == OidCode.PortUpdated ? Port(given)
            : oid == OidCode.NicCreate || oid == OidCode.NicConnect || oid == OidCode.NicUpdated ? Nic(given)
            : Properties.Contains(oid) ? Property(given)
            : oid == OidCode.NicRequest ? Request(given)
            : Queries.Contains(oid) ? Asked(given)
            : oid == OidCode.FeatureStatusQuery || oid == OidCode.PortFeatureStatusQuery ? Feature(given)
            : oid == OidCode.NicSave ? Save(given)
            : oid == OidCode.NicRestore ? Restore(given)
            : null; // opaque: what is not understood is observed and forwarded (switch.md 5.1)
    }

    static QueryParameters Asked(Body body)
    {
        var parameters = new QueryParameters(Capacity(body), body.ChoiceOrNull("propertyType", PropertyTypes), body.PeerNameOrNull("propertyId"));
        body.Done();
        return parameters;
    }

    static FeatureStatusParameters Feature(Body body)
    {
        var parameters = new FeatureStatusParameters(
            body.PeerNameOrNull("featureStatusId") ?? throw body.Missing("featureStatusId"), body.PeerNameOrNull("featureStatusInstanceId"), Capacity(body));
        body.Done();
        return parameters;
    }

    static NicSaveParameters Save(Body body)
    {
        var parameters = new NicSaveParameters(Capacity(body));
        body.Done();
        return parameters;
    }

    static NicRestoreParameters Restore(Body body)
    {
        var blob = Blob(body);
        return new NicRestoreParameters(blob.ExtensionId, blob.Data, blob.ExtensionFriendlyName, blob.FeatureClassId);
    }

    /// <summary>What an extension had saved.</summary>
    public static NicBlob Blob(Body body)
    {
        var data = body.Text("data", DataMax);
        if (!Convert.TryFromBase64String(data, new byte[data.Length], out _))
        {
            throw body.Wrong("restore.data", "data is base64.", "data");
        }
        var blob = new NicBlob(
            body.PeerNameOrNull("extensionId") is { Length: > 0 } id ? id : throw body.Missing("extensionId"),
            body.TextOrNull("extensionFriendlyName", TextMax) ?? "", data, body.PeerNameOrNull("featureClassId"));
        // A save's answer may come back as it was given.
        _ = (body.NumberOrNull("saveDataSize", 0, int.MaxValue), body.NumberOrNull("saveDataOffset", 0, int.MaxValue));
        body.Done();
        return blob;
    }

    static int? Capacity(Body body) => (int?)body.NumberOrNull("capacity", 0, int.MaxValue);

    static PortParameters Port(Body body)
    {
        var parameters = new PortParameters(
            body.PeerNameOrNull("portName") ?? "",
            body.TextOrNull("portFriendlyName", TextMax),
            body.ChoiceOrNull("portType",
                ("Generic", PortType.Generic), ("External", PortType.External), ("Synthetic", PortType.Synthetic),
                ("Emulated", PortType.Emulated), ("Internal", PortType.Internal)) ?? PortType.Synthetic,
            body.TruthOrNull("isValidationPort") ?? false,
            body.TextsOrNull("flags", FlagsMax, TextMax));
        body.Done();
        return parameters;
    }

    static NicParameters Nic(Body body)
    {
        var parameters = new NicParameters(
            body.PeerNameOrNull("nicName") ?? "",
            body.ChoiceOrNull("nicType",
                ("External", NicType.External), ("Synthetic", NicType.Synthetic), ("Emulated", NicType.Emulated), ("Internal", NicType.Internal))
                ?? NicType.Synthetic,
            body.PeerNameOrNull("vmName"),
            body.TextOrNull("nicFriendlyName", TextMax),
            body.TextOrNull("vmFriendlyName", TextMax),
            body.TextOrNull("netCfgInstanceId", TextMax),
            (int?)body.NumberOrNull("mtu", VmBody.MtuMin, VmBody.MtuMax),
            (int?)body.NumberOrNull("numaNodeId", 0, ushort.MaxValue),
            Mac(body, "permanentMacAddress"), Mac(body, "vmMacAddress"), Mac(body, "currentMacAddress"),
            body.TruthOrNull("vfAssigned"),
            body.TextsOrNull("flags", FlagsMax, TextMax));
        body.Done();
        return parameters;
    }

    static NicRequestParameters Request(Body body)
    {
        var parameters = new NicRequestParameters(
            (uint)(body.NumberOrNull("sourcePortId", 0, uint.MaxValue) ?? 0), (int)(body.NumberOrNull("sourceNicIndex", 0, ushort.MaxValue) ?? 0),
            (uint)(body.NumberOrNull("destinationPortId", 0, uint.MaxValue) ?? 0), (int)(body.NumberOrNull("destinationNicIndex", 0, ushort.MaxValue) ?? 0),
            OidCode.Parse(body.Text("innerOid", TextMax))
                ?? throw body.Wrong("oid.unknown", "innerOid is a name of the table, or 0x and eight digits.", "innerOid"));
        body.Done();
        return parameters;
    }

    /// <summary>A property of a VM's NIC: which instance it is matters only where there are several, so that it may be left out.</summary>
    public static PropertyParameters PropertyOfNic(Body body)
    {
        var property = Property(body);
        return property.PropertyInstanceId.Length > 0 ? property : property with { PropertyInstanceId = "1" };
    }

    /// <summary>What a value may be is the port's to say (V20); here only what no VLAN id can be.</summary>
    static PropertyParameters Property(Body body)
    {
        var type = body.ChoiceOrNull("propertyType", PropertyTypes)
            ?? throw body.Missing("propertyType");
        var value = body.AnyOrNull("value");
        if (type == PropertyType.Vlan && value is { ValueKind: JsonValueKind.Object } vlan)
        {
            CheckVlan(body, vlan);
        }
        var parameters = new PropertyParameters(
            type, body.PeerNameOrNull("propertyInstanceId") ?? "", body.PeerNameOrNull("propertyId"),
            (int)(body.NumberOrNull("propertyVersion", 0, int.MaxValue) ?? 0), value);
        body.Done();
        return parameters;
    }

    /// <summary>Every number of a field that names VLANs, alone or in a list (reliability.md 11.1 B38). Only the native VLAN may be none.</summary>
    static void CheckVlan(Body body, JsonElement vlan)
    {
        foreach (var field in vlan.EnumerateObject().Where(field => field.Name.Contains("vlan", StringComparison.OrdinalIgnoreCase)))
        {
            var min = field.Name == "nativeVlanId" ? 0 : VlanMin;
            var numbers = field.Value.ValueKind == JsonValueKind.Array ? [.. field.Value.EnumerateArray()] : new[] { field.Value };
            if (numbers.Length > VlanMax)
            {
                throw body.Wrong("field.many", $"{field.Name} has at most {VlanMax} items.", $"value.{field.Name}");
            }
            if (numbers.Any(id => id.ValueKind == JsonValueKind.Number && !(id.TryGetInt32(out var number) && number >= min && number <= VlanMax)))
            {
                throw body.Wrong("field.range", $"{field.Name} is from {min} to {VlanMax}.", $"value.{field.Name}");
            }
        }
    }

    static string? Mac(Body body, string field) => body.TextOrNull(field, 64) is { } text ? VmBody.Mac(body, field, text) : null;
}
