using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// A hello with a device whose epoch or revision was never issued by what is stored: the journal has lost events (it fell back
/// to a standby that lagged, or to a backup), or somebody else commands the host (reliability.md 4.4 rule 11, 9 I19; migration.md
/// 3 rule 5). The host then knows more than the journal, and what the journal wants of it is of the past: it gets no session and
/// no command, its traffic goes on, and an operator decides.
/// </summary>
/// <remarks>A bridge that has not had a session, or none since its host was admitted again, compares with nothing.</remarks>
static class UnknownCommands
{
    public static DeviceState? In(BridgeState state, Inventory inventory) => state.BootId.Length == 0
        ? null
        : inventory.Devices.FirstOrDefault(device => IsUnknown(state, device));

    /// <summary>Null revision: issued before revisions were kept.</summary>
    static bool IsUnknown(BridgeState state, DeviceState device) => device is { Present: true, NicKey.Length: > 0, Epoch: > 0 }
        && (device.Epoch > state.Epochs.GetValueOrDefault(device.NicKey)
            || (device.Epoch == state.Epochs[device.NicKey]
                && state.Revisions.TryGetValue(device.NicKey, out var revision) && device.Revision > revision));

    /// <summary>The host may come again at once; that it came is stored once for as long as it is so.</summary>
    public static Decision<BridgeEvent> Refuse(BridgeState state, DeviceState device, in Turn turn)
    {
        var seen = new UnknownCommandSeen(
            device.NicKey, device.Epoch, device.Revision, state.Epochs.GetValueOrDefault(device.NicKey),
            state.Revisions.GetValueOrDefault(device.NicKey));
        var refusal = new Refusal(
            RefusalKind.Unavailable, "session.unknown-command",
            string.Create(CultureInfo.InvariantCulture, $"{seen.Nic} is at {seen.Epoch}.{seen.Revision} there, issued is {seen.KnownEpoch}.{seen.KnownRevision}: ")
                + "events are lost, or somebody else commands the host.",
            "reliability.md 9 I19", state.Online ? "online" : "offline");
        return state.Ahead is not null
            ? Decision<BridgeEvent>.Refuse(refusal)
            : Decision<BridgeEvent>.Accept([seen], null, [new LateAnswer(turn.MessageId, null, refusal)]);
    }

    /// <summary>The stream that was there is of the same host: it gets no command either.</summary>
    public static BridgeState Evolve(BridgeState state, UnknownCommandSeen e) => state with { Online = false, Ahead = e };

    /// <summary>A session with such devices is open because an operator has admitted the host with them: they count as issued.</summary>
    public static BridgeState Opened(BridgeState state, IEnumerable<DeviceState> devices)
    {
        var unknown = devices.Where(device => IsUnknown(state, device)).ToImmutableArray();
        return state with
        {
            Ahead = null,
            Epochs = state.Epochs.SetItems(unknown.Select(device => KeyValuePair.Create(device.NicKey, device.Epoch))),
            Revisions = state.Revisions.SetItems(unknown.Select(device => KeyValuePair.Create(device.NicKey, device.Revision))),
        };
    }
}
