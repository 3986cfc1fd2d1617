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
    public static SwitchState Initial(EntityId id) => new SwitchState.Absent(id);

    public static Decision<SwitchEvent> Decide(SwitchState state, Command command, in Turn turn) =>
        Rejections.Audited(state, command, Judge(state, command, turn), turn);

    static Decision<SwitchEvent> Judge(SwitchState state, Command command, in Turn turn) => (state, command) switch
    {
        (SwitchState.Here { Gone: true }, DefineSwitch) =>
            Decision<SwitchEvent>.Refuse(HostLoss.Refusal(state.Id.Parts[0], HostLoss.Removed)),
        (_, DefineSwitch define) => Define(state, define, turn.Now),
        (_, CheckArrival check) => Arrivals.Decide(state, check.Nic),
        (SwitchState.Absent, _) =>
            Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.NotFound, "switch.absent", $"There is no {state.Id}.")),
        (SwitchState.Here s, SubmitOid submit) => OidLane.Submit(s, submit, turn),
        (SwitchState.Here s, CompleteOid late) => OidLane.Complete(s, late, turn),
        (SwitchState.Here s, CancelOid cancel) => OidLane.Cancel(s, cancel),
        (SwitchState.Here s, SaveNicData save) => NicDataTransfers.Start(s, save.Port, save.NicIndex, null, turn),
        (SwitchState.Here s, RestoreNicData restore) => NicDataTransfers.Start(s, restore.Port, restore.NicIndex, restore.Blobs, turn),
        (SwitchState.Here s, AnswerArrived answer) => Answered(s, answer, turn.Now),
        (SwitchState.Here s, TimerElapsed timer) when timer.EffectId.StartsWith(OidLane.SlowPrefix, StringComparison.Ordinal) =>
            OidLane.Slow(s, timer.EffectId),
        (SwitchState.Here s, TimerElapsed) => Decision<SwitchEvent>.Accept(Rejections.Due(s, turn.Now), null, []),
        (SwitchState.Here s, TakeHoldAt take) =>
            Errands.Start(s, take.PortId, take.NicIndex, on => new TakeHold(take.HoldId, take.Holder, take.Purpose, on), turn),
        (SwitchState.Here s, ReleaseHoldAt release) => Errands.Release(s, release, turn),
        (SwitchState.Here s, SetInFlightAt set) =>
            Errands.Start(s, set.PortId, set.NicIndex, on => new SetInFlight(set.Packets, set.Oids, on), turn),
        (SwitchState.Here s, IndicateStatusAt status) =>
            Errands.Start(s, status.PortId, status.NicIndex, on => new IndicateStatus(status.Status, on), turn),
        (SwitchState.Here s, TellDrift drift) => Drift(s, drift),
        (SwitchState.Here s, ReconcileSwitch reconcile) => Reconciliation.Begin(s, reconcile),
        (SwitchState.Here s, ReportStranger report) => Discovery.Report(s, report),
        (SwitchState.Here s, DeleteSwitch) => Delete(s, turn),
        _ => Decision<SwitchEvent>.NotMine(command),
    };

    static Decision<SwitchEvent> Define(SwitchState state, DefineSwitch define, DateTimeOffset now)
    {
        if (SwitchRules.Refusal(define.Definition) is { } refusal)
        {
            return Decision<SwitchEvent>.Refuse(refusal);
        }
        if (state is SwitchState.Here { Stage: SwitchStage.Deleting } or SwitchState.Here { Adapter.DeleteMessageId: not null })
        {
            return Decision<SwitchEvent>.Refuse(
                Refusal.Illegal("switch.define.deleting", "The switch is being deleted.", "switch.md 9.1", "deleting"));
        }
        var (before, defined) = (state as SwitchState.Here, new SwitchDefined(define.Definition));
        var changes = StackChanges.After(before, (SwitchState.Here)Evolve(state, defined));
        return before is null
            ? Decision<SwitchEvent>.Accept([defined, .. changes], new Done(), [])
            : OidLane.Advance(before, [defined, .. changes], [], now, new Done());
    }

    static Decision<SwitchEvent> Delete(SwitchState.Here s, in Turn turn) =>
        s.Ports.Values.Count(port => !ExternalAdapters.IsOwn(s, port)) is var ports and > 0
            ? Decision<SwitchEvent>.Refuse(Refusal.Illegal("switch.delete.ports", $"The switch has {ports} ports.", "G5", "ports"))
        : (s.Slot is { } slot && !ExternalAdapters.IsOwn(s, slot.MessageId))
            || s.Queue.Any(queued => !ExternalAdapters.IsOwn(s, queued.MessageId))
            ? Decision<SwitchEvent>.Refuse(Refusal.Illegal("switch.delete.busy", "OIDs are in traversal.", "switch.md 3.7", "busy"))
        // Who waits for one would wait for ever: it is forgotten with the switch.
        : !s.Errands.IsEmpty || !s.Transfers.IsEmpty
            ? Decision<SwitchEvent>.Refuse(
                Refusal.Illegal("switch.delete.busy", "References, counters or saved data are under way.", "switch.md 3.7", "busy"))
        : s.Stage == SwitchStage.Deleting || s.Adapter?.DeleteMessageId is not null
            ? Decision<SwitchEvent>.Refuse(
                Refusal.Illegal("switch.delete.deleting", "The switch is being deleted.", "switch.md 9.1", "deleting"))
        : ExternalAdapters.StopFor(s, turn.MessageId) is { } stopping ? OidLane.Advance(s, [stopping], [], turn.Now)
        : Decision<SwitchEvent>.Accept(null, new SwitchDeleteStarted(turn.MessageId));

    static Decision<SwitchEvent> Answered(SwitchState.Here s, AnswerArrived answer, DateTimeOffset now)
    {
        if (s.Slot is { } slot && answer.EffectId == OidLane.EffectId(slot))
        {
            return slot.Stage == SlotStage.Down ? OidLane.Settled(s, slot, answer, now) : OidLane.Resumed(s, slot, answer, now);
        }
        if (Errands.Of(s, answer.EffectId) is { } errand)
        {
            return Errands.Answered(errand, answer);
        }
        if (Reconciliation.LossOf(s, answer.EffectId, out var about) is { } loss)
        {
            return Reconciliation.Answered(s, about, loss, answer, now);
        }
        if (s.Reports.FirstOrDefault(
            pair => answer.EffectId == Reconciliation.ReportEffect(pair.Key, pair.Value)) is { Value: not null } report)
        {
            return Reconciliation.Reported(s, report.Key, report.Value, answer);
        }
        if (ExternalAdapters.Drained(s, answer, now) is { } drained)
        {
            return drained;
        }
        if (Discovery.Removed(s, answer) is { } removed)
        {
            return removed;
        }
        if (HostLoss.In(answer.Refusal) is not null)
        {
            return Given(s, answer.Refusal!, now);
        }
        var completion = (answer.Reply as CommandDone)?.Completion;
        return (s.Stage, completion) switch
        {
            (SwitchStage.Preparing, { Status: NdisStatus.Success }) =>
                OidLane.Advance(s, [new SwitchReady(), .. StackChanges.AttachAll(s with { Stage = SwitchStage.Ready })], [], now),
            (SwitchStage.Preparing, { } failed) => OidLane.Advance(s, [new SwitchNotReady(failed.Status, failed.Detail)], [], now),
            (SwitchStage.Deleting, { Status: NdisStatus.Success }) =>
                Decision<SwitchEvent>.Accept([.. Rejections.All(s), new SwitchDeleted()], null, Deleted(s, null)),
            (SwitchStage.Deleting, { } failed) => Decision<SwitchEvent>.Accept([new SwitchNotReady(failed.Status, failed.Detail)], null,
                Deleted(
                    s, new Refusal(
                        RefusalKind.Conflict, "switch.delete.host", $"The host answered {failed.Status.Name()}: {failed.Detail}"))),
            _ => Decision<SwitchEvent>.Ignore,
        };
    }

    /// <summary>
    /// The host was given up, and answers nothing until it is admitted again: the switch cannot be made, and is defined
    /// anew then; one that was to be removed has gone with its host.
    /// </summary>
    static Decision<SwitchEvent> Given(SwitchState.Here s, Refusal refusal, DateTimeOffset now) => s.Stage switch
    {
        SwitchStage.Preparing => OidLane.Advance(s, [new SwitchNotReady(NdisStatus.Failure, refusal.Detail)], [], now),
        SwitchStage.Deleting => Decision<SwitchEvent>.Accept([.. Rejections.All(s), new SwitchDeleted()], null, Deleted(s, null)),
        _ => Decision<SwitchEvent>.Ignore,
    };

    /// <summary>Who waits for the deletion is answered; and, if it is done, who asked for something else meanwhile.</summary>
    static ImmutableArray<LateAnswer> Deleted(SwitchState.Here s, Refusal? refusal)
    {
        var gone = new Refusal(RefusalKind.NotFound, "switch.absent", "The switch was deleted meanwhile.");
        var others = (refusal is null ? s.Errands.Keys.Concat(s.Transfers.Keys) : []).Select(other => new LateAnswer(other, null, gone));
        return s.DeleteMessageId is { } message
            ? [new LateAnswer(message, refusal is null ? new Done() : null, refusal), .. others]
            : [.. others];
    }

    static Decision<SwitchEvent> Drift(SwitchState.Here s, TellDrift drift)
    {
        var repair = s.Definition.Drift == DriftPolicy.Repair;
        return Decision<SwitchEvent>.Accept(new DriftAnswer(repair), new DriftSeen(drift.Nic, drift.Observed, repair));
    }

    public static SwitchState Evolve(SwitchState state, SwitchEvent happened) => (state, happened) switch
    {
        (SwitchState.Absent s, SwitchDefined e) => ExternalAdapters.Looked(SwitchRules.NewSwitch(s, e.Definition)),
        (SwitchState.Here { Stage: not SwitchStage.Deleting } s, SwitchDefined e) =>
            ExternalAdapters.Looked(Discovery.Removing(SwitchRules.Defined(s, e.Definition))),
        (SwitchState.Here { Stage: SwitchStage.Preparing } s, SwitchReady) => ExternalAdapters.Looked(s with { Stage = SwitchStage.Ready }),
        (SwitchState.Here { Stage: SwitchStage.Preparing or SwitchStage.Deleting } s, SwitchNotReady) =>
            s with { Stage = SwitchStage.Failed, DeleteMessageId = null },
        (SwitchState.Here { Stage: not SwitchStage.Deleting } s, SwitchDeleteStarted e) =>
            s with { Stage = SwitchStage.Deleting, DeleteMessageId = e.MessageId },
        (SwitchState.Here { Stage: SwitchStage.Deleting } s, SwitchDeleted) => new SwitchState.Absent(s.Id, s.Preparations),
        (SwitchState.Here s, OidQueued e) => SwitchRules.Queued(s, e),
        (SwitchState.Here s, OidStarted e) => SwitchRules.Enter(s, e),
        (SwitchState.Here { Slot: { } slot } s, OidResumed e) => s with
        {
            Slot = slot with { Verdict = e.Verdict, Runtime = e.Runtime ?? slot.Runtime, Stage = SwitchRules.StageOf(e.Verdict) },
        },
        (SwitchState.Here { Slot: { } slot } s, OidSlow e) => s with { Slot = slot with { Warned = e.Alarm ? 2 : 1 } },
        (SwitchState.Here s, OidRejected e) =>
            SwitchRules.Leave(SwitchRules.Rejected(Rejections.Recorded(s, e), e.MessageId, e.Refusal), e.MessageId),
        (SwitchState.Here s, RequestRejected e) => Rejections.Recorded(s, e),
        (SwitchState.Here s, OidRejectionCounted e) => SwitchRules.Leave(Rejections.Counted(s, e), e.MessageId),
        (SwitchState.Here s, OidRejectionsCoalesced e) => Rejections.Coalesced(s, e),
        (SwitchState.Here s, OidCompleted e) => SwitchRules.Leave(SwitchRules.Completed(s, e), e.MessageId),
        (SwitchState.Here s, ExtensionAttached e) =>
            SwitchRules.Kept(s, e.Keeps) with { Unattached = s.Unattached.Remove(SwitchRules.Key(e.Class, e.Extension)) },
        (SwitchState.Here s, ExtensionAttachFailed e) =>
            s with { Unattached = s.Unattached.SetItem(SwitchRules.Key(e.Class, e.Extension), e.Detail) },
        (SwitchState.Here s, ExtensionDetached e) => s with { Unattached = s.Unattached.Remove(SwitchRules.Key(e.Class, e.Extension)) },
        (SwitchState.Here s, SwitchPropertyChanged e) => s with
        {
            Properties = e.Oid == OidCode.PropertyDelete
                ? s.Properties.Remove(e.Property.Key)
                : s.Properties.SetItem(e.Property.Key, new SwitchProperty(e.Property, e.Owner)),
        },
        (SwitchState.Here s, SaveRound e) =>
            SwitchRules.Saved(s, e.PortId, e.NicIndex, saved => saved.SetItem(e.Extension, saved.GetValueOrDefault(e.Extension) + 1)),
        (SwitchState.Here s, SaveCompleted e) => SwitchRules.Saved(s, e.PortId, e.NicIndex, saved => saved.Clear()),
        (SwitchState.Here s, SaveFailed e) => SwitchRules.Saved(s, e.PortId, e.NicIndex, saved => saved.Clear()),
        (SwitchState.Here s, NicDataTransferStarted e) => NicDataTransfers.Started(s, e),
        (SwitchState.Here s, NicDataTransferEnded e) => NicDataTransfers.Ended(s, e),
        (_, OidRefused or OidUndone or ExtensionFaulted or DriftSeen or StackRestartDeferred or StackRestarted
            or OidCancelRequested or RestoreRound or RestoreCompleted or RestoreFailed) => state,
        (SwitchState.Here s, ErrandStarted e) =>
            s with { Errands = s.Errands.Add(e.MessageId, new Errand(e.MessageId, e.Target, e.Errand)) },
        (SwitchState.Here s, ErrandEnded e) => Errands.Ended(s, e),
        (SwitchState.Here s, OidLost e) => SwitchRules.Leave(SwitchRules.Rejected(s, e.MessageId, e.Refusal), e.MessageId),
        (SwitchState.Here s, SwitchObjectLost) => ExternalAdapters.Lost(Reconciliation.Evolve(s, happened)),
        (SwitchState.Here s, ExternalAdapterStarting or ExternalAdapterStarted or ExternalAdapterStopping or ExternalAdapterStopped
            or ExternalAdapterDrained or ExternalAdapterStuck) => ExternalAdapters.Evolve(s, happened),
        (SwitchState.Here s, SwitchReconcileStarted or SwitchReconciled or SwitchLossSettled) => Reconciliation.Evolve(s, happened),
        (SwitchState.Here s, DeviceDiscovered or DiscoveredGone or DiscoveryLimited or LeftOverNotRemoved) => Discovery.Evolve(s, happened),
        (SwitchState.Here { Gone: true } s, SwitchLost) => new SwitchState.Absent(s.Id, s.Preparations),
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    public static IEnumerable<Effect> Outstanding(SwitchState state)
    {
        if (state is not SwitchState.Here s)
        {
            yield break;
        }
        if (s is { Gone: false, Stage: SwitchStage.Preparing or SwitchStage.Deleting })
        {
            yield return HostCommand(s);
        }
        foreach (var effect in OidLane.Outstanding(s).Concat(Errands.Outstanding(s)).Concat(Rejections.Outstanding(s))
            .Concat(Reconciliation.Outstanding(s)).Concat(Discovery.Outstanding(s)).Concat(ExternalAdapters.Outstanding(s)))
        {
            yield return effect;
        }
    }

    static Effect.Ask HostCommand(SwitchState.Here s)
    {
        var verb = s.Stage == SwitchStage.Deleting ? DriverVerb.RemoveSwitch : DriverVerb.EnsureSwitch;
        var effect = $"{verb}:{s.Preparations}:{s.DeleteMessageId}";
        return new Effect.Ask(
            effect, EntityId.Bridge(s.Id.Parts[0]), new IssueCommand(new DriverCommand($"{s.Id}>{effect}", verb, s.Id.Parts[1])));
    }
}
