namespace ControlPlane.Messages;

/// <summary>What a query or enumeration brings: the list to look at, and how large its buffer is.</summary>
/// <param name="Capacity">Bytes of the whole buffer; null: as large as it takes. Too small is answered INVALID_LENGTH (switch.md 2.7).</param>
/// <param name="PropertyType">PROPERTY_ENUM and PORT_PROPERTY_ENUM only.</param>
/// <param name="PropertyId">For custom properties: whose.</param>
public sealed record QueryParameters(int? Capacity = null, PropertyType? PropertyType = null, string? PropertyId = null) : OidParameters;

/// <summary>SWITCH_FEATURE_STATUS_PARAMETERS, custom, the only type that exists (switch.md 2.6).</summary>
/// <param name="Capacity">Bytes that the status may have; null: as many as it takes.</param>
public sealed record FeatureStatusParameters(
    string FeatureStatusId, string? FeatureStatusInstanceId = null, int? Capacity = null) : OidParameters;

/// <summary>SWITCH_NIC_SAVE_STATE on its way down to be filled: NIC_SAVE.</summary>
/// <param name="Capacity">Bytes of the whole buffer, the structure among them; null: the most that its type can have.</param>
public sealed record NicSaveParameters(int? Capacity = null) : OidParameters;

/// <summary>SWITCH_NIC_SAVE_STATE with what an extension had saved: NIC_RESTORE.</summary>
/// <param name="ExtensionId">Whose data it is; an extension takes its own only.</param>
/// <param name="Data">Base64.</param>
public sealed record NicRestoreParameters(
    string ExtensionId, string Data, string? ExtensionFriendlyName = null, string? FeatureClassId = null) : OidParameters;

/// <summary>The header that a peer's structure carried: revision and size (switch.md 2.1).</summary>
public sealed record PayloadHeader(int? Revision, int? Size);
