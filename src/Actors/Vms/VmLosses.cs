using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>
/// A VM whose host came up anew, or was removed: it is stopped, whatever it was about to do. What was lost needs no OID;
/// of what may be there all the same (an OID was on its way, the host lists one NIC of two) the rest is taken down first.
/// What was asked and is not answered is waited for before that: an OID that comes after its port's teardown would leave a
/// port that nobody takes down, or would meet what the next start has made.
/// </summary>
static class VmLosses
{
    const string CleaningPrefix = "lost:";

    /// <summary>A switch lost NICs of this start of the VM.</summary>
    public static Decision<VmEvent> Decide(VmState state, LoseVm lose) =>
        Alive(state) && state.Epoch == lose.Epoch && state.DefinitionOrNull?.Host == lose.Host
            ? Lost(state, lose.Reason, lose.Nics, new Done(), state.LadderOrNull is not null)
            : Decision<VmEvent>.Accept(new Done());

    /// <summary>What the VM asked of its host was answered with the loss.</summary>
    public static Decision<VmEvent> End(VmState state, string reason) => Lost(state, reason, [], null, unanswered: false);

    /// <summary>It is known to be lost, and only the rest of it is taken down.</summary>
    public static bool Cleaning(VmState state) => state.LadderOrNull?.OperationId.StartsWith(CleaningPrefix, StringComparison.Ordinal) == true;

    static bool Alive(VmState state) => state is VmState.Running || state.LadderOrNull is not null;

    static Decision<VmEvent> Lost(VmState state, string reason, IReadOnlyList<string> nics, Reply? reply, bool unanswered)
    {
        var host = state.DefinitionOrNull!.Host;
        ImmutableArray<LateAnswer> late = state.LadderOrNull is { } ladder && Unanswered(state, ladder)
            ? [new LateAnswer(ladder.MessageId, null, HostLoss.Refusal(host, reason))]
            : [];
        var operation = Cleaning(state) ? null : state.LadderOrNull?.OperationId;
        return Decision<VmEvent>.Accept([new VmLost(operation, host, reason, nics) { Unanswered = unanswered }], reply, late);
    }

    /// <summary>A start and an added NIC are answered when their host was found online, an update at its end.</summary>
    static bool Unanswered(VmState state, VmLadder ladder) => state switch
    {
        VmState.Changing { Kind: VmChanges.Update } => true,
        VmState.Starting or VmState.Changing { Kind: VmChanges.Add } => ladder.Remaining is [{ Kind: VmStepKind.CheckHost }, ..],
        _ => false,
    };

    public static VmState Evolve(VmState state, VmLost e, ImmutableArray<VmOperation> operations)
    {
        var definition = state.DefinitionOrNull!;
        var left = Left(state, definition, e.Nics);
        var awaited = e.Unanswered ? Awaited(state, definition) : null;
        ImmutableArray<VmStep> steps =
        [
            .. awaited is null ? [] : state.LadderOrNull!.Remaining.Take(1),
            .. left.Nics.Count == 0 ? [] : VmSteps.Stop(left),
        ];
        if (steps.IsEmpty)
        {
            return new VmState.Stopped(state.Id, state.Epoch, operations, definition);
        }
        var name = string.Create(CultureInfo.InvariantCulture, $"{CleaningPrefix}{state.Epoch}");
        var number = Cleaning(state) ? state.LadderOrNull!.Number + 1 : 0;
        return new VmState.Stopping(
            state.Id, state.Epoch, operations, definition, new VmLadder(name, "", number, steps, []) { Definition = left, Awaited = awaited });
    }

    /// <summary>The step that is under way, if it does something: to ask whether a host is online, or to wait for a gate, does nothing.</summary>
    static VmAwaited? Awaited(VmState state, VmDefinition definition) =>
        state.LadderOrNull is { Remaining: [{ Kind: not (VmStepKind.CheckHost or VmStepKind.NicDrain or VmStepKind.PortDrain) }, ..] } ladder
            ? ladder.Awaited ?? new VmAwaited(VmLifecycle.StepEffect(ladder), [.. VmLifecycle.Definitions(state, definition)])
            : null;

    /// <summary>The NICs that may be there: all that were defined or about to be, less what is known to be lost.</summary>
    static VmDefinition Left(VmState state, VmDefinition definition, IReadOnlyList<string> lost)
    {
        IEnumerable<NicDefinition> all = state switch
        {
            _ when Cleaning(state) => state.LadderOrNull!.Definition!.Nics,
            VmState.Changing s => [.. s.Definition.Nics, .. s.Target.Nics.Where(nic => s.Definition.Nics.All(known => known.Name != nic.Name))],
            _ => definition.Nics,
        };
        return definition with { Nics = [.. all.Where(nic => !lost.Contains(nic.Name))] };
    }
}
