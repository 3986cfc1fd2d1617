using System.Collections.Immutable;
using System.Diagnostics;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>
/// A VM: it plays the two sequences of the mission for all its NICs. Who speaks to it: people, and the switches, ports,
/// NICs and bridge that answer its steps.
/// <code>
///               start              every step done
///   Stopped ───────────► Starting ─────────────────► Running
///     ▲  ▲                  │ refused                   │ stop
///     │  └──── Undoing ◄────┘                           ▼
///     │        newest first                          Stopping: disconnect all, then for each NIC
///     └──────────────────────────────────────────────── drain, delete, teardown, drain, delete
///
///   any of them but Stopped ── its host came up anew without it, or was removed ──► Stopped (see VmLosses)
///
///   Running ──a NIC more or less, other properties──► Changing ──every step done, or refused and undone──► Running
///
///   Running ──move to another host──► Migrating: its migration does the steps, the VM says who owns it ──► Running
/// </code>
/// Start, for each NIC: PORT_CREATE, properties, NIC_CREATE, NIC_CONNECT; all or nothing. Stop waits at a closed drain
/// gate as long as it is closed: nothing is forced (switch.md 3.6 R6).
/// </summary>
public sealed class VmLifecycle : ILifecycle<VmState, VmEvent>
{
    /// <summary>NICs that a VM may have.</summary>
    public const int NicsMax = 64;

    /// <summary>Operations that the VM itself remembers; older ones are in the read tables.</summary>
    public const int OperationsMax = 16;

    /// <summary>NIC_DISCONNECTs of one NIC before a ladder goes on without it (vm.nic.stays-connected).</summary>
    public const int DisconnectsMax = 3;

    public static VmState Initial(EntityId id) => new VmState.Undefined(id, 0, []);

    public static Decision<VmEvent> Decide(VmState state, Command command, in Turn turn) => (state, command) switch
    {
        (VmState.Migrating s, AnswerArrived answer) => VmMigrations.Answered(s, answer),
        (_, AnswerArrived answer) => Answered(state, answer),
        (VmState.Migrating s, LoseVm lose) => VmMigrations.Lost(s, lose),
        (_, LoseVm lose) => VmLosses.Decide(state, lose),
        (_, ChangeOwner change) => VmMigrations.Own(state, change),
        (VmState.Undefined or VmState.Stopped, DefineVm define) => VmChanges.Refusal(define.Definition) is { } wrong
            ? Decision<VmEvent>.Refuse(wrong)
            : Decision<VmEvent>.Accept(new Done(), new VmDefined(define.Definition)),
        (VmState.Running s, DefineVm define) => VmChanges.Redefine(s, define.Definition, Operation(turn), turn),
        (_, DefineVm) => Illegal(state, "define", "Wait until what it does is done."),

        (VmState.Undefined, _) => Decision<VmEvent>.Refuse(new Refusal(RefusalKind.NotFound, "vm.absent", $"There is no {state.Id}.")),
        (VmState.Stopped, DeleteVm) => Decision<VmEvent>.Accept(new Done(), new VmDeleted()),
        (_, DeleteVm) => Illegal(state, "delete", "Only a stopped VM is deleted."),

        (VmState.Stopped or VmState.Running, AddNic add) => VmChanges.AddNic(state, state.DefinitionOrNull!, add.Nic, Operation(turn), turn),
        (VmState.Stopped or VmState.Running, RemoveNic remove) =>
            VmChanges.RemoveNic(state, state.DefinitionOrNull!, remove.Name, Operation(turn), turn),
        (_, AddNic or RemoveNic) => Illegal(state, "nics", "Wait until what it does is done."),

        (VmState.Stopped, StartVm) => Decision<VmEvent>.Accept(null, new VmStartRequested(Operation(turn), turn.MessageId, state.Epoch + 1)),
        (_, StartVm) => Illegal(state, "start", "Only a stopped VM starts."),
        (VmState.Running, StopVm) => Decision<VmEvent>.Accept(
            new OperationRuns(Operation(turn)), new VmStopRequested(Operation(turn), turn.MessageId)),
        (_, StopVm) => Illegal(state, "stop", "Only a running VM stops."),

        (VmState.Running s, MigrateVm migrate) => VmMigrations.Start(s, migrate, Operation(turn), turn),
        (_, MigrateVm) => Illegal(state, "migrate", "Only a running VM that does nothing else is moved."),
        _ => Decision<VmEvent>.NotMine(command),
    };

