using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Nics;

/// <summary>
/// A NIC that ends with its host: the attachment, its holds and what was proposed are over, and the host is told nothing
/// (switch.md 9.5.4, F05, F06). The epoch stays: the next NIC_CREATE has a higher one.
/// </summary>
static class NicLosses
{
    public static Decision<NicEvent> Decide(NicState state, LoseObject lose) => state.BodyOrNull switch
    {
        null => Decision<NicEvent>.Accept(new ObjectLost(true)),
        { Place: var place } when EntityId.Switch(place.Host, place.Switch) != lose.Switch => Decision<NicEvent>.Accept(new ObjectLost(true)),
        // What is with the host is answered, with the loss too: the NIC is judged then.
        { } body when state.OidOrNull is not null || body.Work is not null || body.Drift is { Stage: DriftStage.Repairing } => Decision<NicEvent>.Refuse(
            new Refusal(RefusalKind.Unavailable, "nic.busy", "A command for the device is open; ask again after it.")),
        { Observed.Present: true } body when body.SeenIn >= lose.Session => Decision<NicEvent>.Accept(new ObjectLost(false)),
        { } body => Decision<NicEvent>.Accept([new NicLost(lose.Reason)], new ObjectLost(true), body.Drain.AnswerWaiters()),
    };

    /// <summary>What the NIC asked of its host was answered with the loss.</summary>
    public static Decision<NicEvent> End(NicState state, string reason, Refusal refusal)
    {
        if (state.BodyOrNull is not { } body)
        {
            return Decision<NicEvent>.Ignore;
        }
        string?[] waiting = [state.OidOrNull?.MessageId, body.Work?.MessageId];
        ImmutableArray<LateAnswer> late =
            [.. waiting.OfType<string>().Select(message => new LateAnswer(message, null, refusal)), .. body.Drain.AnswerWaiters()];
        return Decision<NicEvent>.Accept([new NicLost(reason)], null, late);
    }
}
