using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>A port property as it is understood (switch.md 2.1): the typed form of its <c>value</c>.</summary>
public abstract record PropertyValue
{
    PropertyValue()
    {
    }

    public sealed record Vlan(VlanPolicy Policy) : PropertyValue;

    /// <param name="VirtualSubnetId">0, or 4096 to 16777215.</param>
    public sealed record Security(
        bool AllowMacSpoofing, bool AllowIeeePriorityTag, int VirtualSubnetId, bool AllowTeaming, long DynamicIpAddressLimit) : PropertyValue;

    /// <summary>Points to what a vendor keeps in a store of its own; opaque here.</summary>
    public sealed record Profile : PropertyValue;

    public sealed record Isolation(IsolationMode Mode, bool AllowUntaggedTraffic, int DefaultIsolationId) : PropertyValue;

    public sealed record RoutingDomain(Guid Id, string? Name, int Entries) : PropertyValue;

    /// <summary>Ours: <see cref="PropertyIds.Acl"/>.</summary>
    public sealed record Acl(IReadOnlyList<AclRule> Rules) : PropertyValue;

    /// <summary>Ours: <see cref="PropertyIds.Bandwidth"/>.</summary>
    public sealed record Bandwidth(BandwidthPolicy Policy) : PropertyValue;

    /// <summary>A vendor's own: any value up to a bound.</summary>
    public sealed record Custom : PropertyValue;
}

/// <summary>How a port tells tenants apart (switch.md 2.1, 6.40).</summary>
public enum IsolationMode
{
    None = 0,
    NativeVirtualSubnet = 1,
    ExternalVirtualSubnet = 2,
    Vlan = 3,
}

/// <summary>Why a property is not taken: the field that is wrong, the rule, and a sentence for a person.</summary>
/// <param name="Status">INVALID_PARAMETER for what is malformed or out of range, NOT_SUPPORTED for what does not apply, DATA_NOT_ACCEPTED for a conflict.</param>
public sealed record PropertyFault(NdisStatus Status, string Field, string Rule, string Detail)
{
    public RefusedBy ByEdge => new(RefusedBy.EdgePosition, RefusedBy.EdgeName, Status, Field, Rule, Detail);

    public static PropertyFault Wrong(string field, string rule, string detail) => new(NdisStatus.InvalidParameter, field, rule, detail);

    public static PropertyFault Conflict(string field, string rule, string detail) => new(NdisStatus.DataNotAccepted, field, rule, detail);
}
