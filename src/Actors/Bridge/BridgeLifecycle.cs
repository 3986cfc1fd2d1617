using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// A host's bridge. Who speaks to it: the host's agent (sessions, frames, completions), and ports, NICs, switches and
/// VMs, whose commands it hands on. It stores a frame before anybody hears of it, and that stored frame is the cursor;
/// delivery to the NIC, or of a device that no NIC knows to the switch, is open work until it is taken. Commands are stored, handed to the session that is open,
/// and handed again to the next session until their completion came; the agent carries each out once.
/// <code>
///   Offline ── session opened: number + 1, snapshot to the switches ──► Online
///      ▲                                                                  │  frames, completions of this session
///      └────────────── session closed, or a newer one opened ◄────────────┘  (older ones: dropped and counted)
///
///   A session of another boot id, and an operator's removal of the host, end what was on it (see HostLosses); a host
///   that was removed gets no session until an operator admits it again.
/// </code>
/// </summary>
public sealed class BridgeLifecycle : ILifecycle<BridgeState, BridgeEvent>
{
    /// <summary>Frames on their way to NICs at once; more are stored and wait.</summary>
    public const int DeliveriesMax = 64;

    /// <summary>Undelivered frames; beyond it the agent is told to come again, and keeps them.</summary>
    public const int FramesMax = 10_000;

