namespace ControlPlane.Messages;

/// <summary>Custom port properties that are ours: a property of type Custom is known by its id (switch.md 1.5). Ids are for ever.</summary>
public static class PropertyIds
{
    /// <summary>The value is <c>{"rules": [AclRule, …]}</c>; enforced where the switch has the extension <see cref="AclOwner"/>.</summary>
    public const string Acl = "6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b01";

    /// <summary>The value is a <see cref="BandwidthPolicy"/>; the miniport edge enforces it.</summary>
    public const string Bandwidth = "6f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b02";

    /// <summary>The extension that enforces access lists.</summary>
    public const string AclOwner = "filter.acl";
}
