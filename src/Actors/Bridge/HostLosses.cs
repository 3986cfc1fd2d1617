using System.Collections.Immutable;
using System.Diagnostics;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// A host that came up anew, or that never comes back. What was under way there about ports and NICs has no object any
/// more: it is answered with the loss, and the switches are told, each with what the host has of it now.
/// </summary>
static class HostLosses
{
    /// <summary>Another boot than the last one; a bridge that never had a session has lost nothing.</summary>
    public static bool Rebooted(BridgeState state, string bootId) => state.BootId.Length > 0 && state.BootId != bootId;

    public static Decision<BridgeEvent> Reboot(BridgeState state, AgentSessionOpened opened, Reply reply)
    {
        var messages = About(state, DependsOnBoot);
        return Decision<BridgeEvent>.Accept(
            [opened, new HostRebooted(state.BootId, opened.BootId, messages)], reply, Answers(state, messages, HostLoss.Rebooted));
    }

    public static Decision<BridgeEvent> Remove(BridgeState state, bool force)
    {
        var host = state.Id.Parts[0];
        if (state is { Session: 0, Join: null } or { Removed: true })
        {
            return Decision<BridgeEvent>.Refuse(new Refusal(RefusalKind.NotFound, "host.unknown", $"There is no host {host}."));
        }
        if (state.Online)
        {
            return Decision<BridgeEvent>.Refuse(Refusal.Illegal(
                "host.delete.online", $"Host {host} has a session: it is there. Stop its agent first.", "api.md 3", "online"));
        }
        if (!force && !state.Known.IsEmpty)
        {
            return Decision<BridgeEvent>.Refuse(Refusal.Illegal(
                "host.delete.in-use", $"Host {host} has {state.Known.Count} switches; with force they end as lost.", "api.md 3", "offline"));
        }
        var messages = About(state, _ => true);
        return Decision<BridgeEvent>.Accept(
            [new HostRemoved(state.Session + 1, messages)], new Done(), Answers(state, messages, HostLoss.Removed));
    }

    public static Decision<BridgeEvent> Readmit(BridgeState state) => state.Removed
        ? Decision<BridgeEvent>.Accept(new Done(), new HostReadmitted())
        : Decision<BridgeEvent>.Refuse(Refusal.Illegal(
            "host.readmit.present", $"Host {state.Id.Parts[0]} was not removed.", "api.md 3", state.Online ? "online" : "offline"));

    public static Refusal Away(BridgeState state) => HostLoss.Refusal(state.Id.Parts[0], HostLoss.Removed);

    public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => happened switch
    {
        HostRebooted e when state.Online => state with
        {
            Commands = state.Commands.RemoveRange(e.Commands),
            // Frames of the boot before say nothing of what is there now.
            Frames = state.Frames.RemoveAll(frame => frame.BootId != e.BootId),
            Strangers = state.Strangers.Clear(),
            // This loss is the last one, whatever was still to be told.
            Untold = state.Untold.Aggregate(
                state.Untold, (all, pair) => all.SetItem(pair.Key, pair.Value with { Lost = HostLoss.Rebooted, LostIn = null })),
        },
        HostRemoved e when state is { Online: false, Removed: false } => state with
        {
            Removed = true,
            Session = e.Session,
            Online = false,
            Behind = null,
            Ahead = null,
            Join = null,
            Commands = state.Commands.RemoveRange(e.Commands),
            Frames = [],
            Strangers = state.Strangers.Clear(),
            Untold = state.Known.ToImmutableSortedDictionary(
                name => name, _ => new ReconcileSwitch(e.Session, false, [], HostLoss.Removed), StringComparer.Ordinal),
            Known = state.Known.Clear(),
        },
        // A new life: what comes up then is compared with nothing.
        HostReadmitted when state.Removed => state with { Removed = false, BootId = "" },
        _ => throw new UnreachableException(happened.ToString()),
    };

    /// <summary>What a switch has not been told of a loss yet, the next session tells it with its own snapshot.</summary>
    public static ImmutableSortedDictionary<string, ReconcileSwitch> Carried(
        ImmutableSortedDictionary<string, ReconcileSwitch> before, ImmutableSortedDictionary<string, ReconcileSwitch> now) =>
        before.Where(pair => pair.Value is { Lost: HostLoss.Removed } && !now.ContainsKey(pair.Key))
            .Aggregate(Told(now, before.GetValueOrDefault), (all, pair) => all.SetItem(pair.Key, pair.Value));

    static ImmutableSortedDictionary<string, ReconcileSwitch> Told(
        ImmutableSortedDictionary<string, ReconcileSwitch> untold, Func<string, ReconcileSwitch?> before) =>
        untold.Aggregate(untold, (all, pair) => before(pair.Key) is { Lost: { } reason } earlier
            ? all.SetItem(pair.Key, pair.Value with { Lost = reason, LostIn = earlier.LostIn ?? earlier.Session })
            : all);

    /// <summary>A switch is made again, a guest's remains are removed again; a port or NIC of the boot before is not.</summary>
    static bool DependsOnBoot(DriverCommand command) => command.NicKey.Length > 0
        || command.Verb is DriverVerb.CreatePort or DriverVerb.TeardownPort or DriverVerb.DeletePort;

    static ImmutableArray<string> About(BridgeState state, Func<DriverCommand, bool> which) =>
        [.. state.Commands.Where(pair => which(pair.Value)).Select(pair => pair.Key)];

    static ImmutableArray<LateAnswer> Answers(BridgeState state, ImmutableArray<string> messages, string reason) =>
        [.. messages.Select(message => new LateAnswer(message, null, HostLoss.Refusal(state.Id.Parts[0], reason)))];
}
