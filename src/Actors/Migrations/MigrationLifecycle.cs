using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Migrations;

/// <summary>
/// The move of one VM from host to host: one saga, with a strand of its own for each NIC between two barriers, so that all
/// NICs move or none does (migration.md F7). Who speaks to it: its VM, which waits for where it stays; the switches, NICs
/// and bridges that answer its steps; an operator who cancels; a VM manager that tells of the guest; the clock.
/// <code>
///   Unknown ──begin──► Moving: row by row of MigrationOrder ─────────────────────────────► Ended: moved
///                        │                               │
///                        │ before the source is touched  │ after: the destination refuses, or the way is cancelled
///                        ▼                               ▼
///                     Aborting                        Returning
///                     the VM goes on at once;         destination closed ─► source owns ─► source rebuilt: the VM goes on
///                     destination removed             ─► destination removed
///                        │                               │
///                        └───────────────────────────────┴──────────────────────────► Ended: not moved, with the problem
/// </code>
/// It holds nothing that is not stored: every step is open work until its answer came, and asking again is safe. The right
/// to pass traffic is never its own to give: the VM's one append makes the owner (F1), the NIC is on one port at a time,
/// and the host refuses an epoch below the highest that it has seen (F3).
/// </summary>
public sealed class MigrationLifecycle : ILifecycle<MigrationState, MigrationEvent>
{
    /// <summary>The destination may refuse a NIC so often before it goes back (switch.md 9.6).</summary>
    public const int TriesMax = 3;

