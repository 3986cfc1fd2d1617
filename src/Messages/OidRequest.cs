using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>Port types of the header (switch.md 1.3).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PortType>))]
public enum PortType
{
    Generic = 0,
    External = 1,
    Synthetic = 2,
    Emulated = 3,
    Internal = 4,
}

/// <summary>NIC types of the header (switch.md 1.4); the numbers are not those of <see cref="PortType"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NicType>))]
public enum NicType
{
    External = 0,
    Synthetic = 1,
    Emulated = 2,
    Internal = 3,
}

/// <summary>Payload of an OID, by kind. Fields are those of switch.md 2.1.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(PortParameters), "port")]
[JsonDerivedType(typeof(NicParameters), "nic")]
[JsonDerivedType(typeof(PropertyParameters), "property")]
[JsonDerivedType(typeof(NicRequestParameters), "request")]
[JsonDerivedType(typeof(QueryParameters), "query")]
[JsonDerivedType(typeof(FeatureStatusParameters), "feature-status")]
[JsonDerivedType(typeof(NicSaveParameters), "save")]
[JsonDerivedType(typeof(NicRestoreParameters), "restore")]
public abstract record OidParameters
{
    private protected OidParameters()
    {
    }
}

/// <summary>SWITCH_PORT_PARAMETERS: PORT_CREATE and PORT_UPDATED.</summary>
public sealed record PortParameters(
    string PortName,
    string? PortFriendlyName = null,
    PortType PortType = PortType.Synthetic,
    bool IsValidationPort = false,
    IReadOnlyList<string>? Flags = null) : OidParameters
{
    /// <summary>The flag of a port whose NIC has saved state still to be restored (switch.md 1.3, 0x2).</summary>
    public const string RestoringPort = "RestoringPort";

    [JsonIgnore]
    public bool Restoring => Flags?.Contains(RestoringPort) == true;
}

/// <summary>SWITCH_NIC_PARAMETERS: NIC_CREATE, NIC_CONNECT and NIC_UPDATED. Null means: not given, keep.</summary>
/// <param name="Attach">Ours: how the device meets its guest.</param>
/// <param name="Epoch">Ours: the grant epoch that a VM's start gives; 0 lets the NIC raise its own.</param>
public sealed record NicParameters(
    string NicName,
    NicType NicType = NicType.Synthetic,
    string? VmName = null,
    string? NicFriendlyName = null,
    string? VmFriendlyName = null,
    string? NetCfgInstanceId = null,
    int? Mtu = null,
    int? NumaNodeId = null,
    string? PermanentMacAddress = null,
    string? VmMacAddress = null,
    string? CurrentMacAddress = null,
    bool? VfAssigned = null,
    IReadOnlyList<string>? Flags = null,
    NicAttach Attach = NicAttach.Veth,
    long Epoch = 0) : OidParameters;

/// <summary>Kinds of property (switch.md 1.5).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PropertyType>))]
public enum PropertyType
{
    Undefined = 0,
    Custom = 1,
    Security = 2,
    Vlan = 3,
    Profile = 4,
    Isolation = 5,
    RoutingDomain = 6,
}

/// <summary>SWITCH_PORT_PROPERTY_PARAMETERS. Identity is (port, type, id if custom, instance); the version is an attribute.</summary>
public sealed record PropertyParameters(
    PropertyType PropertyType,
    string PropertyInstanceId,
    string? PropertyId = null,
    int PropertyVersion = 0,
    JsonElement? Value = null) : OidParameters
{
    /// <summary>What makes two properties of a port the same one (switch.md 2.5).</summary>
    [JsonIgnore]
    public string Key => $"{PropertyType}/{(PropertyType == PropertyType.Custom ? PropertyId : null)}/{PropertyInstanceId}";
}

/// <summary>SWITCH_NIC_OID_REQUEST: an OID for an adapter, wrapped. Port 0 as source: not on behalf of a VM; as destination: for the extensions.</summary>
public sealed record NicRequestParameters(
    uint SourcePortId, int SourceNicIndex, uint DestinationPortId, int DestinationNicIndex, OidCode InnerOid) : OidParameters;

