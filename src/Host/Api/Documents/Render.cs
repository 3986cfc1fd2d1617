using System.Globalization;
using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Actors.Projections;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Documents;

/// <summary>Views as documents. Pure: what else a document shows comes in as a parameter.</summary>
static class Render
{
    public static HostDocument Host(EntityView view, HostCounts counts)
    {
        var bridge = (BridgeState)view.State;
        return new HostDocument(
            view.Id.Parts[0], bridge.Online ? "online" : "offline", bridge.Driver, bridge.Version, bridge.BootId, Text(bridge.Session),
            Text(bridge.StreamEpoch), Text(bridge.Cursor), view.Updated,
            new HostCountsDocument(counts.Switches, counts.Ports, counts.Nics, counts.Vms, bridge.Commands.Count), counts.Drift,
            Text(bridge.Dropped), Text(view.Revision));
    }

    public static SwitchDocument Switch(EntityView view)
    {
        var here = (SwitchState.Here)view.State;
        var definition = here.Definition;
        return new SwitchDocument(
            view.Id.Parts[1], view.Id.Parts[0], definition.Kind, definition.Uplink, definition.Drift, here.Stage,
            here.Stage == SwitchStage.Failed && view.Notes.Fault is { } fault ? $"{fault.Status} {fault.Detail}".TrimEnd() : null,
            definition.Extensions, new SwitchCountsDocument(here.Ports.Count, here.Ports.Values.Sum(port => port.Nics.Count)),
            here.Slot is { } slot ? Slot(slot) : null,
            here.Queue.Length, Text(view.Revision), view.Updated)
        {
            Discovered = [.. here.Discovered.Values.Select(Discovered)],
            Adapter = here.Adapter is { } adapter && (adapter.Stage != AdapterStage.Down || definition.Adapters.Count > 0)
                ? new AdapterDocument(adapter.Stage, definition.Adapters, here.UplinkUsable, adapter.Problem?.Detail)
                : null,
        };
    }

    static DiscoveredDocument Discovered(DiscoveredDevice found)
    {
        var seen = found.Device;
        return new DiscoveredDocument(
            seen.Device, seen.NicKey.Length > 0 ? seen.NicKey : null, seen.Port.Length > 0 ? seen.Port : null, seen.Up, seen.Enslaved,
            seen.Epoch > 0 ? Text(seen.Epoch) : null, found.LeftOver, found.Removal > 0, found.Problem, found.Source);
    }

    static SlotDocument Slot(SlotOid slot) => new(
        slot.Request.RequestId, slot.Request.Oid.ToString(), slot.Request.PortId, slot.Request.NicIndex,
        slot.Verdict.Pause is { } pause ? new PendingDocument(pause.Position, pause.Extension) : null, slot.At);

    /// <param name="nicOf">The views of the NICs on the port, at the same time as the port's.</param>
    public static PortDocument Port(EntityView view, Func<EntityId, EntityView?> nicOf)
    {
        var port = (PortState)view.State;
        var body = port.BodyOrNull ?? throw new ArgumentException($"{view.Id} is absent", nameof(view));
        var parameters = body.Parameters;
        var nics = body.Nics.Select(pair => (Index: pair.Key, Id: pair.Value, Nic: nicOf(pair.Value)?.State as NicState)).ToList();
        var first = nics.Select(nic => nic.Nic?.BodyOrNull).FirstOrDefault();
        return new PortDocument(
            view.Id.Parts[2], view.Id.Parts[0], view.Id.Parts[1], port.Name, Phase(port), port.Incarnations, body.PortId,
            parameters.PortType.ToString(), parameters.PortName, parameters.PortFriendlyName, parameters.IsValidationPort,
            [.. body.Properties.Values.Select(Property)], Policy(body, first), [.. body.Drain.Holds.Values], InFlight(body.Drain),
            [.. nics.Select(nic => new PortNicDocument(nic.Index, nic.Id.Text, nic.Nic?.Name ?? "Absent", nic.Nic?.IsReady() == true))],
            port is PortState.Created && nics.All(nic => nic.Nic?.IsReady() == true), Drift(first),
            TextOrNull(first?.Revision), TextOrNull(first?.Applied), TextOrNull(first?.Observed?.Revision), Text(view.Revision), view.Updated);
    }

    static PropertyDocument Property(PortProperty property) => new(
        property.Parameters.PropertyType, property.Parameters.PropertyInstanceId, property.Parameters.PropertyId,
        property.Parameters.PropertyVersion, property.Parameters.Value, property.EnforcedBy);

    static PolicyDocument Policy(PortBody port, NicBody? nic)
    {
        var policy = PortPolicies.Of(port.Properties.Values);
        return new PolicyDocument(policy, policy.Digest, nic?.Policy?.Digest, nic?.Observed?.Policy);
    }

    static DriftDocument? Drift(NicBody? nic) =>
        nic?.Drift is { } drift ? new DriftDocument(Camel(drift.Stage.ToString()), drift.Source, Observed(drift.Observed)!) : null;