    static string Operation(in Turn turn) => turn.OperationId ?? turn.MessageId;

    /// <summary>A step of the ladder was answered.</summary>
    static Decision<VmEvent> Answered(VmState state, AnswerArrived answer)
    {
        if (state.LadderOrNull is not { Remaining: [var step, ..] } ladder || answer.EffectId != StepEffect(ladder))
        {
            return Decision<VmEvent>.Ignore;
        }
        if (HostLoss.In(answer.Refusal) is { } lost && step.Kind != VmStepKind.CheckHost && !VmLosses.Cleaning(state))
        {
            return VmLosses.End(state, lost);
        }
        var refusal = answer.Refusal ?? (answer.Reply is OidOutcome outcome ? VmSteps.RefusalOf(outcome) : null);
        return state switch
        {
            _ when ladder.Awaited is not null => Advance(state, ladder, step, refusal), // whatever it came to, it comes no more
            VmState.Starting when refusal is null => Advance(state, ladder, step),
            VmState.Starting when step.Kind == VmStepKind.CheckHost => Decision<VmEvent>.Accept(
                [new VmStartRefused(ladder.OperationId, refusal)], null, [new LateAnswer(ladder.MessageId, null, refusal)]),
            VmState.Starting => FirstUndo(state, new VmStartUndoing(step, refusal)),
            VmState.Changing { Refusal: null } when refusal is not null && step.Kind == VmStepKind.CheckHost => Decision<VmEvent>.Accept(
                [new VmChangeRefused(ladder.OperationId, refusal)], null, [new LateAnswer(ladder.MessageId, null, refusal)]),
            VmState.Changing { Refusal: null } when refusal is not null && VmChanges.Constructive(step.Kind) =>
                FirstUndo(state, new VmChangeUndoing(step, refusal)),
            _ when refusal is null => Advance(state, ladder, step),
            _ when refusal.Holds is not null => Decision<VmEvent>.Accept(null, new VmStepDeferred(step)),
            _ when step.Kind == VmStepKind.NicDelete && refusal.Code == NicLifecycle.DeleteConnected =>
                ladder.Disconnects < DisconnectsMax
                    ? Decision<VmEvent>.Accept(null, new VmStepDeferred(step) { Disconnect = true })
                    : Advance(state, ladder, step, VmSteps.StaysConnected(step)),
            _ => Advance(state, ladder, step, refusal), // its object is gone or was taken over: the rest is still to be done
        };
    }

    static Decision<VmEvent> Advance(VmState state, VmLadder ladder, VmStep step, Refusal? skipped = null)
    {
        VmEvent happened = skipped is null ? new VmStepDone(step) : new VmStepSkipped(step, skipped);
        ImmutableArray<LateAnswer> late = step.Kind == VmStepKind.CheckHost && state is VmState.Starting or VmState.Changing { Kind: VmChanges.Add }
            ? [new LateAnswer(ladder.MessageId, new OperationRuns(ladder.OperationId), null)]
            : [];
        return ladder.Remaining.Length > 1
            ? Decision<VmEvent>.Accept([happened], null, late)
            : Ended(state, ladder, [happened], late);
    }

    /// <summary>The last step: the operation is over, and who waits for its end rather than for its beginning is told.</summary>
    static Decision<VmEvent> Ended(VmState state, VmLadder ladder, ImmutableArray<VmEvent> events, ImmutableArray<LateAnswer> late) =>
        Decision<VmEvent>.Accept(events.Add(End(state, ladder)), null, state is VmState.Changing { Kind: VmChanges.Update } change
            ? late.Add(new LateAnswer(ladder.MessageId, change.Refusal is null ? new Done() : null, change.Refusal))
            : late);

