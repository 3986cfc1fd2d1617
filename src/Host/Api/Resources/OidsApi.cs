using System.Text.Json;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>The OID entry: being the protocol edge (api.md 4).</summary>
static class OidsApi
{
    const int RequestIdMax = 128;

    public static void Map(RouteGroupBuilder v1) => v1.MapPost("/hosts/{host}/switches/{name}/oids", Send)
        .Accepts<object>("application/json").Produces<OidDocument>().WithSummary("Sends one OID down the switch's stack");

    static async Task<IResult> Send(HttpContext http, string host, string name, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var requestId = body.Text("requestId", RequestIdMax);
        if (requestId.Length == 0 || requestId.Any(c => c is <= ' ' or > '~'))
        {
            throw body.Wrong("oid.requestId", "requestId is 1 to 128 printable characters of ASCII.", "requestId");
        }
        var oid = OidCode.Parse(body.Text("oid", RequestIdMax))
            ?? throw body.Wrong("oid.unknown", "oid is a name of the table, or 0x and eight digits.", "oid");
        var portId = (uint)(body.NumberOrNull("portId", 0, uint.MaxValue) ?? 0);
        var nicIndex = (int)(body.NumberOrNull("nicIndex", 0, ushort.MaxValue) ?? 0);
        var parameters = OidParametersBody.Read(oid, body);
        body.Done();
        var key = new RequestKey($"{RequestIds.Oid}{host}/{name}:{requestId}", requestId, RequestKey.Hash(http, body));
        var answer = await door.Change(http, query, id, new SubmitOid(new OidRequest(requestId, oid, portId, nicIndex, parameters), FromPeer: true), key);
        return answer.Early(query) ?? (answer.Reply is OidOutcome outcome
            ? Replies.Json(Render.Oid(outcome, answer.Sequence))
            : Problem.Of(new Refusal(RefusalKind.Defect, "oid.answer", "The switch answered with another word.")).Result());
    }
}

/// <summary>Reads <c>parameters</c> by the OID that they are for.</summary>
static class OidParametersBody
{
    const int FlagsMax = 32;
    const int TextMax = 256;
    public const int VlanMin = 1;
    public const int VlanMax = 4_094;

    public static OidParameters? Read(OidCode oid, Body body)
    {
        if (oid == OidCode.PortCreate || oid == OidCode.PortUpdated)
        {
            return body.ObjectOrNull("parameters") is { } port ? Port(port) : null;
        }
        if (oid == OidCode.NicCreate || oid == OidCode.NicConnect || oid == OidCode.NicUpdated)
        {
            return body.ObjectOrNull("parameters") is { } nic ? Nic(nic) : null;
        }
        if (oid == OidCode.PortPropertyAdd || oid == OidCode.PortPropertyUpdate || oid == OidCode.PortPropertyDelete
            || oid == OidCode.PortPropertyEnum || oid == OidCode.PropertyAdd || oid == OidCode.PropertyUpdate || oid == OidCode.PropertyDelete)
        {
            return body.ObjectOrNull("parameters") is { } property ? Property(property) : null;
        }
        if (oid == OidCode.NicRequest)
        {
            return body.ObjectOrNull("parameters") is { } request ? Request(request) : null;
        }
        // Opaque: an object or nothing. What is not understood is observed and forwarded (switch.md 5.1).
        _ = body.ObjectOrNull("parameters");
        return null;
    }

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
        var type = body.ChoiceOrNull("propertyType",
            ("Undefined", PropertyType.Undefined), ("Custom", PropertyType.Custom), ("Security", PropertyType.Security), ("Vlan", PropertyType.Vlan),
            ("Profile", PropertyType.Profile), ("Isolation", PropertyType.Isolation), ("RoutingDomain", PropertyType.RoutingDomain))
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
