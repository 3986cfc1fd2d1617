using System.Collections.Immutable;
using System.Diagnostics;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Migrations;

/// <summary>What each event makes of a migration's legs.</summary>
static class MigrationRuns
{
    public static MigrationRun Begun(MigrationBegan e)
    {
        var legs = e.Plan.Definition.Nics.Select(nic => nic.Name).Append(MigrationRun.Group)
            .ToImmutableSortedDictionary(name => name, _ => MigrationLeg.Empty, StringComparer.Ordinal);
        return Planned(new MigrationRun(
            e.MessageId, e.Plan, MigrationStage.Requested, e.At, e.Plan.Epoch, OwnerMoved: false, legs,
            [new MigrationStageTime(MigrationStage.Requested, e.At)]));
    }

    public static MigrationRun Reached(MigrationRun run, MigrationStageReached e)
    {
        var reached = run with { Stage = e.Stage, Since = e.At, Slow = false, Times = run.Times.Add(new MigrationStageTime(e.Stage, e.At)) };
        return e.Stage == MigrationStage.Completed ? reached : Planned(reached);
    }

    /// <summary>Every leg gets the steps of the next row. A guest that was paused before it was waited for is paused.</summary>
    static MigrationRun Planned(MigrationRun run)
    {
        var row = MigrationOrder.After(run.Stage);
        return run.Each((name, leg) => name.Length > 0
            ? leg.Then(row.Nic(run.Nic(name), leg))
            : leg.Then(row.Group(run.Plan).Where(step => step.Kind != MigrationStepKind.AwaitPaused || run.Guest != GuestEvent.Paused)));
    }

    /// <summary>
    /// The migration turns. A step that changes something and is under way is waited for first: what nobody has answered
    /// may still come to pass, and would be left behind.
    /// </summary>
    public static MigrationRun Wound(MigrationRun run, Func<NicDefinition, MigrationLeg, IEnumerable<MigrationStep>> undo) =>
        run.Each((name, leg) => leg is { Remaining: [var step, ..], NotBefore: null } && !MigrationSteps.Looks(step.Kind)
            ? leg with { Remaining = [step], Winding = true }
            : leg.Then(Undo(run, name, leg, undo)));

    /// <summary>The step that was under way was answered: what undoes its leg follows.</summary>
    public static MigrationRun Unwinding(MigrationRun run, Func<NicDefinition, MigrationLeg, IEnumerable<MigrationStep>> undo) =>
        run.Each((name, leg) => leg is { Winding: true, Remaining.IsEmpty: true } ? leg.Then(Undo(run, name, leg, undo)) : leg);

    static IEnumerable<MigrationStep> Undo(
        MigrationRun run, string name, MigrationLeg leg, Func<NicDefinition, MigrationLeg, IEnumerable<MigrationStep>> undo) =>
        name.Length > 0 ? undo(run.Nic(name), leg) : [];

    /// <summary>The next part of the way back begins.</summary>
    public static MigrationRun Returned(MigrationRun run, MigrationReturned e)
    {
        var next = run with { Since = e.At, Slow = false };
        return e.Part switch
        {
            MigrationReturn.Closed => next.With(MigrationRun.Group, leg => leg.Then(run.OwnerMoved
                ? [new MigrationStep(MigrationStepKind.ChangeOwner, MigrationSide.Source, MigrationRun.Group)]
                : [])),
            MigrationReturn.Owned => next.Each((name, leg) => leg.Then(run.GuestLost ? [] : Undo(run, name, leg, MigrationOrder.Rebuild))),
            MigrationReturn.Rebuilt => next.Each((name, leg) => leg.Then(Undo(run, name, leg, MigrationOrder.Remove))),
            _ => throw new UnreachableException(e.Part.ToString()),
        };
    }

    public static MigrationRun After(MigrationRun run, MigrationEvent happened) => happened switch
    {
        MigrationStepDone e => Owned(run, e).With(e.Step.Nic, leg => Noted(leg, e).Next(e.Step, took: true)),
        MigrationStepSkipped e => run.With(e.Step.Nic, leg => leg.Next(e.Step, MigrationSteps.TakesAway(e.Step.Kind))),
        MigrationStepRetried e => run.With(e.Step.Nic, leg => Again(leg, e)),
        MigrationStepDue e => run.With(e.Nic, leg => leg with { NotBefore = null, Number = leg.Number + 1 }),
        MigrationDegraded e => run.With(e.Nic, leg => leg with { Degraded = e.Refusal }),
        MigrationNicNowhere { Last: true } e => run.With(e.Step.Nic, leg => leg.Then([]) with { Nowhere = e.Refusal }),
        MigrationNicNowhere e => run.With(e.Step.Nic, leg =>
            leg with { Nowhere = e.Refusal, Tries = leg.Tries + 1, NotBefore = MigrationLifecycle.RescueAt(e) }),
        MigrationSlow => run with { Slow = true },
        _ => throw new UnreachableException(happened.ToString()),
    };

    static MigrationRun Owned(MigrationRun run, MigrationStepDone e) => e.Step.Kind == MigrationStepKind.ChangeOwner
        ? run with { Epoch = e.Epoch, OwnerMoved = e.Step.Side == MigrationSide.Destination }
        : run;

    static MigrationLeg Noted(MigrationLeg leg, MigrationStepDone e) => (e.Step.Kind, e.Step.Side) switch
    {
        (MigrationStepKind.CheckNic, _) => leg with { VfAssigned = e.VfAssigned },
        (MigrationStepKind.Save, _) => leg with { Blobs = [.. e.Blobs ?? []] },
        (MigrationStepKind.NicDisconnect, MigrationSide.Source) => leg with { ClosedAt = e.At },
        (MigrationStepKind.NicConnect, _) => leg with { OpenedAt = e.At },
        _ => leg,
    };

    /// <summary>A step that takes away waits for its gate first; any other is asked again after a while.</summary>
    static MigrationLeg Again(MigrationLeg leg, MigrationStepRetried e)
    {
        var step = e.Step;
        if (!MigrationSteps.TakesAway(step.Kind))
        {
            return leg with { Tries = leg.Tries + 1, NotBefore = MigrationLifecycle.RetryAt(e, leg.Tries + 1) };
        }
        var wait = step with { Kind = step.Kind == MigrationStepKind.NicDelete ? MigrationStepKind.NicDrain : MigrationStepKind.PortDrain };
        MigrationStep[] first = e.Refusal.Holds is null ? [step with { Kind = MigrationStepKind.NicDisconnect }, wait] : [wait];
        return leg with { Remaining = leg.Remaining.InsertRange(0, first), Number = leg.Number + 1 };
    }
}
