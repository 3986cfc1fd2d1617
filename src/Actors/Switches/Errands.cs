using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>References and counters in flight: asked of a port or NIC at once, beside the slot (switch.md 3.7).</summary>
static class Errands
{
    /// <summary>Errands that may be open; the next is answered actor.overloaded.</summary>
    public const int Max = 1_000;

    /// <param name="said">The errand, given the port on which a NIC has to be that hears it.</param>
    public static Decision<SwitchEvent> Start(SwitchState.Here s, uint portId, int? nicIndex, Func<EntityId?, Command> said, in Turn turn)
    {
        if (said(null) is TakeHold take && (s.Holds.ContainsKey(take.HoldId)
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
            return Decision<SwitchEvent>.Refuse(
                Refusal.Illegal("nic.absent", $"There is no NIC {index} on port {portId}.", "R1", "Absent"));
        }
        return s.Errands.Count >= Max
            ? Decision<SwitchEvent>.Refuse(new Refusal(RefusalKind.Overloaded, "actor.overloaded", $"{Max} errands are open at {s.Id}."))
            : Decision<SwitchEvent>.Accept(
                null, nicIndex is { } at
                    ? new ErrandStarted(turn.MessageId, port.Nics[at].Id, said(port.Id))
                    : new ErrandStarted(turn.MessageId, port.Id, said(null)));
    }

    public static Decision<SwitchEvent> Release(SwitchState.Here s, ReleaseHoldAt release, in Turn turn) =>
        s.Holds.TryGetValue(release.HoldId, out var target)
            ? Decision<SwitchEvent>.Accept(null, new ErrandStarted(turn.MessageId, target, new ReleaseHold(release.HoldId)))
            : Decision<SwitchEvent>.Refuse(
                new Refusal(RefusalKind.NotFound, "hold.unknown", "There is no such hold; each is released once.", "R4"));

    /// <summary>The errand that this effect carried, if it is open.</summary>
    public static Errand? Of(SwitchState.Here s, string effectId) =>
        s.Errands.Values.FirstOrDefault(errand => EffectId(errand) == effectId);

    public static Decision<SwitchEvent> Answered(Errand errand, AnswerArrived answer) => Decision<SwitchEvent>.Accept(
        [new ErrandEnded(errand.MessageId, answer.Reply, answer.Refusal)], null,
        [new LateAnswer(errand.MessageId, answer.Reply, answer.Refusal)]);

    public static IEnumerable<Effect> Outstanding(SwitchState.Here s) =>
        s.Errands.Values.Select(errand => new Effect.Ask(EffectId(errand), errand.Target, errand.Body));

    public static SwitchState.Here Ended(SwitchState.Here s, ErrandEnded e)
    {
        var errand = s.Errands[e.MessageId];
        var holds = (errand.Body, e.Reply) switch
        {
            (TakeHold take, HoldTaken) => s.Holds.SetItem(take.HoldId, errand.Target),
            (ReleaseHold release, Done) => s.Holds.Remove(release.HoldId),
            _ => s.Holds,
        };
        return s with { Errands = s.Errands.Remove(e.MessageId), Holds = holds };
    }

    static string EffectId(Errand errand) => $"errand:{errand.MessageId}";
}
