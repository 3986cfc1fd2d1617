using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>
/// An NDIS object identifier of the extensible switch: switch.md 2.0 gives names, values and kinds. Codes that are not
/// in the table are carried as they are: they are observed and forwarded (switch.md 5.1).
/// </summary>
[JsonConverter(typeof(OidCodeJson))]
public readonly record struct OidCode(uint Value)
{
    public static readonly OidCode PropertyAdd = new(0x00010263);
    public static readonly OidCode PropertyUpdate = new(0x00010264);
    public static readonly OidCode PropertyDelete = new(0x00010265);
    public static readonly OidCode PropertyEnum = new(0x00010266);
    public static readonly OidCode FeatureStatusQuery = new(0x00010267);
    public static readonly OidCode NicRequest = new(0x00010270);
    public static readonly OidCode PortPropertyAdd = new(0x00010271);
    public static readonly OidCode PortPropertyUpdate = new(0x00010272);
    public static readonly OidCode PortPropertyDelete = new(0x00010273);
    public static readonly OidCode PortPropertyEnum = new(0x00010274);
    public static readonly OidCode Parameters = new(0x00010275);
    public static readonly OidCode PortArray = new(0x00010276);
    public static readonly OidCode NicArray = new(0x00010277);
    public static readonly OidCode PortCreate = new(0x00010278);
    public static readonly OidCode PortDelete = new(0x00010279);
    public static readonly OidCode NicCreate = new(0x0001027A);
    public static readonly OidCode NicConnect = new(0x0001027B);
    public static readonly OidCode NicDisconnect = new(0x0001027C);
    public static readonly OidCode NicDelete = new(0x0001027D);
    public static readonly OidCode PortFeatureStatusQuery = new(0x0001027E);
    public static readonly OidCode PortTeardown = new(0x0001027F);
    public static readonly OidCode NicSave = new(0x00010290);
    public static readonly OidCode NicSaveComplete = new(0x00010291);
    public static readonly OidCode NicRestore = new(0x00010292);
    public static readonly OidCode NicRestoreComplete = new(0x00010293);
    public static readonly OidCode NicUpdated = new(0x00010294);
    public static readonly OidCode PortUpdated = new(0x00010295);
    public static readonly OidCode NicDirectRequest = new(0x00010296);
    public static readonly OidCode NicSuspend = new(0x00010297);
    public static readonly OidCode NicResume = new(0x00010298);
    public static readonly OidCode NicSuspendedLmSourceStarted = new(0x00010299);
    public static readonly OidCode NicSuspendedLmSourceFinished = new(0x0001029A);

    // Hardware offload OIDs that NIC_REQUEST carries and that are told apart (switch.md 2.8). They are no switch OIDs.
    public static readonly OidCode ReceiveFilterAllocateQueue = new(0x00010223);
    public static readonly OidCode ReceiveFilterFreeQueue = new(0x00010224);
    public static readonly OidCode ReceiveFilterSetFilter = new(0x00010227);
    public static readonly OidCode ReceiveFilterClearFilter = new(0x00010228);
    public static readonly OidCode NicSwitchCreateVport = new(0x00010241);
    public static readonly OidCode NicSwitchDeleteVport = new(0x00010244);
    public static readonly OidCode NicSwitchAllocateVf = new(0x00010245);
    public static readonly OidCode NicSwitchFreeVf = new(0x00010246);

    static readonly FrozenDictionary<uint, string> Names = new Dictionary<uint, string>
    {
        [PropertyAdd.Value] = "OID_SWITCH_PROPERTY_ADD",
        [PropertyUpdate.Value] = "OID_SWITCH_PROPERTY_UPDATE",
        [PropertyDelete.Value] = "OID_SWITCH_PROPERTY_DELETE",
        [PropertyEnum.Value] = "OID_SWITCH_PROPERTY_ENUM",
        [FeatureStatusQuery.Value] = "OID_SWITCH_FEATURE_STATUS_QUERY",
        [NicRequest.Value] = "OID_SWITCH_NIC_REQUEST",
        [PortPropertyAdd.Value] = "OID_SWITCH_PORT_PROPERTY_ADD",
        [PortPropertyUpdate.Value] = "OID_SWITCH_PORT_PROPERTY_UPDATE",
        [PortPropertyDelete.Value] = "OID_SWITCH_PORT_PROPERTY_DELETE",
        [PortPropertyEnum.Value] = "OID_SWITCH_PORT_PROPERTY_ENUM",
        [Parameters.Value] = "OID_SWITCH_PARAMETERS",
        [PortArray.Value] = "OID_SWITCH_PORT_ARRAY",
        [NicArray.Value] = "OID_SWITCH_NIC_ARRAY",
        [PortCreate.Value] = "OID_SWITCH_PORT_CREATE",
        [PortDelete.Value] = "OID_SWITCH_PORT_DELETE",
        [NicCreate.Value] = "OID_SWITCH_NIC_CREATE",
        [NicConnect.Value] = "OID_SWITCH_NIC_CONNECT",
        [NicDisconnect.Value] = "OID_SWITCH_NIC_DISCONNECT",
        [NicDelete.Value] = "OID_SWITCH_NIC_DELETE",
        [PortFeatureStatusQuery.Value] = "OID_SWITCH_PORT_FEATURE_STATUS_QUERY",
        [PortTeardown.Value] = "OID_SWITCH_PORT_TEARDOWN",
        [NicSave.Value] = "OID_SWITCH_NIC_SAVE",
        [NicSaveComplete.Value] = "OID_SWITCH_NIC_SAVE_COMPLETE",
        [NicRestore.Value] = "OID_SWITCH_NIC_RESTORE",
        [NicRestoreComplete.Value] = "OID_SWITCH_NIC_RESTORE_COMPLETE",
        [NicUpdated.Value] = "OID_SWITCH_NIC_UPDATED",
        [PortUpdated.Value] = "OID_SWITCH_PORT_UPDATED",
        [NicDirectRequest.Value] = "OID_SWITCH_NIC_DIRECT_REQUEST",
        [NicSuspend.Value] = "OID_SWITCH_NIC_SUSPEND",
        [NicResume.Value] = "OID_SWITCH_NIC_RESUME",
        [NicSuspendedLmSourceStarted.Value] = "OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_STARTED",
        [NicSuspendedLmSourceFinished.Value] = "OID_SWITCH_NIC_SUSPENDED_LM_SOURCE_FINISHED",
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<uint, string> InnerNames = new Dictionary<uint, string>
    {
        [ReceiveFilterAllocateQueue.Value] = "OID_RECEIVE_FILTER_ALLOCATE_QUEUE",
        [ReceiveFilterFreeQueue.Value] = "OID_RECEIVE_FILTER_FREE_QUEUE",
        [ReceiveFilterSetFilter.Value] = "OID_RECEIVE_FILTER_SET_FILTER",
        [ReceiveFilterClearFilter.Value] = "OID_RECEIVE_FILTER_CLEAR_FILTER",
        [NicSwitchCreateVport.Value] = "OID_NIC_SWITCH_CREATE_VPORT",
        [NicSwitchDeleteVport.Value] = "OID_NIC_SWITCH_DELETE_VPORT",
        [NicSwitchAllocateVf.Value] = "OID_NIC_SWITCH_ALLOCATE_VF",
        [NicSwitchFreeVf.Value] = "OID_NIC_SWITCH_FREE_VF",
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<string, uint> Values = Names.Concat(InnerNames).ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>An extension may refuse it (switch.md 0.2 and 3.3): the port and NIC creations and the property OIDs.</summary>
    public bool Refusable => this == PortCreate || this == NicCreate
        || this == PortPropertyAdd || this == PortPropertyUpdate || this == PortPropertyDelete
        || this == PropertyAdd || this == PropertyUpdate || this == PropertyDelete;

    /// <summary>It asks and changes nothing, so that answering it once more is answering it (switch.md 2.6, 2.7). NIC_SAVE is none: its rounds go on.</summary>
    public bool Query => this == Parameters || this == PortArray || this == NicArray || this == PropertyEnum || this == PortPropertyEnum
        || this == FeatureStatusQuery || this == PortFeatureStatusQuery;

    /// <summary>A hardware offload of the table, all of which set or allocate something (switch.md 2.8).</summary>
    public bool Offload => InnerNames.ContainsKey(Value);

    /// <summary>Inside a NIC_REQUEST a forwarder may refuse it (switch.md 2.8); never what clears, frees or completes.</summary>
    public bool RefusableInside => this == NicSwitchAllocateVf || this == NicSwitchCreateVport
        || this == ReceiveFilterAllocateQueue || this == ReceiveFilterSetFilter;

    /// <summary>The table of switch.md 2.0, by value.</summary>
    public static IReadOnlyList<OidCode> All { get; } = [.. Names.Keys.Order().Select(value => new OidCode(value))];

    /// <summary>In the table of switch.md 2.0.</summary>
    public bool Known => Names.ContainsKey(Value);

    /// <summary>Direct OIDs have a lane of their own: they never enter the switch's slot (switch.md 3.7).</summary>
    public bool Direct => this == NicDirectRequest;

    public override string ToString() =>
        Names.TryGetValue(Value, out var name) || InnerNames.TryGetValue(Value, out name) ? name : "0x" + Value.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>Reads a name of the table, or a code as 0x and eight hexadecimal digits; null if it is neither.</summary>
    public static OidCode? Parse(string text) =>
        Values.TryGetValue(text, out var value) ? new OidCode(value)
        : text.StartsWith("0x", StringComparison.Ordinal)
            && uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            ? new OidCode(code)
            : null;
}

/// <summary>OIDs are written by name.</summary>
public sealed class OidCodeJson : JsonConverter<OidCode>
{
    public override OidCode Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        OidCode.Parse(reader.GetString() ?? "") ?? throw new JsonException("not an OID name or 0x code");

    public override void Write(Utf8JsonWriter writer, OidCode value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <summary>Completion statuses of switch.md 2.2; the value is what NDIS uses.</summary>
[JsonConverter(typeof(NdisStatusJson))]
public enum NdisStatus : uint
{
    Success = 0,
    Pending = 0x00000103,
    Failure = 0xC0000001,
    InvalidParameter = 0xC000000D,
    Resources = 0xC000009A,
    NotSupported = 0xC00000BB,
    DataNotAccepted = 0xC000021B,
    InvalidLength = 0xC0010014,
    BufferTooShort = 0xC0010016,
}

/// <summary>Names of statuses as NDIS writes them.</summary>
public static class NdisStatusNames
{
    static readonly FrozenDictionary<NdisStatus, string> Names = new Dictionary<NdisStatus, string>
    {
        [NdisStatus.Success] = "NDIS_STATUS_SUCCESS",
        [NdisStatus.Pending] = "NDIS_STATUS_PENDING",
        [NdisStatus.Failure] = "NDIS_STATUS_FAILURE",
        [NdisStatus.InvalidParameter] = "NDIS_STATUS_INVALID_PARAMETER",
        [NdisStatus.Resources] = "NDIS_STATUS_RESOURCES",
        [NdisStatus.NotSupported] = "NDIS_STATUS_NOT_SUPPORTED",
        [NdisStatus.DataNotAccepted] = "NDIS_STATUS_DATA_NOT_ACCEPTED",
        [NdisStatus.InvalidLength] = "NDIS_STATUS_INVALID_LENGTH",
        [NdisStatus.BufferTooShort] = "NDIS_STATUS_BUFFER_TOO_SHORT",
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<string, NdisStatus> Values = Names.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    public static string Name(this NdisStatus status) => Names[status];

    /// <summary>Null if it is not one of the table's names.</summary>
    public static NdisStatus? Parse(string text) => Values.TryGetValue(text, out var status) ? status : null;
}

/// <summary>Statuses are written by their NDIS names.</summary>
public sealed class NdisStatusJson : JsonConverter<NdisStatus>
{
    public override NdisStatus Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        NdisStatusNames.Parse(reader.GetString() ?? "") ?? throw new JsonException("not an NDIS status name");

    public override void Write(Utf8JsonWriter writer, NdisStatus value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Name());
}