/// <summary>One OID at the door of a switch.</summary>
/// <param name="RequestId">Names the request; the same again gives the recorded answer (switch.md 9.3.6).</param>
/// <param name="PortId">0 in a PORT_CREATE of ours lets the switch choose a free id.</param>
public sealed record OidRequest(string RequestId, OidCode Oid, uint PortId, int NicIndex = 0, OidParameters? Parameters = null)
{
    /// <summary>Ours: names the port where the sender does not know its PortId yet (the sequences of a VM).</summary>
    public string? PortName { get; init; }
}

/// <summary>Which way an OID passes an extension (switch.md 2.3): down as a request, up as a completion.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TraceDirection>))]
public enum TraceDirection
{
    Down,
    Up,
}

/// <summary>One passage of an OID at one position of the stack; position -1 is the miniport edge.</summary>
public sealed record TraceStep(int Position, string Extension, TraceDirection Direction, NdisStatus Status);

/// <summary>Who refused: position -1 and "miniport edge" for the data path itself.</summary>
/// <param name="Field">The field that is wrong, where the edge refused a value.</param>
/// <param name="Rule">Where switch.md says so.</param>
/// <param name="Detail">One sentence for a person.</param>
public sealed record RefusedBy(
    int Position, string Extension, NdisStatus Status, string? Field = null, string? Rule = null, string? Detail = null)
{
    /// <summary>The data path's own refusal.</summary>
    public static RefusedBy Edge(NdisStatus status, string? detail = null) => new(EdgePosition, EdgeName, status, Detail: detail);

    public const int EdgePosition = -1;
    public const string EdgeName = "miniport-edge";
}

/// <summary>An extension broke its contract; the OID went on as the rule says.</summary>
public sealed record ExtensionFault(int Position, string Extension, string Rule, string Detail);

/// <summary>The outcome of an OID, as the OID entry answers it (api.md 4).</summary>
public sealed record OidOutcome(
    string RequestId,
    OidCode Oid,
    NdisStatus Status,
    uint PortId,
    int NicIndex,
    RefusedBy? RefusedBy,
    IReadOnlyList<ExtensionFault> Faults,
    IReadOnlyList<TraceStep> Trace,
    string PortState,
    string NicState,
    JsonElement? Output = null) : Reply
{
    /// <summary>Bytes of a query's output that the record keeps; a larger one is said once, to whoever waits for it.</summary>
    public const int OutputKeptMax = 4 * 1024;

    /// <summary>The buffer was too small: so many bytes are needed (switch.md 2.2). Null for all other statuses.</summary>
    public int? BytesNeeded { get; init; }

    /// <summary>For an OID about the external adapter: traffic can leave the switch (switch.md 3.4 G7). Null for all others.</summary>
    public bool? UplinkUsable { get; init; }

    /// <summary>OIDs that extensions sent down themselves while this one passed them; null: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OriginatedOid>? Originated { get; init; }

    /// <summary>Statuses that extensions indicated while this one passed them; null: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OriginatedStatus>? Indicated { get; init; }

    /// <summary>The answer had an output of so many bytes, which was given when it was asked for and is not kept. Null for all others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? OutputNotKept { get; init; }

    /// <summary>
    /// The output of a query beyond <see cref="OutputKeptMax"/> is left out of the event and of the recorded answer. The
    /// same request id again is answered from the record and stores nothing (api.md 4, switch.md 9.3.6): it learns that
    /// the output is no longer held. As a query changes nothing, whoever still needs it asks under another id.
    /// </summary>
    public override Reply AsRecorded() => Recorded();

    /// <inheritdoc cref="AsRecorded"/>
    public OidOutcome Recorded() =>
        Oid.Query && Output is { } output && JsonMarshal.GetRawUtf8Value(output).Length is var bytes and > OutputKeptMax
            ? this with { Output = null, OutputNotKept = bytes }
            : this;
}
