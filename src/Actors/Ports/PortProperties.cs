using System.Globalization;
using System.Text.Json;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports;

/// <summary>
/// A port's properties: what PORT_PROPERTY_ADD, UPDATE and DELETE do to them, and what the NIC on the port is told
/// (switch.md 2.5). The port is the miniport edge here: what is malformed, out of range, unfit or in conflict it refuses
/// itself (V20); what changes the data path of a NIC that is there holds only when the host has read it back.
/// </summary>
static class PortProperties
{
    /// <summary>Properties that one port may have.</summary>
    public const int Max = 64;

    public static bool IsChange(OidCode oid) =>
        oid == OidCode.PortPropertyAdd || oid == OidCode.PortPropertyUpdate || oid == OidCode.PortPropertyDelete;

    public static Decision<PortEvent> Change(PortState.Created s, ArriveOid a, OpenOid open)
    {
        if (a.Request.Parameters is not PropertyParameters given)
        {
            return PortLifecycle.Missing("property parameters");
        }
        var (id, oid, property) = (a.Request.RequestId, a.Request.Oid, PropertyValues.Canonical(given));
        if ((a.Refused ?? Fault(s.Body, oid, property)?.ByEdge) is { } by)
        {
            return Decision<PortEvent>.Accept(new OidSettled(by.Status, by, s.Name, "Absent"), new PortPropertyRefused(id, oid, by));
        }
        var enforcedBy = oid == OidCode.PortPropertyDelete ? null : PortPolicies.EnforcedBy(property, a.Owner);
        var changed = new PortPropertyChanged(id, oid, property, enforcedBy);
        var policy = PortPolicies.Of(Changed(s.Body, changed).Properties.Values);
        return s.Body.Nics.ContainsKey(0) && policy != PortPolicies.Of(s.Body.Properties.Values)
            ? Decision<PortEvent>.Accept(null, new PortPropertyProposed(open, property, enforcedBy, policy))
            : Decision<PortEvent>.Accept(PortLifecycle.Settled(s), changed);
    }

    /// <summary>Why the edge refuses the change, or null.</summary>
    static PropertyFault? Fault(PortBody body, OidCode oid, PropertyParameters property)
    {
        if (PropertyValues.Identity(property) is { } unnamed)
        {
            return unnamed;
        }
        var known = body.Properties.GetValueOrDefault(property.Key)?.Parameters;
        if (oid == OidCode.PortPropertyDelete)
        {
            return known is null ? PropertyFault.Wrong("propertyInstanceId", "V17", "The port has no such property.") : null;
        }
        if (oid == OidCode.PortPropertyUpdate && known?.PropertyVersion != property.PropertyVersion)
        {
            return known is null
                ? PropertyFault.Wrong("propertyInstanceId", "V17", "The port has no such property; ADD comes first.")
                : PropertyFault.Wrong("propertyVersion", "V17", $"The property has version {known.PropertyVersion}.");
        }
        if (PropertyValues.Read(property).Fault is { } wrong)
        {
            return wrong;
        }
        if (oid == OidCode.PortPropertyAdd && known is not null && !Same(known, property))
        {
            return PropertyFault.Conflict("propertyInstanceId", "switch.md 2.5", "The port has this property with another value; UPDATE changes it.");
        }
        if (known is null && body.Properties.Count >= Max)
        {
            return new PropertyFault(NdisStatus.Resources, "propertyInstanceId", "switch.md 2.5", $"A port has at most {Max} properties.");
        }
        return PortPolicies.Conflict(property, body.Properties.Values);
    }

    static bool Same(PropertyParameters one, PropertyParameters other) =>
        one.PropertyVersion == other.PropertyVersion && (one.Value, other.Value) switch
        {
            (null, null) => true,
            ({ } left, { } right) => JsonElement.DeepEquals(left, right),
            _ => false,
        };

    /// <summary>The NIC's answer to the policy that it was told.</summary>
    public static Decision<PortEvent> Settle(PortState.Created s, OpenOid oid, PortProposal proposal, AnswerArrived answer)
    {
        var (id, code) = (oid.Request.RequestId, oid.Request.Oid);
        var by = answer.Reply is OidSettled { Status: NdisStatus.Success } ? null
            : (answer.Reply as OidSettled)?.RefusedBy ?? RefusedBy.Edge(NdisStatus.Failure, answer.Refusal?.Detail);
        return by is null
            ? PortLifecycle.Late([new PortPropertyChanged(id, code, proposal.Property, proposal.EnforcedBy)], oid, PortLifecycle.Settled(s))
            : PortLifecycle.Late([new PortPropertyRefused(id, code, by)], oid, new OidSettled(by.Status, by, s.Name, "Absent"));
    }

    public static PortBody Changed(PortBody body, PortPropertyChanged e) => body with
    {
        Properties = e.Oid == OidCode.PortPropertyDelete
            ? body.Properties.Remove(e.Property.Key)
            : body.Properties.SetItem(e.Property.Key, new PortProperty(e.Property, e.EnforcedBy)),
    };

    /// <summary>What the NIC on the port is told to enforce; named after the incarnation, since a peer's request ids may come again.</summary>
    public static Effect.Ask Tell(PortState.Created s, OpenOid oid, PortProposal proposal) => new(
        string.Create(CultureInfo.InvariantCulture, $"{s.Incarnations}:policy:{oid.MessageId}"), s.Body.Nics[0],
        new EnforcePolicy(oid.Request.RequestId, proposal.Policy, oid.Port));

    /// <summary>PORT_PROPERTY_ENUM: the properties of a type (and id, if it is custom); without parameters all of them.</summary>
    public static OidSettled Enumerated(PortState state, PortBody body, OidParameters? parameters)
    {
        var answer = SwitchAnswer.Listed(body.Properties.Values.Select(property => (property.Parameters, property.EnforcedBy)), parameters as QueryParameters);
        return PortLifecycle.Settled(state) with { Status = answer.Status, Output = answer.Output, BytesNeeded = answer.BytesNeeded };
    }
}
