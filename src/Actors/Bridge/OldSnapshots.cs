using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// A hello whose snapshot is older than what is known of the host. Most of them were overtaken on their way by one that is newer;
/// of an older boot it would end what is there. A host that lost its state, with a clock that is behind, or that was given an
/// older one, comes with nothing else: it is refused until an operator has removed it and admitted it again, since commands that
/// it has carried out, and fences that it has seen, are not in what it says.
/// </summary>
static class OldSnapshots
{
    public static bool Is(BridgeState state, Inventory inventory) => state.BootId.Length > 0 && PlaceOf(inventory) < Known(state);

    /// <summary>
    /// Nothing is decided for the host, which may come again at once. That it came is stored once for each time that it is
    /// without a session: with a session it is there, and the hello was overtaken.
    /// </summary>
    public static Decision<BridgeEvent> Refuse(BridgeState state, Inventory inventory, in Turn turn)
    {
        var (came, known) = (PlaceOf(inventory), Known(state));
        var refusal = new Refusal(
            RefusalKind.Unavailable, "session.old-snapshot",
            string.Create(CultureInfo.InvariantCulture, $"The snapshot is of frame {came.StreamEpoch}:{came.Seq}, known is {known.StreamEpoch}:{known.Seq}; ")
                + "a host that lost its state is removed and admitted again.",
            "reliability.md 9 I25", state.Online ? "online" : "offline");
        return state.Online || state.Behind is not null
            ? Decision<BridgeEvent>.Refuse(refusal)
            : Decision<BridgeEvent>.Accept(
                [new OldSnapshotRefused(inventory.BootId, came.StreamEpoch, came.Seq)], null, [new LateAnswer(turn.MessageId, null, refusal)]);
    }

    static StreamPlace PlaceOf(Inventory inventory) => new(inventory.StreamEpoch, inventory.LastSeq);

    static StreamPlace Known(BridgeState state) => new(state.StreamEpoch, state.Cursor);
}
