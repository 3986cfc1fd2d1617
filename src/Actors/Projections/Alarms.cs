using System.Collections.Immutable;
using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Projections;

/// <summary>Something that a person should look at.</summary>
/// <param name="Code">Stable dotted word; one alarm of a code is open per entity.</param>
/// <param name="Reason">What is wrong, in one sentence.</param>
/// <param name="Action">What to do about it.</param>
public sealed record Alarm(string Code, AlarmSeverity Severity, string Reason, string Action);

public enum AlarmSeverity
{
    Warning = 1,
    Critical,
}

/// <summary>The open alarms of an entity follow from its view alone: they close by themselves when the view is well.</summary>
public static class Alarms
{
    public static ImmutableArray<Alarm> Of(EntityView view)
    {
        var alarms = ImmutableArray.CreateBuilder<Alarm>();
        if (view.Notes.Poison is { } poison)
        {
            alarms.Add(new Alarm("actor.parked", AlarmSeverity.Critical,
                $"Message {poison.MessageId} failed three times: {poison.Error}",
                $"POST /v1/actors/{view.Id}/unpark with {{\"drop\": false}} to try it again, or {{\"drop\": true}} to give it up."));
        }
        switch (view.State)
        {
            case NicState nic:
                OfNic(alarms, view, nic);
                break;
            case PortState port:
                OfPort(alarms, view, port);
                break;
            case SwitchState.Here here:
                OfSwitch(alarms, view, here);
                break;
            case VmState { Missing.IsDefaultOrEmpty: false } vm:
                alarms.Add(new Alarm("vm.nic-nowhere", AlarmSeverity.Critical,
                    $"VM {view.Id.Parts[0]} runs without {string.Join(", ", vm.Missing)}: no host took what its last migration brought back.",
                    "Remove the NIC and add it again, or stop the VM and start it; why it was refused is in the migration."));
                break;
            case MigrationState.Moving or MigrationState.Aborting or MigrationState.Returning:
                MigrationAlarms.Add(alarms, (MigrationState)view.State);
                break;
            case BridgeState { Online: false, Removed: false, Session: > 0 } bridge:
                alarms.Add(new Alarm("host.offline", AlarmSeverity.Critical,
                    $"Host {view.Id.Parts[0]} has had no session since session {bridge.Session} closed; {bridge.Commands.Count} commands wait for it.",
                    "Start its agent, or look at the network between; traffic on the host goes on meanwhile."));
                if (bridge.Behind is { } behind)
                {
                    alarms.Add(OldSnapshot(view.Id.Parts[0], bridge, behind));
                }
                if (bridge.Ahead is { } ahead)
                {
                    alarms.Add(UnknownCommand(view.Id.Parts[0], ahead));
                }
                break;
        }
        return alarms.DrainToImmutable();
    }

    static void OfNic(ImmutableArray<Alarm>.Builder alarms, EntityView view, NicState nic)
    {
        if (nic.BodyOrNull is not { } body)
        {
            return;
        }
        if (body.Drift is { } drift)
        {
            alarms.Add(new Alarm("nic.drift", AlarmSeverity.Warning,
                $"The device is {(drift.Observed.Present ? InWords(drift.Observed, body) : "gone")}; the NIC is {nic.Name}.",
                drift.Stage == DriftStage.Repairing
                    ? "The switch repairs it."
                    : "Bring the device back, or set the switch's drift policy to repair and start the NIC again."));
        }
        if (body.Transfer is { Overdue: true })
        {
            alarms.Add(new Alarm("nic.restore.overdue", AlarmSeverity.Warning,
                $"The port is a restoring one, and {NicTransfer.RestoreMax.TotalSeconds:0} s after NIC_CONNECT no NIC_RESTORE_COMPLETE has come: the NIC runs without its data.",
                "Send NIC_RESTORE and NIC_RESTORE_COMPLETE, or disconnect the NIC."));
        }
        if (body.Drain.Stuck)
        {
            alarms.Add(Stuck("nic.drain.stuck", "NIC_DELETE", body.Drain));
        }
        if (view.Notes.Fault is { } fault && !nic.IsReady())
        {
            alarms.Add(EdgeFault("nic.edge-fault", fault));
        }
    }

