using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// Commands for a host: stored, handed to the session that is open, and to the next one, until their completion came. Of those
/// that shape one NIC's device only the newest counts (design.md 5): it takes the place of an older one that still waits, and an
/// older one that comes later is refused. Without that an older one could reach the host when the device is gone, which could
/// no longer refuse it, and one that is never answered would hold back those after it.
/// </summary>
public static class BridgeCommands
{
    /// <summary>Commands without a completion; the next is answered actor.overloaded.</summary>
    public const int Max = 10_000;

    internal static Decision<BridgeEvent> Issue(BridgeState state, DriverCommand command, in Turn turn)
    {
        var place = CommandPlace.Of(command);
        if (place is { } at && LastOf(state, command.NicKey) is { } last && at < last)
        {
            return Decision<BridgeEvent>.Refuse(Overtaken(command, last));
        }
        if (state.Commands.Count >= Max)
        {
            return Decision<BridgeEvent>.Refuse(new Refusal(RefusalKind.Overloaded, "actor.overloaded", $"{Max} commands wait at {state.Id}."));
        }
        var older = place is null
            ? []
            : state.Commands.Where(pair => pair.Value.NicKey == command.NicKey && CommandPlace.Of(pair.Value) < place).ToList();
        return Decision<BridgeEvent>.Accept(
            [new CommandIssued(turn.MessageId, command), .. older.Select(pair => new CommandOvertaken(pair.Key, command.CommandId))],
            null,
            [.. older.Select(pair => new LateAnswer(pair.Key, null, Overtaken(pair.Value, place!.Value)))]);
    }

    /// <summary>Final: whoever asked wants something else by now, or something newer was asked by whoever took its place.</summary>
    static Refusal Overtaken(DriverCommand command, CommandPlace by) => new(
        RefusalKind.Conflict, "command.overtaken",
        string.Create(CultureInfo.InvariantCulture, $"{command.Verb} {command.Epoch}.{command.Revision} of {command.NicKey} was overtaken by {by}."),
        "design.md 5");

    static CommandPlace? LastOf(BridgeState state, string nicKey) => state.Epochs.TryGetValue(nicKey, out var epoch)
        ? new CommandPlace(epoch, state.Revisions.GetValueOrDefault(nicKey))
        : null;

    internal static Decision<BridgeEvent> Complete(BridgeState state, Completion completion)
    {
        var waiting = state.Commands.FirstOrDefault(pair => pair.Value.CommandId == completion.CommandId);
        return waiting.Key is null
            ? Decision<BridgeEvent>.Accept(new Done()) // completed before, or overtaken: the agent repeats itself after a reconnect
            : Decision<BridgeEvent>.Accept([new CommandCompleted(waiting.Key, completion)], new Done(),
                [new LateAnswer(waiting.Key, new CommandDone(completion, state.Session), null)]);
    }

    internal static BridgeState Evolve(BridgeState state, BridgeEvent happened) => happened switch
    {
        CommandIssued e => Issued(state, e),
        CommandOvertaken e => state with { Commands = state.Commands.Remove(e.MessageId) },
        CommandCompleted e => Completed(state, e),
        _ => throw new UnreachableException(happened.ToString()),
    };

    static BridgeState Issued(BridgeState state, CommandIssued e)
    {
        var command = e.Command;
        var issued = state with
        {
            Commands = state.Commands.SetItem(e.MessageId, command),
            Known = command.Verb == DriverVerb.EnsureSwitch ? state.Known.Add(command.Switch) : state.Known,
        };
        return CommandPlace.Of(command) is { } place && !(place <= LastOf(state, command.NicKey))
            ? issued with
            {
                Epochs = state.Epochs.SetItem(command.NicKey, place.Epoch),
                Revisions = state.Revisions.SetItem(command.NicKey, place.Revision),
            }
            : issued;
    }

    static BridgeState Completed(BridgeState state, CommandCompleted e)
    {
        var removed = state.Commands.TryGetValue(e.MessageId, out var command)
            && command.Verb == DriverVerb.RemoveSwitch && e.Completion.Status == NdisStatus.Success;
        return state with
        {
            Commands = state.Commands.Remove(e.MessageId),
            Known = removed ? state.Known.Remove(command!.Switch) : state.Known,
        };
    }

    internal static IEnumerable<Effect> Outstanding(BridgeState state) => state.Online
        ? state.Commands.Values.Select(command => new Effect.Drive(
            string.Create(CultureInfo.InvariantCulture, $"drive:{state.Session}:{command.CommandId}"), state.Session, command))
        : [];
}