    public static BridgeState Initial(EntityId id) => new(
        id, "", "", 0, false, "", 0, 0,
        ImmutableSortedDictionary.Create<string, DriverCommand>(StringComparer.Ordinal), [],
        ImmutableSortedDictionary.Create<string, ReconcileSwitch>(StringComparer.Ordinal),
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal), 0);

    public static Decision<BridgeEvent> Decide(BridgeState state, Command command, in Turn turn) => command switch
    {
        OpenSession when state.Removed => Decision<BridgeEvent>.Refuse(HostLosses.Away(state)),
        OpenSession { Inventory: var inventory } when OldSnapshots.Is(state, inventory) => OldSnapshots.Refuse(state, inventory, turn),
        OpenSession { Inventory: var inventory } when UnknownCommands.In(state, inventory) is { } device => UnknownCommands.Refuse(state, device, turn),
        OpenSession open => Open(state, open),
        RemoveHost remove => HostLosses.Remove(state, remove.Force),
        ReadmitHost => HostLosses.Readmit(state),
        AllowHostJoin or UseJoinToken when state.Removed => Decision<BridgeEvent>.Refuse(HostLosses.Away(state)),
        AllowHostJoin allow => HostJoins.Allow(allow.TokenHash, turn),
        UseJoinToken use => HostJoins.Use(state, use, turn),
        CloseSession close when close.Session == state.Session && state.Online =>
            Decision<BridgeEvent>.Accept(new Done(), new AgentSessionClosed(close.Session, close.Reason)),
        CloseSession close => Stale(state, close.Session, "close"),
        ReportFrames report when report.Session != state.Session || !state.Online => Stale(state, report.Session, "frames"),
        ReportFrames report => Record(state, report),
        ReportCompletion report when report.Session < state.Session => StaleCompletion(state, report, turn),
        ReportCompletion report when report.Session > state.Session => Stale(state, report.Session, "completion"),
        ReportCompletion report => BridgeCommands.Complete(state, report.Completion),
        IssueCommand or CheckHost when state.Removed => Decision<BridgeEvent>.Refuse(HostLosses.Away(state)),
        IssueCommand issue => BridgeCommands.Issue(state, issue.Command, turn),
        CheckHost when state.Online => Decision<BridgeEvent>.Accept(new Done()),
        CheckHost => Decision<BridgeEvent>.Refuse(new Refusal(
            RefusalKind.Offline, "host.offline", $"Host {state.Id.Parts[0]} has no session.", State: "offline")),
        AnswerArrived answer => Delivered(state, answer),
        _ => Decision<BridgeEvent>.NotMine(command),
    };

    static Decision<BridgeEvent> Open(BridgeState state, OpenSession open)
    {
        var inventory = open.Inventory;
        var opened = new AgentSessionOpened(
            state.Session + 1, open.Driver, open.Version, open.Fenced, inventory.BootId, inventory.StreamEpoch, inventory.LastSeq,
            inventory.Switches, inventory.Devices);
        var reply = new SessionOpened(opened.Session, open.Fenced ? Empty : state.Epochs);
        return HostLosses.Rebooted(state, inventory.BootId)
            ? HostLosses.Reboot(state, opened, reply)
            : Decision<BridgeEvent>.Accept(reply, opened);
    }

    static readonly ImmutableSortedDictionary<string, long> Empty = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    static Decision<BridgeEvent> Stale(BridgeState state, long session, string what) => session < state.Session
        ? Decision<BridgeEvent>.Accept(new Done(), new StaleReportDropped(session, what))
        : Decision<BridgeEvent>.Refuse(new Refusal(
            RefusalKind.Conflict, "session.unknown", $"Session {session} is not open; the last is {state.Session}.", "design.md 5", "offline"));

    /// <summary>Dropped and counted, and not acknowledged: the agent says it again in the session that is open.</summary>
    static Decision<BridgeEvent> StaleCompletion(BridgeState state, ReportCompletion report, in Turn turn) => Decision<BridgeEvent>.Accept(
        [new StaleReportDropped(report.Session, "completion")], null,
        [new LateAnswer(turn.MessageId, null, new Refusal(
            RefusalKind.Conflict, "session.stale", $"Session {report.Session} is over; the last is {state.Session}.", "design.md 5", "offline"))]);

    /// <summary>Frames up to the cursor were recorded before; a gap or another epoch asks for a snapshot by a new session.</summary>
    static Decision<BridgeEvent> Record(BridgeState state, ReportFrames report)
    {
        var events = ImmutableArray.CreateBuilder<BridgeEvent>();
        var cursor = state.Cursor;
        foreach (var frame in report.Frames)
        {
            if (frame.StreamEpoch < state.StreamEpoch || (frame.StreamEpoch == state.StreamEpoch && frame.Seq <= cursor))
            {
                continue; // recorded before, or of an older epoch (reliability.md 11.3 B102, B108)
            }
            if (frame.StreamEpoch > state.StreamEpoch || frame.Seq != cursor + 1)
            {
                events.Add(new FrameGapSeen(frame.StreamEpoch, cursor + 1, frame.Seq));
                return Decision<BridgeEvent>.Accept(
                    events.ToImmutable().Add(new AgentSessionClosed(state.Session, "frame gap")), new FramesStored(state.StreamEpoch, -1), []);
            }
            if (state.Frames.Length + events.Count >= FramesMax)
            {
                break;
            }
            events.Add(new FrameRecorded(frame));
            cursor = frame.Seq;
        }
        return Decision<BridgeEvent>.Accept(events.ToImmutable(), new FramesStored(state.StreamEpoch, cursor), []);
    }

    static Decision<BridgeEvent> Delivered(BridgeState state, AnswerArrived answer)
    {
        if (state.Frames.FirstOrDefault(frame => answer.EffectId == FrameEffect(state, frame)) is { } delivered)
        {
            return answer.Reply is NotAttached { Absent: var leftOver } && state.Known.Contains(delivered.Device.Switch)
                ? Decision<BridgeEvent>.Accept(null, new FrameStrange(delivered.StreamEpoch, delivered.Seq, leftOver))
                : Decision<BridgeEvent>.Accept(null, new FrameDelivered(delivered.StreamEpoch, delivered.Seq));
        }
        return state.Untold.FirstOrDefault(pair => answer.EffectId == ToldEffect(pair.Key, pair.Value)) is { Key: not null } told
            ? Decision<BridgeEvent>.Accept(null, new SwitchTold(told.Value.Session, told.Key))
            : Decision<BridgeEvent>.Ignore;
    }

    public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => happened switch
    {
        AgentSessionOpened e when !state.Removed => Opened(state, e),
        OldSnapshotRefused e when state is { Online: false, Removed: false } => state with { Behind = e },
        UnknownCommandSeen e when !state.Removed => UnknownCommands.Evolve(state, e),
        AgentSessionClosed when state.Online => state with { Online = false },
        StaleReportDropped => state with { Dropped = state.Dropped + 1 },
        FrameRecorded e when state.Online => state with { Cursor = e.Frame.Seq, Frames = IsFor(state, e.Frame) is null ? state.Frames : state.Frames.Add(e.Frame) },
        FrameStrange e when !state.Frames.Any(frame => Is(frame, e.StreamEpoch, e.Seq)) => state,
        FrameStrange e => state with { Strangers = state.Strangers.SetItem(Position(state.Frames.First(frame => Is(frame, e.StreamEpoch, e.Seq))), e.LeftOver) },
        FrameDelivered e => state with
        {
            Frames = state.Frames.RemoveAll(frame => Is(frame, e.StreamEpoch, e.Seq)),
            Strangers = state.Strangers.RemoveRange(state.Frames.Where(frame => Is(frame, e.StreamEpoch, e.Seq)).Select(Position)),
        },
        FrameGapSeen when state.Online => state,
        CommandIssued when !state.Removed => BridgeCommands.Evolve(state, happened),
        CommandOvertaken or CommandCompleted => BridgeCommands.Evolve(state, happened),
        HostRebooted or HostRemoved or HostReadmitted => HostLosses.Evolve(state, happened),
        HostJoinAllowed or JoinTokenUsed => HostJoins.Evolve(state, happened),
        SwitchTold e => state.Untold.TryGetValue(e.Switch, out var untold) && untold.Session == e.Session
            ? state with { Untold = state.Untold.Remove(e.Switch) }
            : state,
        _ => throw new UnreachableException(happened.ToString()),
    };

    static BridgeState Opened(BridgeState state, AgentSessionOpened e)
    {
        var untold = ImmutableSortedDictionary.CreateBuilder<string, ReconcileSwitch>(StringComparer.Ordinal);
        var (switches, devices) = (e.Switches.ToHashSet(StringComparer.Ordinal), e.Devices.ToLookup(device => device.Switch, StringComparer.Ordinal));
        foreach (var name in state.Known)
        {
            untold[name] = new ReconcileSwitch(e.Session, switches.Contains(name), [.. devices[name]]) { At = new StreamPlace(e.StreamEpoch, e.Cursor) };
        }
        return UnknownCommands.Opened(state, e.Devices) with
        {
            Driver = e.Driver,
            Version = e.Version,
            Session = e.Session,
            Online = true,
            Behind = null,
            BootId = e.BootId,
            StreamEpoch = e.StreamEpoch,
            Cursor = e.Cursor,
            // The snapshot was taken after them: delivered behind it they would say of a device what is no longer so.
            Frames = state.Frames.RemoveAll(frame => state.Known.Contains(frame.Device.Switch)),
            Strangers = state.Strangers.RemoveRange(
                state.Frames.Where(frame => state.Known.Contains(frame.Device.Switch)).Select(Position)),
            Untold = HostLosses.Carried(state.Untold, untold.ToImmutable()),
        };
    }

    public static IEnumerable<Effect> Outstanding(BridgeState state)
    {
        foreach (var drive in BridgeCommands.Outstanding(state))
        {
            yield return drive;
        }
        // One at a time for each device, the oldest first: what is seen later must not be judged earlier. A switch hears of the
        // snapshot first, which is older than the frames.
        foreach (var frame in state.Frames
            .DistinctBy(frame => frame.Device.NicKey is { Length: > 0 } nic ? nic : frame.Device.Device)
            .Where(frame => IsFor(state, frame) is not { Kind: "switch" } to || !state.Untold.ContainsKey(to.Parts[1]))
            .Take(DeliveriesMax))
        {
            yield return new Effect.Ask(FrameEffect(state, frame), IsFor(state, frame)!.Value, Report(state, frame));
        }
        foreach (var (name, reconcile) in state.Untold)
        {
            yield return new Effect.Ask(ToldEffect(name, reconcile), EntityId.Switch(state.Id.Parts[0], name), reconcile);
        }
    }

    /// <summary>Who is told of a frame: the NIC that the device is named after; else, or if that one does not know it, the switch.</summary>
    static EntityId? IsFor(BridgeState state, DriverFrame frame) =>
        !state.Strangers.ContainsKey(Position(frame)) && EntityId.Parse(frame.Device.NicKey) is { Kind: "nic" } nic ? nic
        : state.Known.Contains(frame.Device.Switch) ? EntityId.Switch(state.Id.Parts[0], frame.Device.Switch)
        : null;

    static Command Report(BridgeState state, DriverFrame frame) => IsFor(state, frame) is { Kind: "nic" }
        ? new ReportDevice(Position(frame), false, frame.Device, Host: state.Id.Parts[0], At: PlaceOf(frame))
        : new ReportStranger(Position(frame), frame.Device, state.Strangers.GetValueOrDefault(Position(frame)), PlaceOf(frame));

    static StreamPlace PlaceOf(DriverFrame frame) => new(frame.StreamEpoch, frame.Seq);

    static string Position(DriverFrame frame) => string.Create(CultureInfo.InvariantCulture, $"{frame.BootId}:{frame.StreamEpoch}:{frame.Seq}");

    static string FrameEffect(BridgeState state, DriverFrame frame) => $"{(IsFor(state, frame) is { Kind: "nic" } ? "frame" : "stranger")}:{Position(frame)}";

    static bool Is(DriverFrame frame, long epoch, long seq) => frame.StreamEpoch == epoch && frame.Seq == seq;

    static string ToldEffect(string name, ReconcileSwitch reconcile) => string.Create(CultureInfo.InvariantCulture, $"snapshot:{reconcile.Session}:{name}");
}