    static string InWords(DeviceState seen, NicBody body)
    {
        var policy = NicDevice.Enforces(seen, body.Policy) ? "" : ", its port's policy not enforced";
        var mtu = seen.Mtu is { } has && body.Parameters.Mtu is { } wanted && has != wanted ? $", its MTU {has} and not {wanted}" : "";
        var mac = seen.Mac is { } guarded && body.Mac is { } own && guarded != own ? $", the address of its guard {guarded} and not {own}" : "";
        return $"there, its gate {(seen.Up ? "open" : "closed")}, {(seen.Enslaved ? "on" : "not on")} the switch{policy}{mtu}{mac}";
    }

    static void OfPort(ImmutableArray<Alarm>.Builder alarms, EntityView view, PortState port)
    {
        if (port.BodyOrNull is not { } body)
        {
            return;
        }
        if (body.Drain.Stuck)
        {
            alarms.Add(Stuck("port.drain.stuck", "PORT_TEARDOWN or PORT_DELETE", body.Drain));
        }
        if (view.Notes.Fault is { } fault)
        {
            alarms.Add(EdgeFault("port.edge-fault", fault));
        }
        if (view.Notes.Warning is { } warning)
        {
            alarms.Add(new Alarm("port.property.delete-refused", AlarmSeverity.Warning,
                $"Extension {warning.What} refused PORT_PROPERTY_DELETE with {warning.Status}; the property is kept (switch.md 8.4).",
                "Disable or replace the extension, then delete the property again; or go on with it as it is."));
        }
    }

    static void OfSwitch(ImmutableArray<Alarm>.Builder alarms, EntityView view, SwitchState.Here here)
    {
        if (here.Stage == SwitchStage.Failed)
        {
            alarms.Add(new Alarm("switch.failed", AlarmSeverity.Critical,
                $"The host could not make the switch: {view.Notes.Fault?.Status} {view.Notes.Fault?.Detail}".TrimEnd(),
                "Repair the host, then PUT the switch again; it is also tried at the host's next session."));
        }
        if (here.Adapter is { Problem: { } problem } adapter)
        {
            alarms.Add(new Alarm("switch.adapter", AlarmSeverity.Critical,
                $"The external adapter is {(adapter.Stage == AdapterStage.Down ? "not up" : "neither up nor down")}: {problem.Detail}",
                "Remove the cause, then PUT the switch again; it is also tried at its next activation."));
        }
        if (here.Slot is { Warned: > 0 } slot)
        {
            alarms.Add(SlowOid(slot));
        }
        if (here.Slot is { Verdict: { Pause: { } pause, RestartFor: { } asker } })
        {
            alarms.Add(new Alarm("switch.stack.deadlock-risk", AlarmSeverity.Warning,
                $"Extension {asker} asked for a restart of the stack while an OID is pending at {pause.Extension}: the restart follows the OID, and waiting for it first would be for ever.",
                $"Have {pause.Extension} answer the OID, or disable it with PUT of the switch."));
        }
        OfDiscovered(alarms, here);
        foreach (var (extension, why) in here.Unattached)
        {
            alarms.Add(new Alarm($"switch.extension-unattached.{extension.Replace('/', '.')}", AlarmSeverity.Warning,
                $"Extension {extension} could not attach ({why}); the switch goes on without it.",
                "PUT the switch again to have it tried again, or without the extension."));
        }
        if (view.Notes.Warning is { } warning)
        {
            alarms.Add(new Alarm("switch.extension-fault", AlarmSeverity.Warning,
                $"Extension {warning.What} broke rule {warning.Status}: {warning.Detail}",
                "Disable or replace the extension with PUT of the switch."));
        }
    }

