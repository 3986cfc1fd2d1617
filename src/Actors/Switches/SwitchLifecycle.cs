using System.Collections.Immutable;
using System.Diagnostics;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// A switch: its definition, its ordered extensions, and the one slot for the regular OID in traversal. The switch is
/// the sequencer: an OID waits for the slot, is resolved to its port and NIC, passes the extensions in one pure turn,
/// and goes to the object that it is about. That object alone judges whether its state allows it; the answer completes
/// the OID and frees the slot (switch.md 9.3).
/// <code>
///   SubmitOid ─► queue ─► slot: resolve ─► extensions, down ─► Port / Nic ─► data path ─► Port / Nic ─► completed, up
///                           │ unknown object                       │ illegal state
///                           └────────► OidRejected ◄───────────────┘      state unchanged, recorded (see Rejections), slot free
/// </code>
/// Direct OIDs and references never enter the slot (switch.md 3.7): they are errands and go on at once.
/// </summary>
public sealed class SwitchLifecycle : ILifecycle<SwitchState, SwitchEvent>
{
    /// <summary>OIDs that may wait for the slot; the next is answered actor.overloaded.</summary>
    public const int QueueMax = 1_000;

    /// <summary>References and counters in flight to ports and NICs; the next is answered actor.overloaded.</summary>
    public const int ErrandsMax = 1_000;

    public static SwitchState Initial(EntityId id) => new SwitchState.Absent(id);

