using System.Collections.Immutable;
using System.Text.Json;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// The lane of the regular OIDs of one switch: a queue, and the one slot (switch.md 3.7, 9.3). Nobody waits for anybody
/// while the slot is taken: where the OID is, at an extension, at its NIC or at its port, is a state.
/// </summary>
static class OidLane
{
    /// <summary>OIDs that may wait for the slot; the next is answered actor.overloaded.</summary>
    public const int QueueMax = 1_000;

    public static Decision<SwitchEvent> Submit(SwitchState.Here s, SubmitOid submit, in Turn turn)
    {
        var (request, oid) = (submit.Request, submit.Request.Oid);
        if (s.Stage == SwitchStage.Deleting || s.Adapter?.DeleteMessageId is not null)
        {
            return Reject(
                s, request, Refusal.Illegal("switch.deleting", "The switch is being deleted.", "switch.md 9.1", "deleting"), turn);
        }
        if ((PayloadSizes.Wrong(oid, submit.Header) ?? PayloadSizes.TooLarge(request)) is { } wrong)
        {
            return Reject(s, request, wrong, turn);
        }
        if (oid.Direct)
        {
            var verdict = Stack.Down(s, request);
            var outcome = Outcome(request, verdict, NdisStatus.Success, null, "", "");
            return Decision<SwitchEvent>.Accept(
                [.. Faults(turn.MessageId, request, verdict), new OidCompleted(turn.MessageId, oid, outcome.Recorded())], outcome, []);
        }
        if (s.Stage != SwitchStage.Ready && oid == OidCode.Parameters)
        {
            // Whoever asks whether the switch is active must not wait until it is (switch.md 2.7).
            var outcome = Answered(
                Outcome(request, StackVerdict.Empty, NdisStatus.Success, null, "", ""), SwitchAnswer.Parameters(s, request));
            return Decision<SwitchEvent>.Accept(outcome, new OidCompleted(turn.MessageId, oid, outcome.Recorded()));
        }
        if (s.Stage != SwitchStage.Ready && (oid == OidCode.PortArray || oid == OidCode.NicArray || oid == OidCode.PropertyEnum))
        {
            // The lists would not be complete, and whoever asks must not wait for the activation (switch.md 2.7, O09).
            return Reject(
                s, request, Refusal.Illegal("switch.not-active", "The switch is not active yet.", "O09", s.Stage.ToString()), turn);
        }
        return Full(s, request) is { } full
            ? Decision<SwitchEvent>.Refuse(full)
            : Advance(s, [new OidQueued(turn.MessageId, request, submit.FromPeer, turn.Who)], [], turn.Now);
    }

    static Refusal? Full(SwitchState.Here s, OidRequest next) =>
        s.Queue.Length >= QueueMax ? Overloaded(s, $"{QueueMax} OIDs wait")
        : s.Queue.Sum(queued => (long)PayloadSizes.Weight(queued.Request)) + PayloadSizes.Weight(next) > PayloadSizes.QueueBytesMax
            ? Overloaded(s, $"OIDs of {PayloadSizes.QueueBytesMax} bytes wait")
        : null;

    static Refusal Overloaded(SwitchState.Here s, string what) =>
        new(RefusalKind.Overloaded, "actor.overloaded", $"{what} for {s.Id}; try again later.");

    /// <summary>Applies the events so far, then lets OIDs into the slot and out of it until one has to wait or none is left.</summary>
    public static Decision<SwitchEvent> Advance(
        SwitchState.Here s, ImmutableArray<SwitchEvent> events, ImmutableArray<LateAnswer> late, DateTimeOffset now, Reply? reply = null)
    {
        var state = events.Aggregate((SwitchState)s, SwitchLifecycle.Evolve);
        while (state is SwitchState.Here here && Step(here, now) is { } step)
        {
            // What came and went in this turn and is only counted leaves nothing but the count.
            events = step.Events is [OidRejectionCounted counted]
                ? events.RemoveAll(e => e is OidQueued queued && queued.MessageId == counted.MessageId)
                : events;
            events = events.AddRange(step.Events);
            late = step.Answer is null ? late : late.Add(step.Answer);
            state = step.Events.Aggregate(state, SwitchLifecycle.Evolve);
        }
        return Decision<SwitchEvent>.Accept(events, reply, late);
    }