    static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);

    /// <summary>The source is asked again to take back a NIC that it refuses.</summary>
    public static readonly TimeSpan BetweenRescues = TimeSpan.FromSeconds(10);

    const string DeadlineEffect = "deadline";
    const string StagePrefix = "stage:";
    const string AgainSuffix = ":again";

    public static MigrationState Initial(EntityId id) => new MigrationState.Unknown(id);

    public static Decision<MigrationEvent> Decide(MigrationState state, Command command, in Turn turn) => (state, command) switch
    {
        (MigrationState.Unknown, BeginMigration begin) =>
            Decision<MigrationEvent>.Accept(null, new MigrationBegan(turn.MessageId, begin.Plan, turn.Now)),
        (MigrationState.Unknown, _) =>
            Decision<MigrationEvent>.Refuse(new Refusal(RefusalKind.NotFound, "migration.absent", $"There is no {state.Id}.")),
        (_, BeginMigration) =>
            Decision<MigrationEvent>.Refuse(Refusal.Illegal("migration.begun", "This migration was begun before.", "migration.md c.2", Name(state))),

        (_, AnswerArrived answer) => Answered(state, answer, turn.Now),
        (_, TimerElapsed timer) => Elapsed(state, timer.EffectId, turn.Now),

        (MigrationState.Moving s, CancelMigration) => MigrationOrder.After(s.Run.Stage).Cancel switch
        {
            MigrationExit.Refuse => Illegal(s, "cancel", "It is past the commit point: the destination owns the VM."),
            var exit => Leave(s, exit, [], Cancelled, turn.Now, new Done()),
        },
        (_, CancelMigration) => Illegal(state, "cancel", state is MigrationState.Ended ? "It has ended." : "It is going back as it is."),

        (MigrationState.Moving s, NoteGuestLost lost) when !MigrationOrder.SourceTouched(s.Run) =>
            Leave(s, MigrationExit.Abort, [], HostLoss.Refusal(lost.Host, lost.Reason), turn.Now, new Done()),
        (MigrationState.Moving { Run.OwnerMoved: true } s, NoteGuestLost lost) when lost.Host == s.Run.Plan.Destination =>
            Leave(s, MigrationOrder.After(s.Run.Stage).Late == MigrationExit.Return ? MigrationExit.Return : MigrationExit.GoOn,
                [], HostLoss.Refusal(lost.Host, lost.Reason), turn.Now, new Done()),
        // A source that is closing: the loss is its proof (F4), and what it may get back is made after it.
        (MigrationState.Moving { Run.OwnerMoved: false } or MigrationState.Returning { Part: not MigrationReturn.Rebuilt }, NoteGuestLost lost)
            when lost.Host == state.RunOrNull!.Plan.Definition.Host =>
            Decision<MigrationEvent>.Accept(new Done(), new MigrationGuestLost(lost.Host, lost.Reason)),
        (_, NoteGuestLost) => Decision<MigrationEvent>.Accept(new Done()), // the VM's own: it has been told where it stays

        (MigrationState.Moving s, ReportGuest report) => Guest(s, report.Event, turn.Now),
        (_, ReportGuest) => Illegal(state, "guest", "It does not move the guest any more."),
        _ => Decision<MigrationEvent>.NotMine(command),
    };

    static readonly Refusal Cancelled = new(RefusalKind.Conflict, "migration.cancelled", "An operator cancelled the migration.");

    static Decision<MigrationEvent> Guest(MigrationState.Moving s, GuestEvent happened, DateTimeOffset now)
    {
        if (s.Run.Plan.Guest != GuestMover.External)
        {
            return Illegal(s, "guest", "Nobody was to say how the guest does: the migration was asked for without guest external.");
        }
        var row = MigrationOrder.After(s.Run.Stage);
        var awaits = s.Run.Legs[MigrationRun.Group].Remaining is [{ Kind: var kind } step, ..] && MigrationSteps.Waits(kind) ? step : null;
        return happened switch
        {
            GuestEvent.Paused when s.Run.Guest == GuestEvent.Paused => Decision<MigrationEvent>.Accept(new Done()),
            GuestEvent.Resumed when awaits?.Kind != MigrationStepKind.AwaitResumed =>
                Illegal(s, "guest", "The destination's gates are not open yet: the guest resumes after them (migration.md c.5)."),
            GuestEvent.Failed when row.Cancel == MigrationExit.Refuse && row.Fails == MigrationExit.GoOn =>
                Illegal(s, "guest", "The guest runs at the destination: only forward from here (migration.md c.3 R-d)."),
            GuestEvent.Failed => Leave(s, MigrationOrder.SourceTouched(s.Run) ? MigrationExit.Return : MigrationExit.Abort,
                [new GuestReported(happened, now)], new Refusal(RefusalKind.Conflict, "migration.guest.failed", "The guest could not be moved."), now, new Done()),
            _ when awaits is not null => Go(s, [new GuestReported(happened, now), new MigrationStepDone(awaits, now)], now, new Done()),
            _ => Decision<MigrationEvent>.Accept(new Done(), new GuestReported(happened, now)),
        };
    }

    static Decision<MigrationEvent> Answered(MigrationState state, AnswerArrived answer, DateTimeOffset now)
    {
        if (state is not (MigrationState.Moving or MigrationState.Aborting or MigrationState.Returning) || state.RunOrNull is not { } run
            || run.Legs.FirstOrDefault(pair => answer.EffectId == MigrationSteps.EffectId(pair.Key, pair.Value)) is not { Value: { Remaining: [var step, ..] } leg })
        {
            return Decision<MigrationEvent>.Ignore; // of a step that nobody waits for any more
        }
        if (MigrationSteps.Refused(run, step, answer) is not { } refusal)
        {
            return Go(state, [MigrationSteps.Done(step, answer.Reply, now)], now);
        }
        return (state, step.Kind) switch
        {
            // A gate that closed again, or a peer that connected the NIC: once more from the wait (as a stop does).
            _ when MigrationSteps.TakesAway(step.Kind) && (refusal.Holds is not null || refusal.Code == NicLifecycle.DeleteConnected) =>
                Go(state, [new MigrationStepRetried(step, refusal, now)], now),
            (_, MigrationStepKind.Restore) => Go(state, [new MigrationDegraded(step.Nic, refusal), new MigrationStepSkipped(step, refusal)], now),
            (_, MigrationStepKind.ReleaseVf) => Go(state, [new MigrationStepSkipped(step, refusal)], now),
            (MigrationState.Moving, MigrationStepKind.NicCreate or MigrationStepKind.NicConnect)
                when HostLoss.In(refusal) is null && leg.Tries + 1 < TriesMax => Go(state, [new MigrationStepRetried(step, refusal, now)], now),
            (MigrationState.Moving s, _) => Leave(s, MigrationOrder.After(run.Stage).Fails, [new MigrationStepSkipped(step, refusal)], refusal, now),
            (MigrationState.Returning { Part: MigrationReturn.Owned, Run.GuestLost: false }, _) when HostLoss.In(refusal) is { } lost =>
                Go(state, [new MigrationGuestLost(run.Plan.Definition.Host, lost), new MigrationStepSkipped(step, refusal)], now),
            (MigrationState.Returning { Part: MigrationReturn.Owned, Run.GuestLost: false }, _) =>
                Go(state, [new MigrationNicNowhere(step, refusal, now, leg.Tries + 1 >= TriesMax)], now),
            _ => Go(state, [new MigrationStepSkipped(step, refusal)], now),
        };
    }

    static Decision<MigrationEvent> Elapsed(MigrationState state, string effect, DateTimeOffset now)
    {
        if (state is MigrationState.Moving late && effect == DeadlineEffect && !MigrationOrder.SourceTouched(late.Run))
        {
            return Leave(late, MigrationExit.Abort, [], Late($"The migration was not ready to switch over after {late.Run.Plan.DeadlineSeconds} s"), now);
        }
        if (effect.EndsWith(AgainSuffix, StringComparison.Ordinal))
        {
            return state.RunOrNull?.Legs.FirstOrDefault(pair => effect == Again(pair.Key, pair.Value)) is { Value.NotBefore: not null } due
                ? Decision<MigrationEvent>.Accept(null, new MigrationStepDue(due.Key))
                : Decision<MigrationEvent>.Ignore;
        }
        return state switch
        {
            MigrationState.Moving s when effect == StageEffect(s.Run) && MigrationOrder.After(s.Run.Stage) is { Late: var exit } row => exit switch
            {
                MigrationExit.Alarm => Decision<MigrationEvent>.Accept(null, new MigrationSlow(s.Run.Stage, s.Run.Since)),
                _ => Leave(s, exit, exit == MigrationExit.GoOn ? Given(s.Run) : [], Late($"{row.To} was not reached {row.Within!.Value.TotalSeconds:0} s after {row.From}"), now),
            },
            MigrationState.Returning s when effect == StageEffect(s.Run) =>
                Decision<MigrationEvent>.Accept(null, new MigrationSlow(s.Run.Stage, s.Run.Since)),
            _ => Decision<MigrationEvent>.Ignore,
        };
    }

    static Refusal Late(string what) => new(RefusalKind.Expired, "migration.deadline", $"{what}.", "migration.md c.2");

    /// <summary>What may be given up when its time is over: every step that is left.</summary>
    static ImmutableArray<MigrationEvent> Given(MigrationRun run) =>
        [.. run.Legs.Values.SelectMany(leg => leg.Remaining).Select(step => new MigrationStepSkipped(step, Late($"{step.Kind} was not done")))];

    /// <summary>The row's way out.</summary>
    static Decision<MigrationEvent> Leave(
        MigrationState.Moving s, MigrationExit exit, ImmutableArray<MigrationEvent> events, Refusal problem, DateTimeOffset now, Reply? reply = null)
    {
        var all = exit switch
        {
            MigrationExit.Abort => events.Add(new MigrationAborting(problem, now)),
            MigrationExit.Return => events.Add(new MigrationReturning(problem, now)),
            MigrationExit.GoOn => events,
            _ => throw new UnreachableException(exit.ToString()),
        };
        return Go(s, all, now, reply);
    }

    /// <summary>The events, and every stage or part that is reached with them; the VM is answered when it is where it stays.</summary>
    static Decision<MigrationEvent> Go(MigrationState state, ImmutableArray<MigrationEvent> events, DateTimeOffset now, Reply? reply = null)
    {
        var after = events.Aggregate(state, Evolve);
        while (Next(after, now) is { } next)
        {
            events = events.Add(next);
            after = Evolve(after, next);
        }
        var run = after.RunOrNull!;
        var stays = events.Select(happened => happened switch
        {
            MigrationStageReached { Stage: MigrationStage.DestRunning } => new MigrationFinished(run.Plan.Destination, null),
            MigrationAborting e => new MigrationFinished(run.Plan.Definition.Host, e.Problem),
            MigrationReturned { Part: MigrationReturn.Rebuilt } => Returned(after, run),
            _ => null,
        }).FirstOrDefault(finished => finished is not null);
        return Decision<MigrationEvent>.Accept(events, reply, stays is null ? [] : [new LateAnswer(run.MessageId, stays, null)]);
    }

    static MigrationFinished Returned(MigrationState after, MigrationRun run) => new(
        run.Plan.Definition.Host, ((after as MigrationState.Returning)?.Problem ?? (after as MigrationState.Ended)?.Problem)!)
    {
        Lost = run.GuestLost,
        Heard = run.Heard,
        Missing = run.Legs.Where(pair => pair.Value.Nowhere is not null).Select(pair => pair.Key).ToList() is { Count: > 0 } missing ? missing : null,
    };

    /// <summary>Nobody has a step left: what follows by itself.</summary>
    static MigrationEvent? Next(MigrationState state, DateTimeOffset now) => state switch
    {
        MigrationState.Moving { Run.Rests: true, Run.Stage: MigrationStage.Completed } => new MigrationEnded(null, now),
        MigrationState.Moving { Run: { Rests: true } run } => new MigrationStageReached(MigrationOrder.After(run.Stage).To, now),
        MigrationState.Aborting { Run.Rests: true } s => new MigrationEnded(s.Problem, now),
        MigrationState.Returning { Run.Rests: true } s => s.Part switch
        {
            null => new MigrationReturned(MigrationReturn.Closed, now),
            MigrationReturn.Closed => new MigrationReturned(MigrationReturn.Owned, now),
            MigrationReturn.Owned => new MigrationReturned(MigrationReturn.Rebuilt, now),
            _ => new MigrationEnded(s.Problem, now),
        },
        _ => null,
    };

    public static MigrationState Evolve(MigrationState state, MigrationEvent happened) => (state, happened) switch
    {
        (MigrationState.Unknown s, MigrationBegan e) => new MigrationState.Moving(s.Id, MigrationRuns.Begun(e)),
        (MigrationState.Moving s, MigrationStageReached e) => s with { Run = MigrationRuns.Reached(s.Run, e) },
        (MigrationState.Moving s, GuestReported e) => s with { Run = s.Run with { Guest = e.Event } },
        (MigrationState.Moving s, MigrationAborting e) => new MigrationState.Aborting(
            s.Id, MigrationRuns.Wound(s.Run with { Since = e.At, Slow = false }, MigrationOrder.Remove), e.Problem),
        (MigrationState.Moving s, MigrationReturning e) => new MigrationState.Returning(
            s.Id, MigrationRuns.Wound(s.Run with { Since = e.At, Slow = false }, MigrationOrder.Close), e.Problem),
        (MigrationState.Moving s, MigrationGuestLost) => s with { Run = s.Run with { Heard = s.Run.Heard + 1 } },
        (MigrationState.Returning s, MigrationGuestLost) => s with { Run = s.Run with { GuestLost = true, Heard = s.Run.Heard + 1 } },
        (MigrationState.Returning s, MigrationReturned e) => s with { Part = e.Part, Run = MigrationRuns.Returned(s.Run, e) },
        (MigrationState.Moving s, MigrationEnded e) => new MigrationState.Ended(s.Id, s.Run, e.Problem, e.At),
        (MigrationState.Aborting s, MigrationEnded e) => new MigrationState.Ended(s.Id, s.Run, e.Problem, e.At),
        (MigrationState.Returning s, MigrationEnded e) => new MigrationState.Ended(s.Id, s.Run, e.Problem, e.At),
        (MigrationState.Moving or MigrationState.Aborting or MigrationState.Returning, MigrationStepDone or MigrationStepSkipped
            or MigrationStepRetried or MigrationStepDue or MigrationDegraded or MigrationNicNowhere or MigrationSlow) => On(state, happened),
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    /// <summary>A leg goes on; one that was under way when the migration turned is undone from here.</summary>
    static MigrationState On(MigrationState state, MigrationEvent happened) => state switch
    {
        MigrationState.Moving s => s with { Run = MigrationRuns.After(s.Run, happened) },
        MigrationState.Aborting s => s with { Run = MigrationRuns.Unwinding(MigrationRuns.After(s.Run, happened), MigrationOrder.Remove) },
        MigrationState.Returning s => s with { Run = MigrationRuns.Unwinding(MigrationRuns.After(s.Run, happened), MigrationOrder.Close) },
        _ => throw new UnreachableException(state.ToString()),
    };

    public static IEnumerable<Effect> Outstanding(MigrationState state)
    {
        if (state is MigrationState.Unknown or MigrationState.Ended || state.RunOrNull is not { } run)
        {
            yield break;
        }
        foreach (var (nic, leg) in run.Legs)
        {
            if (leg.Remaining is not [var step, ..] || MigrationSteps.Waits(step.Kind))
            {
                continue;
            }
            yield return leg.NotBefore is { } at
                ? new Effect.WakeAt(Again(nic, leg), at, BetweenRescues)
                : MigrationSteps.Ask(state.Id, run, step, MigrationSteps.EffectId(nic, leg));
        }
        if (state is MigrationState.Moving && !MigrationOrder.SourceTouched(run))
        {
            var most = TimeSpan.FromSeconds(run.Plan.DeadlineSeconds);
            yield return new Effect.WakeAt(DeadlineEffect, run.Began + most, most);
        }
        if (!run.Slow && Within(state, run) is { } within)
        {
            yield return new Effect.WakeAt(StageEffect(run), run.Since + within, within);
        }
    }

    static TimeSpan? Within(MigrationState state, MigrationRun run) => state switch
    {
        MigrationState.Moving when run.Stage != MigrationStage.Completed => MigrationOrder.After(run.Stage).Within,
        MigrationState.Returning => MigrationOrder.ReturnWithin,
        _ => null,
    };

    static string StageEffect(MigrationRun run) => string.Create(CultureInfo.InvariantCulture, $"{StagePrefix}{run.Stage}:{run.Since.UtcTicks}");

    static string Again(string nic, MigrationLeg leg) =>
        string.Create(CultureInfo.InvariantCulture, $"{MigrationSteps.EffectId(nic, leg)}:{leg.Tries}{AgainSuffix}");

    internal static DateTimeOffset RetryAt(MigrationStepRetried e, int tries) => e.At + (BetweenTries * tries);

    internal static DateTimeOffset RescueAt(MigrationNicNowhere e) => e.At + BetweenRescues;

    /// <summary>How people call the state: a stage, or the way out.</summary>
    public static string Name(MigrationState state) => state switch
    {
        MigrationState.Moving s => Camel(s.Run.Stage.ToString()),
        MigrationState.Aborting => "aborting",
        MigrationState.Returning s when s.Run.Legs.Values.Any(leg => leg.Nowhere is not null) => "needsOperator",
        MigrationState.Returning => "returning",
        MigrationState.Ended { Problem: null } => "completed",
        MigrationState.Ended => "rolledBack",
        _ => "unknown",
    };

    static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    static Decision<MigrationEvent> Illegal(MigrationState state, string what, string detail) =>
        Decision<MigrationEvent>.Refuse(Refusal.Illegal($"migration.{what}.{Name(state)}", detail, "migration.md c.3", Name(state)));
}
