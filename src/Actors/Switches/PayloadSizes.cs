using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// Sizes in bytes of the structures of switch.md 2.1 in their first revision: header 4, flags 4, counted string 516,
/// GUID 16, everything at its natural alignment on 64 bits. What a peer calls smaller is no such structure (O13).
/// </summary>
public static class PayloadSizes
{
    public const int PortParameters = 1056;
    public const int NicParameters = 2207;
    public const int SaveState = 568;

    /// <summary>SWITCH_PORT_ARRAY and SWITCH_NIC_ARRAY up to their first element, at 8.</summary>
    public const int FirstElementOffset = 24;

    /// <summary>Elements of arrays begin at multiples of 8.</summary>
    public const int PortElement = 1056;
    public const int NicElement = 2208;

    /// <summary>The property enumerations up to their first property, and what stands before each value.</summary>
    public const int EnumHeader = 48;
    public const int EnumInfo = 32;

    /// <summary>SWITCH_PARAMETERS.</summary>
    public const int SwitchParameters = 1045;

    /// <summary>SaveDataSize is a USHORT (switch.md 2.1), so one blob has at most so many bytes.</summary>
    public const int BlobMax = ushort.MaxValue;

    /// <summary>The largest buffer of a NIC_SAVE.</summary>
    public const int SaveBufferMax = SaveState + BlobMax;

    static readonly FrozenDictionary<OidCode, int> FirstRevision = new Dictionary<OidCode, int>
    {
        [OidCode.PropertyAdd] = 60,
        [OidCode.PropertyUpdate] = 60,
        [OidCode.PropertyDelete] = 44,
        [OidCode.PropertyEnum] = 44,
        [OidCode.PortPropertyAdd] = 64,
        [OidCode.PortPropertyUpdate] = 64,
        [OidCode.PortPropertyDelete] = 48,
        [OidCode.PortPropertyEnum] = 48,
        [OidCode.FeatureStatusQuery] = 56,
        [OidCode.PortFeatureStatusQuery] = 60,
        [OidCode.NicRequest] = 32,
        [OidCode.Parameters] = SwitchParameters,
        [OidCode.PortArray] = 20,
        [OidCode.NicArray] = 20,
        [OidCode.PortCreate] = PortParameters,
        [OidCode.PortUpdated] = PortParameters,
        [OidCode.PortTeardown] = PortParameters,
        [OidCode.PortDelete] = PortParameters,
        [OidCode.NicCreate] = NicParameters,
        [OidCode.NicConnect] = NicParameters,
        [OidCode.NicUpdated] = NicParameters,
        [OidCode.NicDisconnect] = NicParameters,
        [OidCode.NicDelete] = NicParameters,
        [OidCode.NicSave] = SaveState,
        [OidCode.NicSaveComplete] = SaveState,
        [OidCode.NicRestore] = SaveState,
        [OidCode.NicRestoreComplete] = SaveState,
    }.ToFrozenDictionary();

    /// <summary>Bytes of JSON that the value of one property may have.</summary>
    public const int ValueMax = 64 * 1024;

    /// <summary>
    /// Bytes that the OIDs which wait for one slot may have together, by <see cref="Weight"/>; the next is answered
    /// actor.overloaded.
    /// </summary>
    public const int QueueBytesMax = 16 * 1024 * 1024;

    /// <summary>Bytes that an OID counts beside its value or blob: names, flags and what stands around them.</summary>
    const int Envelope = 1024;

    /// <summary>What an OID that waits counts against the bound of the queue.</summary>
    public static int Weight(OidRequest request) => Envelope + request.Parameters switch
    {
        PropertyParameters property => Bytes(property.Value),
        NicRestoreParameters blob => blob.Data.Length,
        _ => 0,
    };

    /// <summary>Bytes of a value as JSON.</summary>
    public static int Bytes(JsonElement? value) => value is { } given ? JsonMarshal.GetRawUtf8Value(given).Length : 0;

    /// <summary>Why the OID's value or blob is larger than one may be, or null: it never waits, and no extension sees it.</summary>
    public static Refusal? TooLarge(OidRequest request) => request.Parameters switch
    {
        PropertyParameters property when Bytes(property.Value) > ValueMax => new Refusal(
            RefusalKind.Unprocessable, "oid.value.large", $"The value of a property has at most {ValueMax} bytes.", "switch.md 2.1",
                Field: "parameters.value"),
        NicRestoreParameters blob when NicDataTransfer.Bytes(blob.Data) > BlobMax => NicDataTransfer.TooLarge("parameters.data"),
        _ => null,
    };

    /// <summary>Why the header is not of a structure that the OID takes, or null. A later revision or a larger size is taken.</summary>
    public static Refusal? Wrong(OidCode oid, PayloadHeader? header) =>
        header is { Revision: < 1 } ? Small(oid, "revision", $"revision {header.Revision}; the first is 1")
        : header is { Size: { } size } && FirstRevision.TryGetValue(oid, out var least) && size < least
            ? Small(oid, "size", $"{size} bytes; its first revision has {least}")
        : null;

    static Refusal Small(OidCode oid, string field, string what) =>
        new(RefusalKind.Unprocessable, $"oid.{field}", $"The structure of {oid} has {what}.", "O13", Field: $"parameters.{field}");
}