    public static Decision<SwitchEvent> Decide(SwitchState state, Command command, in Turn turn) => (state, command) switch
    {
        (_, DefineSwitch define) => Define(state, define),
        (SwitchState.Absent, _) => Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.NotFound, "switch.absent", $"There is no {state.Id}.")),
        (SwitchState.Here s, SubmitOid submit) => Submit(s, submit, turn),
        (SwitchState.Here s, AnswerArrived answer) => Answered(s, answer, turn.Now),
        (SwitchState.Here s, TimerElapsed) => Decision<SwitchEvent>.Accept(Rejections.Due(s, turn.Now), null, []),
        (SwitchState.Here s, TakeHoldAt take) =>
            Errand(s, take.PortId, take.NicIndex, new TakeHold(take.HoldId, take.Holder, take.Purpose), turn),
        (SwitchState.Here s, ReleaseHoldAt release) => Release(s, release, turn),
        (SwitchState.Here s, SetInFlightAt set) => Errand(s, set.PortId, set.NicIndex, new SetInFlight(set.Packets, set.Oids), turn),
        (SwitchState.Here s, IndicateStatusAt status) => Errand(s, status.PortId, status.NicIndex, new IndicateStatus(status.Status), turn),
        (SwitchState.Here s, TellDrift drift) => Drift(s, drift),
        (SwitchState.Here, ReconcileSwitch reconcile) => Decision<SwitchEvent>.Accept(
            new Done(), new SwitchReconcileStarted(reconcile.Session, reconcile.Present, reconcile.Devices)),
        (SwitchState.Here s, DeleteSwitch) => Delete(s, turn),
        _ => Decision<SwitchEvent>.NotMine(command),
    };

    static Decision<SwitchEvent> Define(SwitchState state, DefineSwitch define) =>
        SwitchRules.Refusal(define.Definition) is { } refusal ? Decision<SwitchEvent>.Refuse(refusal)
        : state is SwitchState.Here { Stage: SwitchStage.Deleting }
            ? Decision<SwitchEvent>.Refuse(Refusal.Illegal("switch.define.deleting", "The switch is being deleted.", "switch.md 9.1", "deleting"))
        : Decision<SwitchEvent>.Accept(new Done(), new SwitchDefined(define.Definition));

    static Decision<SwitchEvent> Delete(SwitchState.Here s, in Turn turn) =>
        s.Ports.Count > 0
            ? Decision<SwitchEvent>.Refuse(Refusal.Illegal("switch.delete.ports", $"The switch has {s.Ports.Count} ports.", "G5", "ports"))
        : s.Slot is not null || s.Queue.Length > 0
            ? Decision<SwitchEvent>.Refuse(Refusal.Illegal("switch.delete.busy", "OIDs are in traversal.", "switch.md 3.7", "busy"))
        : s.Stage == SwitchStage.Deleting
            ? Decision<SwitchEvent>.Refuse(Refusal.Illegal("switch.delete.deleting", "The switch is being deleted.", "switch.md 9.1", "deleting"))
        : Decision<SwitchEvent>.Accept(null, new SwitchDeleteStarted(turn.MessageId));

    static Decision<SwitchEvent> Submit(SwitchState.Here s, SubmitOid submit, in Turn turn)
    {
        if (s.Stage == SwitchStage.Deleting)
        {
            return Reject(s, submit.Request, Refusal.Illegal("switch.deleting", "The switch is being deleted.", "switch.md 9.1", "deleting"), turn);
        }
        if (submit.Request.Oid.Direct)
        {
            var outcome = Outcome(submit.Request, submit.Request.PortId, Stack.Down(s.Definition, submit.Request, s.Ports, s.Used), NdisStatus.Success, null, "", "");
            return Decision<SwitchEvent>.Accept(outcome, new OidCompleted(turn.MessageId, submit.Request.Oid, outcome));
        }
        if ((submit.Request.Oid == OidCode.PortArray || submit.Request.Oid == OidCode.NicArray) && s.Stage != SwitchStage.Ready)
        {
            // The lists would not be complete, and whoever asks must not wait for the activation (switch.md 2.7, O09).
            return Reject(s, submit.Request, Refusal.Illegal("switch.not-active", "The switch is not active yet.", "O09", s.Stage.ToString()), turn);
        }
        return s.Queue.Length >= QueueMax
            ? Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.Overloaded, "actor.overloaded", $"{QueueMax} OIDs wait for {s.Id}; try again later."))
            : Advance(s, [new OidQueued(turn.MessageId, submit.Request, submit.FromPeer, turn.Who)], [], turn.Now);
    }

    /// <summary>Applies the events so far and lets OIDs into the slot until one stays there or none waits.</summary>
    static Decision<SwitchEvent> Advance(
        SwitchState.Here s, ImmutableArray<SwitchEvent> events, ImmutableArray<LateAnswer> late, DateTimeOffset now)
    {
        SwitchState state = events.Aggregate((SwitchState)s, Evolve);
        while (state is SwitchState.Here { Slot: null, Queue: [var head, ..], Stage: SwitchStage.Ready or SwitchStage.Failed } here)
        {
            var (happened, answer) = Begin(here, head, now);
            // What came and went in this turn and is only counted leaves nothing but the count.
            events = happened is [OidRejectionCounted] ? events.RemoveAll(e => e is OidQueued queued && queued.MessageId == head.MessageId) : events;
            events = events.AddRange(happened);
            late = answer is null ? late : late.Add(answer);
            state = happened.Aggregate(state, Evolve);
        }
        return Decision<SwitchEvent>.Accept(events, null, late);
    }

    /// <summary>The next OID is resolved; it is rejected, completed by the switch itself, or enters the slot.</summary>
    static (ImmutableArray<SwitchEvent> Events, LateAnswer? Answer) Begin(SwitchState.Here s, QueuedOid head, DateTimeOffset now)
    {
        // What ends goes on: a VM of a switch that its host cannot make again still stops.
        var target = s.Stage == SwitchStage.Failed && (head.Request.Oid == OidCode.PortCreate || head.Request.Oid == OidCode.NicCreate)
            ? new OidTarget.Illegal(Refusal.Illegal("switch.not-ready", "The host could not make the switch.", "O09", "failed"))
            : OidTarget.Find(s, head.Request);
        if (target is OidTarget.Illegal(var refusal))
        {
            return (Rejected(s, head.MessageId, head.Caller, head.Request, refusal, now), new LateAnswer(head.MessageId, null, refusal));
        }
        var request = target is OidTarget.Object known ? head.Request with { PortId = known.PortId } : head.Request;
        var verdict = Stack.Down(s.Definition, request, s.Ports, s.Used);
        switch (target)
        {
            case OidTarget.Object(var portId, var port, var nic):
                return ([new OidStarted(head.MessageId, portId, port, nic, verdict)], null);
            case OidTarget.Switch(var output):
                var outcome = Outcome(request, request.PortId, verdict, NdisStatus.Success, null, "", "") with { Output = output };
                return ([.. Faults(head.MessageId, request, verdict), new OidCompleted(head.MessageId, request.Oid, outcome)], new LateAnswer(head.MessageId, outcome, null));
            default:
                throw new UnreachableException(target.ToString());
        }
    }

    static Decision<SwitchEvent> Answered(SwitchState.Here s, AnswerArrived answer, DateTimeOffset now)
    {
        if (s.Slot is { } slot && answer.EffectId == SlotEffect(slot))
        {
            return Complete(s, slot, answer, now);
        }
        if (s.Errands.Values.FirstOrDefault(errand => answer.EffectId == ErrandEffect(errand)) is { } errand)
        {
            return Decision<SwitchEvent>.Accept([new ErrandEnded(errand.MessageId, answer.Reply, answer.Refusal)], null,
                [new LateAnswer(errand.MessageId, answer.Reply, answer.Refusal)]);
        }
        if (s.Reports.FirstOrDefault(pair => answer.EffectId == ReportEffect(pair.Key, pair.Value)) is { Value: not null } report)
        {
            return Decision<SwitchEvent>.Accept(null, new SwitchReconciled(report.Key));
        }
        var completion = (answer.Reply as CommandDone)?.Completion;
        return (s.Stage, completion) switch
        {
            (SwitchStage.Preparing, { Status: NdisStatus.Success }) => Advance(s, [new SwitchReady()], [], now),
            (SwitchStage.Preparing, { } failed) => Advance(s, [new SwitchNotReady(failed.Status, failed.Detail)], [], now),
            (SwitchStage.Deleting, { Status: NdisStatus.Success }) => Decision<SwitchEvent>.Accept([.. Rejections.All(s), new SwitchDeleted()], null, Deleted(s, null)),
            (SwitchStage.Deleting, { } failed) => Decision<SwitchEvent>.Accept([new SwitchNotReady(failed.Status, failed.Detail)], null,
                Deleted(s, new Refusal(RefusalKind.Conflict, "switch.delete.host", $"The host answered {failed.Status.Name()}: {failed.Detail}"))),
            _ => Decision<SwitchEvent>.Ignore,
        };
    }

    static ImmutableArray<LateAnswer> Deleted(SwitchState.Here s, Refusal? refusal) =>
        s.DeleteMessageId is { } message ? [new LateAnswer(message, refusal is null ? new Done() : null, refusal)] : [];

    /// <summary>The object has judged and settled the OID: up goes its status; whoever agreed above a refuser undoes.</summary>
    static Decision<SwitchEvent> Complete(SwitchState.Here s, SlotOid slot, AnswerArrived answer, DateTimeOffset now)
    {
        if (answer.Reply is not OidSettled settled)
        {
            var refusal = answer.Refusal ?? new Refusal(RefusalKind.Defect, "oid.answer", "The object answered with another word.");
            var rejected = Rejected(s, slot.MessageId, slot.Caller, slot.Request, refusal, now);
            return Advance(s, rejected, [new LateAnswer(slot.MessageId, null, refusal)], now);
        }
        var (request, oid) = (slot.Request, slot.Request.Oid);
        var outcome = Outcome(
            request, request.PortId, slot.Verdict, settled.Status, settled.RefusedBy, settled.PortState, NicState(s, slot) ?? settled.NicState)
            with
        { Output = settled.Output };
        if (s.Ports.TryGetValue(request.PortId, out var port) && port.Type == PortType.External && slot.Nic is not null)
        {
            var after = SwitchRules.Completed(s, new OidCompleted(slot.MessageId, oid, outcome));
            outcome = outcome with { UplinkUsable = after.UplinkUsable };
        }
        var events = new List<SwitchEvent>(Faults(slot.MessageId, request, slot.Verdict));
        if (settled.RefusedBy is { } by)
        {
            events.Add(new OidRefused(request.RequestId, oid, by));
            events.AddRange(Stack.Undo(request, slot.Verdict, settled.Status)
                .Select(step => new OidUndone(request.RequestId, oid, step.Position, step.Extension)));
        }
        return Advance(s, [.. events, new OidCompleted(slot.MessageId, oid, outcome)], [new LateAnswer(slot.MessageId, outcome, null)], now);
    }

    /// <summary>A port does not know the state of its NIC; for an OID about the port the switch says it.</summary>
    static string? NicState(SwitchState.Here s, SlotOid slot) =>
        slot.Nic is null && s.Ports.TryGetValue(slot.Request.PortId, out var port) && port.Nics.TryGetValue(0, out var nic) ? nic.State : null;

    static OidOutcome Outcome(
        OidRequest request, uint portId, StackVerdict verdict, NdisStatus status, RefusedBy? by, string portState, string nicState) =>
        new(request.RequestId, request.Oid, status, portId, request.NicIndex, by, verdict.Faults, Stack.WholeTrace(verdict, status), portState, nicState);

    static IEnumerable<SwitchEvent> Faults(string messageId, OidRequest request, StackVerdict verdict) =>
        verdict.Faults.Select(fault => new ExtensionFaulted(messageId, request.RequestId, request.Oid, fault));

    static Decision<SwitchEvent> Reject(SwitchState.Here s, OidRequest request, Refusal refusal, in Turn turn) => Decision<SwitchEvent>.Accept(
        Rejected(s, turn.MessageId, turn.Who, request, refusal, turn.Now), null, [new LateAnswer(turn.MessageId, null, refusal)]);

    static ImmutableArray<SwitchEvent> Rejected(
        SwitchState.Here s, string messageId, string? caller, OidRequest request, Refusal refusal, DateTimeOffset now) =>
        Rejections.Record(s, new OidRejected(messageId, request.RequestId, request.Oid, request.PortId, request.NicIndex, refusal), caller, now);

    static Decision<SwitchEvent> Errand(SwitchState.Here s, uint portId, int? nicIndex, Command errand, in Turn turn)
    {
        if (errand is TakeHold take && (s.Holds.ContainsKey(take.HoldId)
            || s.Errands.Values.Any(other => other.Body is TakeHold same && same.HoldId == take.HoldId)))
        {
            return Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.Conflict, "hold.exists", "There is a hold with this id."));
        }
        if (!s.Ports.TryGetValue(portId, out var port))
        {
            return Decision<SwitchEvent>.Refuse(Refusal.Illegal("port.unknown", $"There is no port {portId}.", "R1", "NotCreated"));
        }
        if (nicIndex is { } index && !port.Nics.ContainsKey(index))
        {
            return Decision<SwitchEvent>.Refuse(Refusal.Illegal("nic.absent", $"There is no NIC {index} on port {portId}.", "R1", "Absent"));
        }
        return s.Errands.Count >= ErrandsMax
            ? Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.Overloaded, "actor.overloaded", $"{ErrandsMax} errands are open at {s.Id}."))
            : Decision<SwitchEvent>.Accept(null, new ErrandStarted(turn.MessageId, nicIndex is { } at ? port.Nics[at].Id : port.Id, errand));
    }

    static Decision<SwitchEvent> Release(SwitchState.Here s, ReleaseHoldAt release, in Turn turn) =>
        s.Holds.TryGetValue(release.HoldId, out var target)
            ? Decision<SwitchEvent>.Accept(null, new ErrandStarted(turn.MessageId, target, new ReleaseHold(release.HoldId)))
            : Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.NotFound, "hold.unknown", "There is no such hold; each is released once.", "R4"));

    static Decision<SwitchEvent> Drift(SwitchState.Here s, TellDrift drift)
    {
        var repair = s.Definition.Drift == DriftPolicy.Repair;
        return Decision<SwitchEvent>.Accept(new DriftAnswer(repair), new DriftSeen(drift.Nic, drift.Observed, repair));
    }

    public static SwitchState Evolve(SwitchState state, SwitchEvent happened) => (state, happened) switch
    {
        (SwitchState.Absent s, SwitchDefined e) => SwitchRules.NewSwitch(s, e.Definition),
        (SwitchState.Here s, SwitchDefined e) => s.Stage == SwitchStage.Failed
            ? s with { Definition = e.Definition, Used = s.Used.Clear(), Stage = SwitchStage.Preparing, Preparations = s.Preparations + 1 }
            : s with { Definition = e.Definition, Used = s.Used.Clear() },
        (SwitchState.Here s, SwitchReady) => s with { Stage = SwitchStage.Ready },
        (SwitchState.Here s, SwitchNotReady) => s with { Stage = SwitchStage.Failed, DeleteMessageId = null },
        (SwitchState.Here s, SwitchDeleteStarted e) => s with { Stage = SwitchStage.Deleting, DeleteMessageId = e.MessageId },
        (SwitchState.Here s, SwitchDeleted) => new SwitchState.Absent(s.Id, s.Preparations),
        (SwitchState.Here s, OidQueued e) => s with { Queue = s.Queue.Add(new QueuedOid(e.MessageId, e.Request, e.FromPeer, e.Caller)) },
        (SwitchState.Here s, OidStarted e) => SwitchRules.Enter(s, e),
        (SwitchState.Here s, OidRejected e) => SwitchRules.Leave(Rejections.Recorded(s, e), e.MessageId),
        (SwitchState.Here s, OidRejectionCounted e) => SwitchRules.Leave(Rejections.Counted(s, e), e.MessageId),
        (SwitchState.Here s, OidRejectionsCoalesced e) => Rejections.Coalesced(s, e),
        (SwitchState.Here s, OidCompleted e) => SwitchRules.Leave(SwitchRules.Completed(s, e), e.MessageId),
        (_, OidRefused or OidUndone or ExtensionFaulted or DriftSeen) => state,
        (SwitchState.Here s, ErrandStarted e) => s with { Errands = s.Errands.Add(e.MessageId, new Errand(e.MessageId, e.Target, e.Errand)) },
        (SwitchState.Here s, ErrandEnded e) => SwitchRules.EndErrand(s, e),
        (SwitchState.Here s, SwitchReconcileStarted e) => SwitchRules.Reconcile(s, e),
        (SwitchState.Here s, SwitchReconciled e) => s with { Reports = s.Reports.Remove(e.Nic) },
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    public static IEnumerable<Effect> Outstanding(SwitchState state)
    {
        if (state is not SwitchState.Here s)
        {
            yield break;
        }
        if (s.Stage is SwitchStage.Preparing or SwitchStage.Deleting)
        {
            yield return HostCommand(s);
        }
        if (s.Slot is { } slot)
        {
            var oid = slot.Request.Oid;
            var toNic = oid == OidCode.NicConnect || oid == OidCode.NicDisconnect || oid == OidCode.NicUpdated;
            yield return new Effect.Ask(SlotEffect(slot), toNic ? slot.Nic!.Value : slot.Port,
                new ArriveOid(slot.Request, s.Id, slot.Port, slot.Nic, slot.Verdict.Refused, slot.Verdict.Mtu));
        }
        foreach (var errand in s.Errands.Values)
        {
            yield return new Effect.Ask(ErrandEffect(errand), errand.Target, errand.Body);
        }
        foreach (var wake in Rejections.Outstanding(s))
        {
            yield return wake;
        }
        // A repair needs the switch: nobody hears of a missing device while the switch itself is being made again.
        foreach (var (nic, report) in s.Stage == SwitchStage.Preparing ? s.Reports.Clear() : s.Reports)
        {
            yield return new Effect.Ask(ReportEffect(nic, report), nic, report);
        }
    }

    static Effect.Ask HostCommand(SwitchState.Here s)
    {
        var verb = s.Stage == SwitchStage.Deleting ? DriverVerb.RemoveSwitch : DriverVerb.EnsureSwitch;
        var effect = $"{verb}:{s.Preparations}:{s.DeleteMessageId}";
        return new Effect.Ask(effect, EntityId.Bridge(s.Id.Parts[0]), new IssueCommand(new DriverCommand($"{s.Id}>{effect}", verb, s.Id.Parts[1])));
    }

    static string SlotEffect(SlotOid slot) => $"oid:{slot.MessageId}";

    static string ErrandEffect(Errand errand) => $"errand:{errand.MessageId}";

    static string ReportEffect(EntityId nic, ReportDevice report) => $"report:{report.Source}:{nic}";
}