    static LaneStep? Step(SwitchState.Here s, DateTimeOffset now) => s switch
    {
        _ when s.Transfers.Values.FirstOrDefault(transfer => transfer.Waiting is null) is { } transfer => NicDataTransfers.Step(transfer),
        _ when ExternalAdapters.Step(s) is { } step => step,
        { Slot: { Stage: SlotStage.Down, Verdict.Pause: null } slot } when slot.Port == s.Id => AtSwitch(s, slot),
        { Slot: null, Queue: [var head, ..], Losses.IsEmpty: true, Stage: SwitchStage.Ready or SwitchStage.Failed } => Begin(s, head, now),
        _ => null,
    };

    /// <summary>The next OID is resolved; it is rejected, or enters the slot and goes down.</summary>
    static LaneStep Begin(SwitchState.Here s, QueuedOid head, DateTimeOffset now)
    {
        // What ends goes on: a VM of a switch that its host cannot make again still stops.
        var target = s.Stage == SwitchStage.Failed && (head.Request.Oid == OidCode.PortCreate || head.Request.Oid == OidCode.NicCreate)
            ? new OidTarget.Illegal(Refusal.Illegal("switch.not-ready", "The host could not make the switch.", "O09", "failed"))
            : NicDataTransfers.InTheWay(s, head) ?? OidTarget.Find(s, head.Request);
        if (target is OidTarget.Illegal(var refusal))
        {
            var answer = Asked(s, head.MessageId) ? new LateAnswer(head.MessageId, null, refusal) : null;
            return new LaneStep(Rejected(s, head.MessageId, head.Caller, head.Request, refusal, now), answer);
        }
        var about = target as OidTarget.Object ?? new OidTarget.Object(head.Request.PortId, s.Id, null);
        var request = head.Request with { PortId = about.PortId };
        var reads = request.Oid == OidCode.NicSave && about.Nic is { } nic && NicDataTransfers.HasRuntime(s, nic);
        var verdict = reads ? StackVerdict.Empty : Stack.Down(s, request);
        var started = new OidStarted(head.MessageId, about.PortId, about.Port, about.Nic, verdict) { At = now, ReadsNic = reads };
        return new LaneStep([started, .. Deferred(head.MessageId, request, verdict)], null);
    }

    /// <summary>Below the extensions the switch itself answers.</summary>
    static LaneStep AtSwitch(SwitchState.Here s, SlotOid slot)
    {
        var (request, verdict) = (slot.Request, slot.Verdict);
        var port = s.Ports.GetValueOrDefault(request.PortId);
        var portState = port is null ? "" : port.TearingDown ? "TearingDown" : "Created";
        var nicState = port is null ? "" : port.Nics.TryGetValue(request.NicIndex, out var nic) ? nic.State : "Absent";
        if (verdict.Refused is { } by)
        {
            return Finish(s, slot, Outcome(request, verdict, by.Status, by, portState, nicState));
        }
        if (verdict.Completed is { } completed)
        {
            return Finish(s, slot, Ended(Outcome(request, verdict, completed.Status, null, portState, nicState), completed));
        }
        var answer = SwitchAnswer.To(s, request);
        var edge = answer.Status != NdisStatus.Success && request.Oid.Refusable
            ? new RefusedBy(RefusedBy.EdgePosition, RefusedBy.EdgeName, answer.Status)
            : null;
        return Finish(s, slot, Answered(Outcome(request, verdict, answer.Status, edge, portState, nicState), answer));
    }