    /// <summary>switch.md 9.5: devices that nobody of ours made, and what our own left behind.</summary>
    static void OfDiscovered(ImmutableArray<Alarm>.Builder alarms, SwitchState.Here here)
    {
        var foreign = here.Discovered.Where(pair => !pair.Value.LeftOver).Select(pair => pair.Key).ToList();
        var leftOver = here.Discovered.Where(pair => pair.Value.LeftOver).ToList();
        if (foreign.Count > 0 || here.NotRecorded > 0)
        {
            alarms.Add(new Alarm("switch.discovered", AlarmSeverity.Warning,
                $"Devices that no NIC of ours knows are on the switch: {Named(foreign)}{(here.NotRecorded > 0 ? $"; more than {Discovery.Max} are not recorded" : "")}.",
                "Take them off the bridge; or leave them: nothing is done about them."));
        }
        if (leftOver.Count > 0)
        {
            var problem = leftOver.Select(pair => pair.Value.Problem).FirstOrDefault(text => text is not null);
            alarms.Add(new Alarm("switch.left-over", AlarmSeverity.Warning,
                $"Devices of NICs that are on no port are left on the host: {Named([.. leftOver.Select(pair => $"{pair.Key} of {pair.Value.Device.NicKey}")])}.{(problem is null ? "" : $" The host did not remove one: {problem}.")}",
                "Delete them on the host, or PUT the switch with drift repair to have them removed."));
        }
    }

    /// <summary>reliability.md 9 I19: a host's epochs are never above those of the journal.</summary>
    static Alarm UnknownCommand(string host, UnknownCommandSeen ahead) => new("host.unknown-command", AlarmSeverity.Critical,
        $"{ahead.Nic} is at {ahead.Epoch}.{ahead.Revision} on host {host}, and {ahead.KnownEpoch}.{ahead.KnownRevision} was issued: events are lost (the journal fell back to an older state), or somebody else commands the host. It gets no session.",
        $"Bring the newer journal back, or stop whoever else commands the host. If neither can be: `cpctl host delete {host} --force`, `cpctl host readmit {host}`; what is on it counts as left over then, and a switch that repairs removes it.");

    /// <summary>reliability.md 9 I25: the stream of a host does not go back.</summary>
    static Alarm OldSnapshot(string host, BridgeState bridge, OldSnapshotRefused behind) => new("host.old-snapshot", AlarmSeverity.Critical,
        $"Host {host} came with a state of frame {behind.StreamEpoch}:{behind.LastSeq}, and {bridge.StreamEpoch}:{bridge.Cursor} is known: it lost its state, or has an older one. It gets no session.",
        $"Give it its last state back; or stop its agent, `cpctl host delete {host} --force`, `cpctl host readmit {host}`, and start the agent: what was on it ends as lost.");

    static string Named(List<string> all) =>
        all.Count == 0 ? "none" : string.Join(", ", all.Take(NamedMax)) + (all.Count > NamedMax ? $" and {all.Count - NamedMax} more" : "");

    /// <summary>Devices that an alarm names; the switch's document has all of them.</summary>
    const int NamedMax = 8;

    /// <summary>switch.md 9.7: a second is a warning, ten are an alarm.</summary>
    static Alarm SlowOid(SlotOid slot)
    {
        var where = slot.Verdict.Pause is { } pause ? $"pending at extension {pause.Extension}, position {pause.Position}" : $"at {slot.Nic ?? slot.Port}, below the extensions";
        return new Alarm(slot.Warned > 1 ? "switch.oid.stuck" : "switch.oid.slow", slot.Warned > 1 ? AlarmSeverity.Critical : AlarmSeverity.Warning,
            $"{slot.Request.Oid} ({slot.Request.RequestId}) of port {slot.Request.PortId} has been open since {slot.At:u}: {where}. All other OIDs of the switch wait for it.",
            slot.Verdict.Pause is null
                ? "Look at the host; nothing is forced."
                : "Answer it with POST …/oids/{requestId}/completions, or disable the extension with PUT of the switch.");
    }

    static Alarm Stuck(string code, string what, Drain drain) => new(code, AlarmSeverity.Warning,
        $"{what} has waited since {drain.Since:u} for {drain.InWords}.",
        drain.Holds.IsEmpty
            ? "Look at what keeps packets or OIDs in flight; nothing is forced."
            : $"Have {string.Join(", ", drain.Holds.Values.Select(hold => $"{hold.Holder} release {hold.Id}"))}; nothing is forced.");

    static Alarm EdgeFault(string code, ViewFault fault) => new(code, AlarmSeverity.Warning,
        $"The data path answered {fault.What} with {fault.Status}{(fault.Detail is null ? "" : $": {fault.Detail}")}; the state went on as the OID says.",
        "Look at the host; a repeat of the request, or deleting and creating the NIC, brings the device back.");
}
