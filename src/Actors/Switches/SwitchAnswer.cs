using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>How the edge answers an OID about the switch itself that nobody above ended (switch.md 2.5 to 2.7).</summary>
/// <param name="Output">A query's answer, as a JSON object.</param>
sealed record SwitchAnswer(NdisStatus Status, JsonElement? Output = null, int? BytesNeeded = null)
{
    /// <summary>Custom properties that a switch may have; the next ADD is answered RESOURCES.</summary>
    public const int PropertiesMax = 256;

    static readonly SwitchAnswer Done = new(NdisStatus.Success);

    public static SwitchAnswer To(SwitchState.Here s, OidRequest request)
    {
        var oid = request.Oid;
        return oid == OidCode.PropertyAdd ? Add(s, (PropertyParameters)request.Parameters!)
            : oid == OidCode.PropertyUpdate ? Update(s, (PropertyParameters)request.Parameters!)
            : oid == OidCode.PropertyDelete ? Has(s, (PropertyParameters)request.Parameters!) ? Done : new(NdisStatus.InvalidParameter)
            : oid == OidCode.PropertyEnum ? Properties(s, request)
            : oid == OidCode.Parameters ? Parameters(s, request)
            : oid == OidCode.PortArray ? Ports(s, request)
            : oid == OidCode.NicArray ? Nics(s, request)
            // Nobody has this feature; a success would be an empty status that nobody gave.
            : ExtensionRights.IsFeatureStatus(oid) ? new(NdisStatus.NotSupported)
            : Done;
    }

    static SwitchAnswer Add(SwitchState.Here s, PropertyParameters property) =>
        Has(s, property) ? new(NdisStatus.InvalidParameter)
        : s.Properties.Count >= PropertiesMax ? new(NdisStatus.Resources)
        : Done;

    /// <summary>The instance is found by type, id, version and instance id; another is INVALID_PARAMETER (switch.md 2.5, V17).</summary>
    static SwitchAnswer Update(SwitchState.Here s, PropertyParameters property) =>
        s.Properties.TryGetValue(property.Key, out var known) && known.Property.PropertyVersion == property.PropertyVersion
            ? Done
            : new(NdisStatus.InvalidParameter);

    static bool Has(SwitchState.Here s, PropertyParameters property) => s.Properties.ContainsKey(property.Key);

    static int Length(PropertyParameters property) => PayloadSizes.Bytes(property.Value);

    static SwitchAnswer Properties(SwitchState.Here s, OidRequest request) =>
        Listed(s.Properties.Values.Select(known => (known.Property, known.Owner)), request.Parameters as QueryParameters);

    /// <summary>PROPERTY_ENUM and PORT_PROPERTY_ENUM: those of the type and id that were asked for; all, where nothing was.</summary>
    public static SwitchAnswer Listed(IEnumerable<(PropertyParameters Property, string? Owner)> properties, QueryParameters? query)
    {
        var found = properties.Where(known => (query?.PropertyType is not { } type || known.Property.PropertyType == type)
            && (query?.PropertyId is not { } id || IsId(known.Property.PropertyId, id))).ToList();
        var list = new PropertyList(1, found.Count, [.. found.Select(known => new ListedProperty(
            known.Property.PropertyId, known.Property.PropertyInstanceId, known.Property.PropertyVersion, known.Property.Value,
            Length(known.Property), known.Owner,
            known.Property.PropertyType))]);
        var bytes = PayloadSizes.EnumHeader + found.Sum(known => PayloadSizes.EnumInfo + (Length(known.Property) + 7) / 8 * 8);
        return Sized(query, bytes, JsonSerializer.SerializeToElement(list, SwitchOutputJson.Default.PropertyList));
    }

    static bool IsId(string? id, string asked) => string.Equals(id, asked, StringComparison.OrdinalIgnoreCase);

    public static SwitchAnswer Parameters(SwitchState.Here s, OidRequest request)
    {
        var name = s.Id.Parts[1];
        var parameters = new ListedSwitch(1, name, name, s.Ports.Count, s.Stage == SwitchStage.Ready);
        return Sized(
            request.Parameters as QueryParameters, PayloadSizes.SwitchParameters,
            JsonSerializer.SerializeToElement(parameters, SwitchOutputJson.Default.ListedSwitch));
    }

