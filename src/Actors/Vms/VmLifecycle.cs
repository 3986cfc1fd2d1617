using System.Collections.Immutable;
using System.Diagnostics;
using ControlPlane.Actors.Entities;
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
/// </code>
/// Start, for each NIC: PORT_CREATE, NIC_CREATE, NIC_CONNECT; all or nothing. Stop waits at a closed drain gate as long
/// as it is closed: nothing is forced (switch.md 3.6 R6).
/// </summary>
public sealed class VmLifecycle : ILifecycle<VmState, VmEvent>
{
    /// <summary>NICs that a VM may have.</summary>
    public const int NicsMax = 64;

    /// <summary>Operations that the VM itself remembers; older ones are in the read tables.</summary>
    public const int OperationsMax = 16;

    public static VmState Initial(EntityId id) => new VmState.Undefined(id, 0, []);

    public static Decision<VmEvent> Decide(VmState state, Command command, in Turn turn) => (state, command) switch
    {
        (_, AnswerArrived answer) => Answered(state, answer),
        (VmState.Undefined or VmState.Stopped, DefineVm define) => Define(define),
        (_, DefineVm) => Illegal(state, "define", "Stop it first."),

        (VmState.Undefined, _) => Decision<VmEvent>.Refuse(new Refusal(RefusalKind.NotFound, "vm.absent", $"There is no {state.Id}.")),
        (VmState.Stopped, DeleteVm) => Decision<VmEvent>.Accept(new Done(), new VmDeleted()),
        (_, DeleteVm) => Illegal(state, "delete", "Only a stopped VM is deleted."),

        (VmState.Stopped, StartVm) => Decision<VmEvent>.Accept(null, new VmStartRequested(Operation(turn), turn.MessageId, state.Epoch + 1)),
        (_, StartVm) => Illegal(state, "start", "Only a stopped VM starts."),
        (VmState.Running, StopVm) => Decision<VmEvent>.Accept(
            new OperationRuns(Operation(turn)), new VmStopRequested(Operation(turn), turn.MessageId)),
        (_, StopVm) => Illegal(state, "stop", "Only a running VM stops."),
        _ => Decision<VmEvent>.NotMine(command),
    };

    static string Operation(in Turn turn) => turn.OperationId ?? turn.MessageId;

    static Decision<VmEvent> Define(DefineVm define)
    {
        var nics = define.Definition.Nics;
        return nics.Count > NicsMax
            ? Decision<VmEvent>.Refuse(new Refusal(RefusalKind.Unprocessable, "vm.nics.many", $"A VM has at most {NicsMax} NICs.", Field: "nics"))
            : nics.Select(nic => nic.Name).Distinct(StringComparer.Ordinal).Count() != nics.Count
                ? Decision<VmEvent>.Refuse(new Refusal(RefusalKind.Unprocessable, "vm.nics.twice", "Two NICs have one name.", Field: "nics"))
                : Decision<VmEvent>.Accept(new Done(), new VmDefined(define.Definition));
    }

    /// <summary>A step of the ladder was answered.</summary>
    static Decision<VmEvent> Answered(VmState state, AnswerArrived answer)
    {
        if (state.LadderOrNull is not { Remaining: [var step, ..] } ladder || answer.EffectId != StepEffect(ladder))
        {
            return Decision<VmEvent>.Ignore;
        }
        var refusal = answer.Refusal ?? (answer.Reply is OidOutcome outcome ? RefusalOf(outcome) : null);
        return state switch
        {
            VmState.Starting when refusal is null => Advance(state, ladder, step),
            VmState.Starting when step.Kind == VmStepKind.CheckHost => Decision<VmEvent>.Accept(
                [new VmStartRefused(ladder.OperationId, refusal)], null, [new LateAnswer(ladder.MessageId, null, refusal)]),
            VmState.Starting => FirstUndo(state, step, refusal),
            _ when refusal is null => Advance(state, ladder, step),
            _ when refusal.Holds is not null => Decision<VmEvent>.Accept(null, new VmStepDeferred(step)),
            _ => Advance(state, ladder, step, refusal), // its object is gone or was taken over: the rest is still to be done
        };
    }

