namespace ControlPlane.Messages;

/// <summary>
/// Ids of the custom port properties that the built-in extensions know (switch.md 1.5: a custom property belongs to the
/// extension that knows its GUID). Lower case with hyphens; a peer may write them in any case.
/// </summary>
public static class WellKnownProperties
{
    /// <summary>A list of access rules; <c>filter.acl</c> owns it.</summary>
    public const string Acl = "6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b01";

    /// <summary>Limits of bandwidth, which the data path itself enforces.</summary>
    public const string Bandwidth = "6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b02";

    /// <summary>Whether a property's id, as a request wrote it, is this one.</summary>
    public static bool Is(string? propertyId, string known) => string.Equals(propertyId, known, StringComparison.OrdinalIgnoreCase);
}