    /// <summary>All ports, validation ports among them (switch.md 2.7).</summary>
    static SwitchAnswer Ports(SwitchState.Here s, OidRequest request)
    {
        var ports = s.Ports.Values.Select(port => new ListedPort(
            port.PortId, port.PortName ?? port.Name, port.FriendlyName, port.Type, port.Validation,
            port.TearingDown ? "Teardown" : "Created", port.Id.Text)).ToList();
        var list = new PortList(1, PayloadSizes.FirstElementOffset, PayloadSizes.PortElement, ports.Count, ports);
        return Sized(request.Parameters as QueryParameters, PayloadSizes.FirstElementOffset + ports.Count * PayloadSizes.PortElement,
            JsonSerializer.SerializeToElement(list, SwitchOutputJson.Default.PortList));
    }

    static SwitchAnswer Nics(SwitchState.Here s, OidRequest request)
    {
        var nics = s.Ports.Values.SelectMany(port => port.Nics.Select(nic => Listed(port, nic.Key, nic.Value))).ToList();
        var list = new NicList(1, PayloadSizes.FirstElementOffset, PayloadSizes.NicElement, nics.Count, nics);
        return Sized(request.Parameters as QueryParameters, PayloadSizes.FirstElementOffset + nics.Count * PayloadSizes.NicElement,
            JsonSerializer.SerializeToElement(list, SwitchOutputJson.Default.NicList));
    }

    static ListedNic Listed(SwitchPort port, int index, SwitchNic nic) => new(
        port.PortId, index, nic.NicName ?? nic.Id.Parts[^1], nic.Type, nic.State, nic.VmName, nic.Mtu, nic.Mac, nic.CurrentMac ?? nic.Mac,
        nic.VfAssigned, nic.Id.Text);

    /// <summary>A buffer that is too small gets the size that is needed and nothing else.</summary>
    static SwitchAnswer Sized(QueryParameters? query, int bytes, JsonElement output) =>
        query?.Capacity is { } capacity && capacity < bytes
            ? new(NdisStatus.InvalidLength, BytesNeeded: bytes)
            : new(NdisStatus.Success, output);
}

/// <summary>SWITCH_PARAMETERS.</summary>
sealed record ListedSwitch(int Revision, string SwitchName, string SwitchFriendlyName, int NumSwitchPorts, bool IsActive);

/// <summary>SWITCH_PORT_ARRAY: walk with the element size, not with one of your own (switch.md 2.1).</summary>
sealed record PortList(int Revision, int FirstElementOffset, int ElementSize, int NumElements, IReadOnlyList<ListedPort> Elements);

/// <param name="Port">Ours: the port's entity.</param>
sealed record ListedPort(
    uint PortId, string PortName, string? PortFriendlyName, PortType PortType, bool IsValidationPort, string PortState, string Port);

/// <summary>SWITCH_NIC_ARRAY.</summary>
sealed record NicList(int Revision, int FirstElementOffset, int ElementSize, int NumElements, IReadOnlyList<ListedNic> Elements);

/// <param name="Nic">Ours: the NIC's entity.</param>
sealed record ListedNic(
    uint PortId, int NicIndex, string NicName, NicType NicType, string NicState, string? VmName, int? Mtu, string? PermanentMacAddress,
    string? CurrentMacAddress, bool VfAssigned, string Nic);

/// <summary>SWITCH_PROPERTY_ENUM_PARAMETERS with its ENUM_INFOs.</summary>
sealed record PropertyList(int Revision, int NumProperties, IReadOnlyList<ListedProperty> Properties);

/// <param name="EnforcedBy">Ours: the extension that said that it is its own; absent: nobody did.</param>
sealed record ListedProperty(
    string? PropertyId, string PropertyInstanceId, int PropertyVersion, JsonElement? Value, int PropertyBufferLength, string? EnforcedBy,
    PropertyType PropertyType);

/// <summary>SWITCH_NIC_SAVE_STATE as an extension filled it.</summary>
sealed record SavedState(
    int Revision, string ExtensionId, string ExtensionFriendlyName, string? FeatureClassId, int SaveDataSize, int SaveDataOffset,
    string Data)
{
    public static SavedState Of(NicBlob blob) =>
        new(
            1, blob.ExtensionId, blob.ExtensionFriendlyName, blob.FeatureClassId, NicDataTransfer.Bytes(blob), PayloadSizes.SaveState,
            blob.Data);
}

/// <summary>Source-generated JSON of what queries answer: a public format (api.md 4).</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ListedSwitch))]
[JsonSerializable(typeof(PortList))]
[JsonSerializable(typeof(NicList))]
[JsonSerializable(typeof(PropertyList))]
[JsonSerializable(typeof(SavedState))]
sealed partial class SwitchOutputJson : JsonSerializerContext;