    public static NicDocument Nic(EntityView view)
    {
        var nic = (NicState)view.State;
        var body = nic.BodyOrNull;
        var (parts, parameters, place) = (view.Id.Parts, body?.Parameters, body?.Place);
        var ofVm = parts.Length == 2;
        return new NicDocument(
            string.Join('/', parts), ofVm ? parts[0] : null, parts[^1], nic.Name, Phase(nic), nic.IsReady(), parameters?.NicType.ToString(),
            place?.PortId, place?.NicIndex, Text(nic.Epoch), parameters?.PermanentMacAddress, parameters?.Mtu,
            new AddressesDocument(parameters?.CurrentMacAddress ?? parameters?.PermanentMacAddress, parameters?.Mtu),
            body is null || place is null ? [] : [new AttachmentDocument(
                place.Host, place.Switch, place.Port, place.PortId, place.NicIndex, nic.Name, Text(body.Revision), Text(body.Applied), Observed(body.Observed))],
            body is null ? [] : [.. body.Drain.Holds.Values], body is null ? new InFlightDocument(0, 0) : InFlight(body.Drain),
            Drift(body), body?.Transfer is { } transfer
                ? new TransferDocument(
                    transfer.Open is { } open ? Camel(open.ToString()) : null, transfer.Expected, transfer.Restored, transfer.Overdue)
                : null,
            parameters?.VfAssigned, Text(view.Revision), view.Updated);
    }

    /// <summary>A NIC that its VM defines and that was never created.</summary>
    public static NicDocument NicOf(EntityId id, NicDefinition definition) => new(
        string.Join('/', id.Parts), id.Parts[0], id.Parts[1], "Absent", "absent", false, definition.Type.ToString(), null, null, "0",
        definition.Mac, definition.Mtu, new AddressesDocument(definition.Mac, definition.Mtu), [], [], new InFlightDocument(0, 0), null, null, null, "0", null);

    public static VmDocument Vm(EntityView view)
    {
        var vm = (VmState)view.State;
        var definition = vm.DefinitionOrNull ?? throw new ArgumentException($"{view.Id} is absent", nameof(view));
        return new VmDocument(
            view.Id.Parts[0], definition.Host, vm.Name, Text(vm.Epoch),
            [.. definition.Nics.Select(nic => new VmNicDocument(
                nic.Name, nic.Switch, Camel(nic.Type.ToString()), nic.Mac, nic.Mtu, Camel(nic.Attach.ToString()), nic.Vlan,
                nic.Properties is { Count: > 0 } properties
                    ? [.. properties.Select(property => new VmPropertyDocument(
                        property.PropertyType, property.PropertyInstanceId, property.PropertyId, property.PropertyVersion, property.Value))]
                    : null,
                nic.RequiredFeatures))],
            vm.Operations.LastOrDefault() is { } last
                ? new VmOperationDocument(last.Id, last.Kind, Camel(last.Status.ToString()), Of(last.Problem))
                : null,
            vm is VmState.Migrating moving ? RenderMigration.Id(EntityId.Migration(view.Id.Parts[0], moving.Number)) : null,
            vm.Missing.IsDefaultOrEmpty ? null : vm.Missing, Text(view.Revision), view.Updated);
    }

    public static OperationDocument Operation(OperationRow row) =>
        new(row.Id, row.Kind, row.Actor, row.Status, Of(row.Problem), row.Started, row.Ended, row.Correlation,
            row.Migration is { } migration ? RenderMigration.Id(migration) : null);

    public static OidDocument Oid(OidOutcome outcome, long sequence) => new(
        outcome.RequestId, outcome.Status.Name(), outcome.BytesNeeded, outcome.Output, outcome.RefusedBy, outcome.Faults,
        Trace(outcome.Trace),
        outcome.PortState, outcome.NicState, outcome.PortId, outcome.NicIndex, Text(sequence), outcome.UplinkUsable, outcome.OutputNotKept,
        outcome.Originated?.Select(own => new OriginatedDocument(
            own.Parent, own.RequestId, own.Position, own.Extension, own.Oid.ToString(), own.Status.Name(), Trace(own.Trace))).ToList(),
        outcome.Indicated);

    static IReadOnlyList<OidTraceDocument> Trace(IReadOnlyList<TraceStep> trace) =>
        [.. trace.Select(step => new OidTraceDocument(step.Position, step.Extension, Camel(step.Direction.ToString()), step.Status.Name()))];

    public static AlarmDocument Alarm(AlarmRow row) => new(row.Entity, row.Code, row.Severity, row.Since, row.Reason, row.Action);

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    static string? TextOrNull(long? number) => number is { } value ? Text(value) : null;

    static ProblemDocument? Of(Refusal? refusal) => refusal is null ? null : Problem.Of(refusal).Document();

    static InFlightDocument InFlight(Drain drain) => new(drain.Packets, drain.Oids);

    static ObservedDocument? Observed(DeviceState? seen) => seen is null
        ? null
        : new ObservedDocument(seen.Device, seen.Present, seen.Up, seen.Enslaved, Text(seen.Epoch), Text(seen.Revision), seen.Policy,
            seen.Mtu, seen.Mac);

    /// <summary>The finer state: which OID is with the data path.</summary>
    static string Phase(object state) => Camel(state.GetType().Name);

    static string Camel(string word) => char.ToLowerInvariant(word[0]) + word[1..];
}