    /// <summary>The port or NIC has judged and settled the OID: up goes its status, or that of the extension that ended it.</summary>
    public static Decision<SwitchEvent> Settled(SwitchState.Here s, SlotOid slot, AnswerArrived answer, DateTimeOffset now)
    {
        if (answer.Reply is not OidSettled settled)
        {
            var refusal = answer.Refusal ?? new Refusal(RefusalKind.Defect, "oid.answer", "The object answered with another word.");
            // What was said on the way down is on record whatever the object says of the OID.
            var ended = HostLoss.In(refusal) is not null
                ? [new OidLost(slot.MessageId, slot.Request.RequestId, slot.Request.Oid, refusal)]
                : Rejected(s, slot.MessageId, slot.Caller, slot.Request, refusal, now);
            ImmutableArray<SwitchEvent> events = [.. Faults(slot.MessageId, slot.Request, slot.Verdict), .. ended];
            return Advance(s, [.. events, .. Restarted(s, slot, events)],
                Asked(s, slot.MessageId) ? [new LateAnswer(slot.MessageId, null, refusal)] : [], now);
        }
        // What an object finds legal and has no part in, it settles with success; a refusal from above it stands.
        var by = settled.RefusedBy ?? (settled.Status == NdisStatus.Success ? slot.Verdict.Refused : null);
        var outcome = Outcome(
            slot.Request, slot.Verdict, by?.Status ?? settled.Status, by, settled.PortState, NicState(s, slot) ?? settled.NicState);
        outcome = outcome with { Output = settled.Output, BytesNeeded = settled.BytesNeeded };
        if (outcome.Status == NdisStatus.Success && slot.Verdict.Completed is { } completed)
        {
            outcome = Ended(
                outcome with { Status = completed.Status, Trace = Stack.WholeTrace(slot.Verdict, completed.Status) }, completed);
        }
        if (s.Ports.TryGetValue(slot.Request.PortId, out var port) && port.Type == PortType.External && slot.Nic is not null)
        {
            var after = SwitchRules.Completed(s, new OidCompleted(slot.MessageId, slot.Request.Oid, outcome));
            outcome = outcome with { UplinkUsable = after.UplinkUsable };
        }
        var step = Finish(s, slot, outcome);
        return Advance(s, step.Events, step.Answer is null ? [] : [step.Answer], now);
    }

    /// <summary>The OID is completed: whoever agreed above a refuser undoes, and what was said on the way is on record.</summary>
    static LaneStep Finish(SwitchState.Here s, SlotOid slot, OidOutcome outcome)
    {
        var (request, oid) = (slot.Request, slot.Request.Oid);
        var events = new List<SwitchEvent>(Faults(slot.MessageId, request, slot.Verdict));
        if (outcome.RefusedBy is { } by)
        {
            events.Add(new OidRefused(request.RequestId, oid, by));
            events.AddRange(Stack.Undo(request, slot.Verdict, outcome.Status)
                .Select(step => new OidUndone(request.RequestId, oid, step.Position, step.Extension)));
        }
        if (outcome.Status == NdisStatus.Success && ExtensionRights.IsSwitchProperty(oid))
        {
            events.Add(new SwitchPropertyChanged(request.RequestId, oid, (PropertyParameters)request.Parameters!, slot.Verdict.Owner));
        }
        events.AddRange(NicDataTransfers.Rounds(slot, outcome));
        events.Add(new OidCompleted(slot.MessageId, oid, outcome.Recorded()));
        events.AddRange(Restarted(s, slot, events));
        var answer = Asked(s, slot.MessageId) ? new LateAnswer(slot.MessageId, outcome, null) : null;
        return new LaneStep([.. events], answer);
    }

    /// <summary>Somebody asked for the OID and waits; the switch's own sequences see it in the state.</summary>
    static bool Asked(SwitchState.Here s, string messageId) =>
        NicDataTransfers.Of(s, messageId) is null && !ExternalAdapters.IsOwn(s, messageId);

    /// <summary>The restart that an extension asked for: after this OID, with what is there then.</summary>
    static IEnumerable<SwitchEvent> Restarted(SwitchState.Here s, SlotOid slot, IEnumerable<SwitchEvent> before) =>
        slot.Verdict.RestartFor is { } asker && before.Aggregate((SwitchState)s, SwitchLifecycle.Evolve) is SwitchState.Here after
            ? [new StackRestarted(asker), .. StackChanges.AttachAll(after)]
            : [];

