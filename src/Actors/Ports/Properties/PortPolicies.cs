using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>From a set of properties to the whole of what is enforced for the NIC on the port.</summary>
public static class PortPolicies
{
    /// <summary>
    /// Who enforces a property that was let in: the extension that said so; else the miniport edge for what a data path of
    /// ours enforces; else nobody (V15). An access list is the business of its extension alone.
    /// </summary>
    public static string? EnforcedBy(PropertyParameters property, string? owner) => owner ?? property.PropertyType switch
    {
        PropertyType.Vlan or PropertyType.Security => RefusedBy.EdgeName,
        PropertyType.Custom when property.PropertyId == PropertyIds.Bandwidth => RefusedBy.EdgeName,
        _ => null,
    };

    /// <summary>The policy of properties that were let in; without any it is <see cref="PortPolicy.Default"/>.</summary>
    public static PortPolicy Of(IEnumerable<PortProperty> properties)
    {
        var policy = PortPolicy.Default;
        foreach (var property in properties)
        {
            policy = PropertyValues.Read(property.Parameters).Value switch
            {
                PropertyValue.Vlan vlan => policy with { Vlan = vlan.Policy },
                PropertyValue.Security security => policy with { AllowMacSpoofing = security.AllowMacSpoofing },
                PropertyValue.Acl acl when property.EnforcedBy == PropertyIds.AclOwner => policy with { Acls = acl.Rules },
                PropertyValue.Bandwidth bandwidth => policy with { Bandwidth = bandwidth.Policy },
                _ => policy,
            };
        }
        return policy;
    }

    /// <summary>What of the other properties of the port stands in the way of this one, or null.</summary>
    public static PropertyFault? Conflict(PropertyParameters property, IEnumerable<PortProperty> others)
    {
        var rule = "switch.md 1.3";
        foreach (var other in others.Select(known => known.Parameters).Where(known => known.Key != property.Key))
        {
            if (Single(property) && other.PropertyType == property.PropertyType && other.PropertyId == property.PropertyId)
            {
                return PropertyFault.Conflict("propertyInstanceId", rule,
                    $"The port has a {property.PropertyType} property, instance {other.PropertyInstanceId}, and takes one.");
            }
            if ((IsolatesByVlan(property) && other.PropertyType == PropertyType.Vlan)
                || (IsolatesByVlan(other) && property.PropertyType == PropertyType.Vlan))
            {
                return PropertyFault.Conflict("propertyType", rule, "A port has isolation by VLAN, or a VLAN property, not both.");
            }
        }
        return null;
    }

    /// <summary>One instance would contradict another. Routing domains and vendors' own may be several.</summary>
    static bool Single(PropertyParameters property) =>
        property.PropertyType is PropertyType.Vlan or PropertyType.Security or PropertyType.Isolation
        || (property.PropertyType == PropertyType.Custom && property.PropertyId is PropertyIds.Acl or PropertyIds.Bandwidth);

    static bool IsolatesByVlan(PropertyParameters property) =>
        property.PropertyType == PropertyType.Isolation
        && PropertyValues.Read(property).Value is PropertyValue.Isolation { Mode: IsolationMode.Vlan };
}