    static VmEvent End(VmState state, VmLadder ladder) => state switch
    {
        VmState.Starting => new VmStarted(ladder.OperationId),
        VmState.Undoing s => new VmStartRefused(ladder.OperationId, s.Refusal),
        VmState.Changing { Refusal: { } refusal } => new VmChangeRefused(ladder.OperationId, refusal),
        VmState.Changing { Ladder.Problem: { } problem } => new VmChangeRefused(ladder.OperationId, problem),
        VmState.Changing s => new VmChanged(ladder.OperationId, s.Target),
        VmState.Stopping => new VmStopped(ladder.OperationId) { Problem = ladder.Problem },
        _ => throw new UnreachableException(state.ToString()),
    };

    static Decision<VmEvent> FirstUndo(VmState state, VmEvent undoing)
    {
        var after = Evolve(state, undoing);
        return after.LadderOrNull is { Remaining.IsEmpty: true } ladder
            ? Ended(after, ladder, [undoing], [])
            : Decision<VmEvent>.Accept(null, undoing);
    }

    public static VmState Evolve(VmState state, VmEvent happened) => After(state, happened) with
    {
        Migrations = happened is VmMigrationStarted started ? started.Number : state.Migrations,
        Missing = VmMigrations.Missing(state, happened),
    };

    static VmState After(VmState state, VmEvent happened) => (state, happened) switch
    {
        (VmState.Undefined or VmState.Stopped, VmDefined e) => new VmState.Stopped(state.Id, state.Epoch, state.Operations, e.Definition),
        (VmState.Stopped s, VmDeleted) => new VmState.Undefined(s.Id, s.Epoch, s.Operations),
        (VmState.Stopped s, VmStartRequested e) => new VmState.Starting(
            s.Id, e.Epoch, Begun(s.Operations, e.OperationId, "vm.start"), s.Definition,
            new VmLadder(e.OperationId, e.MessageId, 0, VmSteps.Start(s.Definition), [])),
        (VmState.Starting s, VmStepDone e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Starting s, VmStarted e) => new VmState.Running(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, null), s.Definition),
        (VmState.Starting s, VmStartUndoing e) => new VmState.Undoing(
            s.Id, s.Epoch, s.Operations, s.Definition,
            s.Ladder with { Number = s.Ladder.Number + 1, Remaining = VmSteps.Undo(s.Ladder.Done, e.Step), Done = [] }, e.Refusal),
        (VmState.Starting s, VmStartRefused e) =>
            new VmState.Stopped(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, e.Refusal), s.Definition),
        (VmState.Undoing s, VmStepDone e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Undoing s, VmStepSkipped e) => s with { Ladder = VmSteps.Skipped(s.Ladder, e) },
        (VmState.Undoing s, VmStepDeferred e) => s with { Ladder = VmSteps.Deferred(s.Ladder, e) },
        (VmState.Undoing s, VmStartRefused e) =>
            new VmState.Stopped(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, e.Refusal), s.Definition),
        (VmState.Stopped s, VmChangeRequested e) => s with { Operations = Begun(s.Operations, e.OperationId, e.Kind) },
        (VmState.Stopped s, VmChanged e) => s with { Operations = Ended(s.Operations, e.OperationId, null), Definition = e.Definition },
        (VmState.Running s, VmChangeRequested e) => new VmState.Changing(
            s.Id, s.Epoch, Begun(s.Operations, e.OperationId, e.Kind), s.Definition, e.Kind, e.Target,
            new VmLadder(e.OperationId, e.MessageId, 0, VmChanges.Steps(s.Definition, e.Target), [])),
        (VmState.Changing s, VmStepDone e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Changing s, VmStepSkipped e) => s with { Ladder = VmSteps.Skipped(s.Ladder, e) },
        (VmState.Changing s, VmStepDeferred e) => s with { Ladder = VmSteps.Deferred(s.Ladder, e) },
        (VmState.Changing s, VmChangeUndoing e) => s with
        {
            Refusal = e.Refusal,
            Ladder = s.Ladder with { Number = s.Ladder.Number + 1, Remaining = VmChanges.Undo(s.Definition, s.Ladder.Done), Done = [] },
        },
        (VmState.Changing s, VmChanged e) => new VmState.Running(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, null), e.Definition),
        (VmState.Changing s, VmChangeRefused e) =>
            new VmState.Running(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, e.Refusal), s.Definition),
        (VmState.Running s, VmMigrationStarted e) => new VmState.Migrating(
            s.Id, s.Epoch, Begun(s.Operations, e.OperationId, "vm.migrate"), s.Definition, e.Number, e.Plan),
        (VmState.Migrating s, VmOwnerChanged or VmLossNoted or VmLossTold) => VmMigrations.Evolve(s, happened, s.Operations),
        (VmState.Migrating s, VmMigrated e) => VmMigrations.Evolve(s, e, Ended(s.Operations, e.OperationId, null)),
        (VmState.Migrating s, VmMigrationFailed e) => VmMigrations.Evolve(s, e, Ended(s.Operations, e.OperationId, e.Problem)),
        (VmState.Running s, VmStopRequested e) => new VmState.Stopping(
            s.Id, s.Epoch, Begun(s.Operations, e.OperationId, "vm.stop"), s.Definition,
            new VmLadder(e.OperationId, e.MessageId, 0, VmSteps.Stop(s.Definition), [])),
        (VmState.Stopping s, VmStepDone e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Stopping s, VmStepSkipped e) => s with { Ladder = VmSteps.Skipped(s.Ladder, e) },
        (VmState.Stopping s, VmStepDeferred e) => s with { Ladder = VmSteps.Deferred(s.Ladder, e) },
        ({ LadderOrNull: not null } or VmState.Running, VmLost e) => VmLosses.Evolve(
            state, e, e.OperationId is { } over ? Ended(state.Operations, over, HostLoss.Refusal(e.Host, e.Reason)) : state.Operations),
        (VmState.Stopping s, VmStopped e) => new VmState.Stopped(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, e.Problem), s.Definition),
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    public static IEnumerable<Effect> Outstanding(VmState state) =>
        state is VmState.Migrating moving ? VmMigrations.Outstanding(moving)
        : state is { LadderOrNull: { Remaining: [var step, ..] } ladder, DefinitionOrNull: { } definition }
            ? [VmSteps.Ask(state, Definitions(state, definition), step, StepEffect(ladder))]
            : [];

    /// <summary>A change looks at what shall be first, its undoing at what was.</summary>
    internal static VmDefinition[] Definitions(VmState state, VmDefinition definition) => state switch
    {
        { LadderOrNull.Awaited.Definitions: var asked } => [.. asked],
        VmState.Changing { Refusal: null } s => [s.Target, s.Definition],
        VmState.Changing s => [s.Definition, s.Target],
        { LadderOrNull.Definition: { } rest } => [rest],
        _ => [definition],
    };

    internal static string StepEffect(VmLadder ladder) => ladder.Awaited?.Effect ?? $"{ladder.OperationId}:{ladder.Number}";

    static ImmutableArray<VmOperation> Begun(ImmutableArray<VmOperation> operations, string id, string kind) =>
        (operations.Length < OperationsMax ? operations : operations.RemoveAt(0)).Add(new VmOperation(id, kind, VmOperationStatus.Running, null));

    static ImmutableArray<VmOperation> Ended(ImmutableArray<VmOperation> operations, string id, Refusal? problem) =>
        [.. operations.Select(operation => operation.Id == id
            ? operation with { Status = problem is null ? VmOperationStatus.Done : VmOperationStatus.Refused, Problem = problem }
            : operation)];

    internal static Decision<VmEvent> Illegal(VmState state, string what, string detail)
    {
        var (code, name) = state switch
        {
            VmState.Changing => ("changing", "running, and its NICs are being changed"),
            VmState.Migrating s => ("migrating", $"being moved to {s.Plan.Destination}"),
            _ => (state.Name, state.Name),
        };
        return Decision<VmEvent>.Refuse(Refusal.Illegal($"vm.{what}.{code}", $"The VM is {name}. {detail}", "switch.md 3.4", state.Name));
    }
}