    /// <summary>An extension answers an OID that it had pended.</summary>
    public static Decision<SwitchEvent> Complete(SwitchState.Here s, CompleteOid late, in Turn turn)
    {
        if (late.Status == NdisStatus.Pending)
        {
            return Decision<SwitchEvent>.Refuse(
                new Refusal(RefusalKind.Unprocessable, "oid.completion.pending", "The late answer is not to be pending.", Field: "status"));
        }
        if (s.Slot is not { Verdict.Pause: { } pause } slot || slot.Request.RequestId != late.RequestId
            || pause.Extension != late.Extension)
        {
            return Decision<SwitchEvent>.Refuse(Refusal.Illegal(
                "oid.not-pending", $"No OID {late.RequestId} is pending at {late.Extension}.", "switch.md 3.7",
                s.Slot?.Verdict.Pause is null ? "none" : "another"));
        }
        if (!s.Losses.IsEmpty)
        {
            return Decision<SwitchEvent>.Refuse(new Refusal(
                RefusalKind.Unavailable, "switch.reconciling",
                "The host came up anew, and what is lost is being found out; answer again after it."));
        }
        var verdict = Stack.Resume(s, slot, late.Status);
        return Advance(s, [new OidResumed(slot.MessageId, slot.Request.RequestId, slot.Request.Oid, pause.Extension, late.Status, verdict),
            .. Deferred(slot.MessageId, slot.Request, verdict)], [], turn.Now, new Done());
    }

    /// <summary>The NIC has answered what was asked of it beside the OID: its run-time data, or that it took some back.</summary>
    public static Decision<SwitchEvent> Resumed(SwitchState.Here s, SlotOid slot, AnswerArrived answer, DateTimeOffset now)
    {
        var (verdict, runtime) = slot.Stage == SlotStage.Reading
            ? NicDataTransfers.Read(s, slot, answer)
            : (NicDataTransfers.Restored(slot, answer), null);
        var resumed = new OidResumed(slot.MessageId, slot.Request.RequestId, slot.Request.Oid, null, null, verdict) { Runtime = runtime };
        return Advance(s, [resumed, .. Deferred(slot.MessageId, slot.Request, verdict)], [], now);
    }

    /// <summary>switch.md 9.7: an OID that is open for a second is a warning, for ten an alarm; nothing is forced.</summary>
    public static Decision<SwitchEvent> Slow(SwitchState.Here s, string effectId)
    {
        if (s.Slot is not { At: { } since } slot || !SlowEffects(slot).Any(due => due.Id == effectId))
        {
            return Decision<SwitchEvent>.Ignore;
        }
        var (position, where) = Where(slot);
        return Decision<SwitchEvent>.Accept(null, new OidSlow(
            slot.MessageId, slot.Request.RequestId, slot.Request.Oid, slot.Request.PortId, position, where, since, Alarm: slot.Warned > 0));
    }

    /// <summary>
    /// A cancel is best effort, and no extension here takes it up: it is on record, and the OID ends as it would have
    /// (switch.md 2.3.6, F09). What has ended already has nothing left to cancel.
    /// </summary>
    public static Decision<SwitchEvent> Cancel(SwitchState.Here s, CancelOid cancel)
    {
        var id = cancel.RequestId;
        if (s.Slot is { } slot && slot.Request.RequestId == id)
        {
            var (position, where) = Where(slot);
            return Decision<SwitchEvent>.Accept(new Done(), new OidCancelRequested(id, slot.Request.Oid, position, where));
        }
        return s.Queue.FirstOrDefault(queued => queued.Request.RequestId == id) is { } waiting
            ? Decision<SwitchEvent>.Accept(new Done(), new OidCancelRequested(id, waiting.Request.Oid, null, null))
            : Decision<SwitchEvent>.Refuse(Refusal.Illegal("oid.not-open", $"No OID {id} is open.", "F09", "none"));
    }

    static (int Position, string Name) Where(SlotOid slot) =>
        slot.Verdict.Pause is { } pause ? (pause.Position, pause.Extension) : (RefusedBy.EdgePosition, RefusedBy.EdgeName);

    public const string SlowPrefix = "slow:";

    static readonly TimeSpan WarnAfter = TimeSpan.FromSeconds(1);
    static readonly TimeSpan AlarmAfter = TimeSpan.FromSeconds(10);

    static IEnumerable<Effect> SlowEffects(SlotOid slot) =>
        slot is { At: { } at, Warned: < 2 }
            ? [new Effect.WakeAt($"{SlowPrefix}{slot.Warned}:{slot.MessageId}", at + (slot.Warned == 0 ? WarnAfter : AlarmAfter))]
            : [];