    static Decision<VmEvent> Advance(VmState state, VmLadder ladder, VmStep step, Refusal? skipped = null)
    {
        VmEvent happened = skipped is null ? new VmStepDone(step) : new VmStepSkipped(step, skipped);
        ImmutableArray<LateAnswer> late = state is VmState.Starting && step.Kind == VmStepKind.CheckHost
            ? [new LateAnswer(ladder.MessageId, new OperationRuns(ladder.OperationId), null)]
            : [];
        return Decision<VmEvent>.Accept(ladder.Remaining.Length > 1 ? [happened] : [happened, End(state, ladder)], null, late);
    }

    static VmEvent End(VmState state, VmLadder ladder) => state switch
    {
        VmState.Starting => new VmStarted(ladder.OperationId),
        VmState.Undoing s => new VmStartRefused(ladder.OperationId, s.Refusal),
        VmState.Stopping => new VmStopped(ladder.OperationId),
        _ => throw new UnreachableException(state.ToString()),
    };

    static Decision<VmEvent> FirstUndo(VmState state, VmStep step, Refusal refusal)
    {
        var undoing = new VmStartUndoing(step, refusal);
        return Evolve(state, undoing) is VmState.Undoing { Ladder.Remaining.IsEmpty: true } undone
            ? Decision<VmEvent>.Accept(null, undoing, new VmStartRefused(undone.Ladder.OperationId, refusal))
            : Decision<VmEvent>.Accept(null, undoing);
    }

    static Refusal? RefusalOf(OidOutcome outcome) => outcome.Status == NdisStatus.Success
        ? null
        : new Refusal(RefusalKind.Conflict, "oid.refused",
            $"{outcome.Oid} was refused with {outcome.Status.Name()} by {outcome.RefusedBy?.Extension ?? "nobody"} at position {outcome.RefusedBy?.Position}.",
            "switch.md 3.5", outcome.PortState);

    public static VmState Evolve(VmState state, VmEvent happened) => (state, happened) switch
    {
        (_, VmDefined e) => new VmState.Stopped(state.Id, state.Epoch, state.Operations, e.Definition),
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
        (VmState.Undoing s, VmStepSkipped e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Undoing s, VmStepDeferred e) => s with { Ladder = VmSteps.Deferred(s.Ladder, e.Step) },
        (VmState.Undoing s, VmStartRefused e) =>
            new VmState.Stopped(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, e.Refusal), s.Definition),
        (VmState.Running s, VmStopRequested e) => new VmState.Stopping(
            s.Id, s.Epoch, Begun(s.Operations, e.OperationId, "vm.stop"), s.Definition,
            new VmLadder(e.OperationId, e.MessageId, 0, VmSteps.Stop(s.Definition), [])),
        (VmState.Stopping s, VmStepDone e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Stopping s, VmStepSkipped e) => s with { Ladder = s.Ladder.Next(e.Step) },
        (VmState.Stopping s, VmStepDeferred e) => s with { Ladder = VmSteps.Deferred(s.Ladder, e.Step) },
        (VmState.Stopping s, VmStopped e) => new VmState.Stopped(s.Id, s.Epoch, Ended(s.Operations, e.OperationId, null), s.Definition),
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    public static IEnumerable<Effect> Outstanding(VmState state) =>
        state is { LadderOrNull: { Remaining: [var step, ..] } ladder, DefinitionOrNull: { } definition }
            ? [VmSteps.Ask(state, definition, step, StepEffect(ladder))]
            : [];

    static string StepEffect(VmLadder ladder) => $"{ladder.OperationId}:{ladder.Number}";

    static ImmutableArray<VmOperation> Begun(ImmutableArray<VmOperation> operations, string id, string kind) =>
        (operations.Length < OperationsMax ? operations : operations.RemoveAt(0)).Add(new VmOperation(id, kind, VmOperationStatus.Running, null));

    static ImmutableArray<VmOperation> Ended(ImmutableArray<VmOperation> operations, string id, Refusal? problem) =>
        [.. operations.Select(operation => operation.Id == id
            ? operation with { Status = problem is null ? VmOperationStatus.Done : VmOperationStatus.Refused, Problem = problem }
            : operation)];

    static Decision<VmEvent> Illegal(VmState state, string what, string detail) => Decision<VmEvent>.Refuse(
        Refusal.Illegal($"vm.{what}.{state.Name}", $"The VM is {state.Name}. {detail}", "switch.md 3.4", state.Name));
}
