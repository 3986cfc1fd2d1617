using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>The port properties that a VM's NIC is defined with: read by the same rules as those that a peer sends.</summary>
static class NicProperties
{
    /// <summary>The instance of the property that the short form <c>vlan</c> stands for.</summary>
    const string VlanInstance = "vlan";

    /// <summary>In the order in which they are added.</summary>
    public static ImmutableArray<PropertyParameters> Of(NicDefinition nic) =>
    [
        .. nic.Vlan is { } id ? [Access(id)] : Array.Empty<PropertyParameters>(),
        .. (nic.Properties ?? []).Select(PropertyValues.Canonical),
    ];

    public static PropertyParameters? Find(NicDefinition? nic, string key) => nic is null ? null : Of(nic).FirstOrDefault(property => property.Key == key);

    /// <summary>Why the NIC cannot have its properties, with the field that is wrong; null if it can.</summary>
    public static Refusal? Refusal(NicDefinition nic, string field)
    {
        var known = new List<PortProperty>();
        var shorts = nic.Vlan is null ? 0 : 1;
        foreach (var property in Of(nic))
        {
            var path = known.Count < shorts
                ? $"{field}.vlan"
                : string.Create(CultureInfo.InvariantCulture, $"{field}.properties[{known.Count - shorts}]");
            var fault = known.Count >= PortProperties.Max
                    ? PropertyFault.Wrong("propertyInstanceId", "switch.md 2.5", $"A port has at most {PortProperties.Max} properties.")
                : known.Any(other => other.Parameters.Key == property.Key)
                    ? PropertyFault.Wrong("propertyInstanceId", "switch.md 2.5", "Two properties have one type, id and instance.")
                : PropertyValues.Read(property).Fault ?? PortPolicies.Conflict(property, known);
            if (fault is not null)
            {
                return new Refusal(
                    RefusalKind.Unprocessable, "nic.property", fault.Detail, fault.Rule,
                    Field: known.Count < shorts ? path : $"{path}.{fault.Field}");
            }
            known.Add(new PortProperty(property, null));
        }
        return null;
    }

    /// <summary>What brings a running NIC's properties from one definition to another: what goes first, so that nothing conflicts.</summary>
    public static IEnumerable<VmStep> Steps(NicDefinition before, NicDefinition after)
    {
        var (old, wanted) = (Of(before), Of(after));
        var goes = old.Where(property => Find(after, property.Key) is not { } kept || kept.PropertyVersion != property.PropertyVersion).ToList();
        foreach (var property in goes)
        {
            yield return new VmStep(VmStepKind.PropertyDelete, before.Name, property.Key);
        }
        foreach (var property in wanted.Where(property => !goes.Exists(gone => gone.Key == property.Key)))
        {
            if (Find(before, property.Key) is not { } known)
            {
                continue;
            }
            if (!Same(known.Value, property.Value))
            {
                yield return new VmStep(VmStepKind.PropertyUpdate, before.Name, property.Key);
            }
        }
        foreach (var property in wanted.Where(property => Find(before, property.Key) is null || goes.Exists(gone => gone.Key == property.Key)))
        {
            yield return new VmStep(VmStepKind.PropertyAdd, before.Name, property.Key);
        }
    }

    /// <summary>
    /// A property goes and one of the same kind comes: DELETE and ADD are two OIDs, and between them the NIC would be without
    /// either while its gate is open. The same instance and version is one UPDATE.
    /// </summary>
    public static bool Replaces(NicDefinition before, NicDefinition after)
    {
        var steps = Steps(before, after).ToList();
        var goes = steps.Where(step => step.Kind == VmStepKind.PropertyDelete).Select(step => Find(before, step.Property!)!);
        var comes = steps.Where(step => step.Kind == VmStepKind.PropertyAdd).Select(step => Find(after, step.Property!)!).ToList();
        return goes.Any(gone => comes.Exists(come => come.PropertyType == gone.PropertyType && come.PropertyId == gone.PropertyId));
    }

    static bool Same(JsonElement? one, JsonElement? other) =>
        one is { } left && other is { } right ? JsonElement.DeepEquals(left, right) : one is null && other is null;

    static PropertyParameters Access(int id) => new(
        PropertyType.Vlan, VlanInstance,
        Value: JsonElement.Parse(string.Create(CultureInfo.InvariantCulture, $$"""{"operationMode":"access","accessVlanId":{{id}}}""")));
}