    /// <summary>What the OID in the slot waits for.</summary>
    public static IEnumerable<Effect> Outstanding(SwitchState.Here s)
    {
        if (s.Slot is not { } slot)
        {
            return [];
        }
        Effect? wait = slot switch
        {
            { Stage: SlotStage.Reading } => new Effect.Ask(EffectId(slot), slot.Nic!.Value, new ReadRuntime(slot.Port)),
            { Verdict.Pause: not null } => null,
            { Stage: SlotStage.Restoring } => new Effect.Ask(
                EffectId(slot), slot.Nic!.Value, new RestoreRuntime(slot.Request.RequestId, slot.Verdict.Restores!, slot.Port)),
            _ when slot.Port == s.Id => null,
            _ => new Effect.Ask(EffectId(slot), OidTarget.IsForNic(slot.Request.Oid) ? slot.Nic!.Value : slot.Port,
                new ArriveOid(slot.Request, s.Id, slot.Port, slot.Nic, slot.Verdict.Refused, slot.Verdict.Mtu, slot.Verdict.Owner)),
        };
        return wait is null ? SlowEffects(slot) : SlowEffects(slot).Prepend(wait);
    }

    public static string EffectId(SlotOid slot) => slot.Stage switch
    {
        SlotStage.Reading => $"read:{slot.MessageId}",
        SlotStage.Restoring => $"restore:{slot.MessageId}",
        _ => $"oid:{slot.MessageId}",
    };

    /// <summary>A port does not know the state of its NIC; for an OID about the port the switch says it.</summary>
    static string? NicState(SwitchState.Here s, SlotOid slot) =>
        slot.Nic is null && s.Ports.TryGetValue(slot.Request.PortId, out var port) && port.Nics.TryGetValue(0, out var nic)
            ? nic.State
            : null;

    static OidOutcome Outcome(
        OidRequest request, StackVerdict verdict, NdisStatus status, RefusedBy? by, string portState, string nicState)
    {
        var trace = Stack.WholeTrace(verdict, status, edge: by?.Position == RefusedBy.EdgePosition);
        return new OidOutcome(
            request.RequestId, request.Oid, status, request.PortId, request.NicIndex, by, verdict.Faults, trace, portState, nicState)
        {
            Originated = verdict.Originated,
            Indicated = verdict.Indicated,
        };
    }

    static OidOutcome Answered(OidOutcome outcome, SwitchAnswer answer) =>
        outcome with { Status = answer.Status, Output = answer.Output, BytesNeeded = answer.BytesNeeded };

    static OidOutcome Ended(OidOutcome outcome, CompletedBy completed) => outcome with
    {
        Output = completed.Saved is { } blob
            ? JsonSerializer.SerializeToElement(SavedState.Of(blob), SwitchOutputJson.Default.SavedState)
            : completed.Output,
        BytesNeeded = completed.BytesNeeded,
    };

    static IEnumerable<SwitchEvent> Faults(string messageId, OidRequest request, StackVerdict verdict) =>
        verdict.Faults.Select(fault => new ExtensionFaulted(messageId, request.RequestId, request.Oid, fault));

    /// <summary>F07: the restart that an extension asks for cannot end while an OID is pending.</summary>
    static IEnumerable<SwitchEvent> Deferred(string messageId, OidRequest request, StackVerdict verdict) =>
        verdict is { Pause: not null, RestartFor: { } extension }
            ? [new StackRestartDeferred(messageId, request.RequestId, request.Oid, extension)]
            : [];

    static Decision<SwitchEvent> Reject(SwitchState.Here s, OidRequest request, Refusal refusal, in Turn turn) =>
        Decision<SwitchEvent>.Accept(
            Rejected(s, turn.MessageId, turn.Who, request, refusal, turn.Now), null, [new LateAnswer(turn.MessageId, null, refusal)]);

    static ImmutableArray<SwitchEvent> Rejected(
        SwitchState.Here s, string messageId, string? caller, OidRequest request, Refusal refusal, DateTimeOffset now) =>
        Rejections.Record(
            s, new OidRejected(messageId, request.RequestId, request.Oid, request.PortId, request.NicIndex, refusal), caller, now);
}

/// <summary>One step of the lane: what happened, and the answer to whoever waited for it.</summary>
readonly record struct LaneStep(ImmutableArray<SwitchEvent> Events, LateAnswer? Answer);
