using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>The production lifecycles in production cores, with small bounds; or one of them with a defect around it.</summary>
static class Mutants
{
    public static IEntityCore Core(Mutant mutant, EntityId id) => (id.Kind, mutant) switch
    {
        ("bridge", Mutant.CursorBeforeEffects) => Core<BridgeThatForgetsFrames, BridgeState, BridgeEvent>(mutant, id),
        ("bridge", Mutant.GapIgnored) => Core<BridgeThatSeesNoGap, BridgeState, BridgeEvent>(mutant, id),
        ("bridge", Mutant.LowerStreamEpochAccepted) => Core<BridgeThatTakesOldSnapshots, BridgeState, BridgeEvent>(mutant, id),
        ("bridge", Mutant.OvertakenHandedOut) => Core<BridgeThatKnowsNoPlaces, BridgeState, BridgeEvent>(mutant, id),
        ("nic", Mutant.DrainGateIgnored) => Core<NicWithoutGate, NicState, NicEvent>(mutant, id),
        ("vm", Mutant.ConnectedTakenForGone) => Core<VmThatLeavesConnected, VmState, VmEvent>(mutant, id),
        ("vm", Mutant.UndoOldestFirst) => Core<VmThatUndoesOldestFirst, VmState, VmEvent>(mutant, id),
        ("vm", Mutant.EpochNotRaised) => Core<MigrationMutants.EpochNotRaised, VmState, VmEvent>(mutant, id),
        ("migration", Mutant.SourceLeftOpen) => Core<MigrationMutants.SourceLeftOpen, MigrationState, MigrationEvent>(mutant, id),
        ("migration", Mutant.OpenedBeforeOwned) => Core<MigrationMutants.OpenedBeforeOwned, MigrationState, MigrationEvent>(mutant, id),
        ("migration", Mutant.AbortedAfterOwned) => Core<MigrationMutants.AbortedAfterOwned, MigrationState, MigrationEvent>(mutant, id),
        ("port", _) => Core<PortLifecycle, PortState, PortEvent>(mutant, id),
        ("nic", _) => Core<NicLifecycle, NicState, NicEvent>(mutant, id),
        ("switch", _) => Core<SwitchLifecycle, SwitchState, SwitchEvent>(mutant, id),
        ("vm", _) => Core<VmLifecycle, VmState, VmEvent>(mutant, id),
        ("migration", _) => Core<MigrationLifecycle, MigrationState, MigrationEvent>(mutant, id),
        ("bridge", _) => Core<BridgeLifecycle, BridgeState, BridgeEvent>(mutant, id),
        var (kind, _) => throw new ArgumentException($"{kind} is no kind of entity", nameof(id)),
    };

    /// <summary>A defect that shows in rare histories only is looked for where it can show: the faults that it needs are there, and strike often.</summary>
    public static Options Likelier(Mutant mutant, Options options) => mutant switch
    {
        Mutant.CursorBeforeEffects => options with
        {
            // The snapshot of the next session tells what was forgotten: there are few.
            Host = options.Host with { Drift = true, Crash = false, Hang = false, Reboot = false, FencesLost = false, Cut = false, FrameLost = 0 },
            TroubleEvery = TimeSpan.FromSeconds(2),
        },
        Mutant.GapIgnored => options with
        {
            Host = options.Host with { Drift = true, FrameLost = 400 },
            TroubleEvery = TimeSpan.FromSeconds(1),
        },
        Mutant.LowerStreamEpochAccepted => options with
        {
            Network = options.Network with { Stall = 500 },
            Host = options.Host with { Crash = true, Drift = true, FencesLost = true, Reboot = true },
            TroubleEvery = TimeSpan.FromSeconds(2),
        },
        Mutant.OvertakenHandedOut => options with
        {
            Vms = 2,
            Clients = 3,
            Requests = 60,
            Network = options.Network with { CommandStall = 500, Loss = 400 },
            Host = options.Host with { Crash = true, Drift = true, FencesLost = true },
            TroubleEvery = TimeSpan.FromSeconds(1),
        },
        Mutant.AbortedAfterOwned => options with { Hosts = 2, Wanted = new Wanted(Moves: true) },
        Mutant.PlaceGivenByJournal => options with
        {
            // No failed write and no death: who writes beside another is at another node.
            Nodes = 3,
            Journal = new JournalFaults(),
            Cluster = new ClusterFaults(Twin: true, PeersCut: true),
            TroubleEvery = TimeSpan.FromSeconds(2),
        },
        Mutant.OldHomeBelieved => options with
        {
            Nodes = 3,
            Requests = 8,
            Network = options.Network with { Slow = 400 },
            Cluster = new ClusterFaults(Crash: true, HandOver: true, Twin: true, PeersCut: true),
            TroubleEvery = TimeSpan.FromSeconds(1),
        },
        Mutant.ConnectedTakenForGone => options with
        {
            Impatient = true,
            Requests = 20,
            Network = options.Network with { Slow = 100 },
        },
        _ => options,
    };

    public static CoreLimits Limits(string kind) => CoreLimits.For(kind) with { StashMax = 24, SnapshotEvery = 15 };

    static EntityCore<TLifecycle, TState, TEvent> Core<TLifecycle, TState, TEvent>(Mutant mutant, EntityId id)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event =>
        new(id, mutant switch
        {
            Mutant.UnboundedMailbox => Limits(id.Kind) with { StashMax = int.MaxValue },
            Mutant.MessageIdIgnored => Limits(id.Kind) with { ExecutedMax = 0 },
            _ => Limits(id.Kind),
        });

    /// <summary>The cursor rises, and what the frame says is not kept until somebody has heard it.</summary>
    sealed class BridgeThatForgetsFrames : ILifecycle<BridgeState, BridgeEvent>
    {
        public static BridgeState Initial(EntityId id) => BridgeLifecycle.Initial(id);

        public static Decision<BridgeEvent> Decide(BridgeState state, Command command, in Turn turn) => BridgeLifecycle.Decide(state, command, turn);

        public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => happened is FrameRecorded
            ? BridgeLifecycle.Evolve(state, happened) with { Frames = state.Frames }
            : BridgeLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(BridgeState state) => BridgeLifecycle.Outstanding(state);
    }

    /// <summary>A frame that is not the next one is taken for it.</summary>
    sealed class BridgeThatSeesNoGap : ILifecycle<BridgeState, BridgeEvent>
    {
        public static BridgeState Initial(EntityId id) => BridgeLifecycle.Initial(id);

        public static Decision<BridgeEvent> Decide(BridgeState state, Command command, in Turn turn) => command is ReportFrames report
            ? BridgeLifecycle.Decide(
                state.Cursor + 1 < report.Frames[0].Seq ? state with { Cursor = report.Frames[0].Seq - 1 } : state, command, turn)
            : BridgeLifecycle.Decide(state, command, turn);

        public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => BridgeLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(BridgeState state) => BridgeLifecycle.Outstanding(state);
    }

    /// <summary>A hello that was overtaken by a newer one opens a session all the same.</summary>
    sealed class BridgeThatTakesOldSnapshots : ILifecycle<BridgeState, BridgeEvent>
    {
        public static BridgeState Initial(EntityId id) => BridgeLifecycle.Initial(id);

        public static Decision<BridgeEvent> Decide(BridgeState state, Command command, in Turn turn) =>
            BridgeLifecycle.Decide(command is OpenSession ? state with { BootId = "" } : state, command, turn);

        public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => BridgeLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(BridgeState state) => BridgeLifecycle.Outstanding(state);
    }

    /// <summary>Every command is taken and handed out, whatever came before it.</summary>
    sealed class BridgeThatKnowsNoPlaces : ILifecycle<BridgeState, BridgeEvent>
    {
        public static BridgeState Initial(EntityId id) => BridgeLifecycle.Initial(id);

        public static Decision<BridgeEvent> Decide(BridgeState state, Command command, in Turn turn) => command is IssueCommand
            ? BridgeLifecycle.Decide(state with { Epochs = state.Epochs.Clear(), Commands = state.Commands.Clear() }, command, turn)
            : BridgeLifecycle.Decide(state, command, turn);

        public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => BridgeLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(BridgeState state) => BridgeLifecycle.Outstanding(state);
    }

    /// <summary>The refusal of a NIC_DELETE as connected is taken for one of a NIC that is not there.</summary>
    sealed class VmThatLeavesConnected : ILifecycle<VmState, VmEvent>
    {
        public static VmState Initial(EntityId id) => VmLifecycle.Initial(id);

        public static Decision<VmEvent> Decide(VmState state, Command command, in Turn turn) => VmLifecycle.Decide(
            state, command is AnswerArrived { Refusal: { Code: NicLifecycle.DeleteConnected } refusal } answer
                ? answer with { Refusal = refusal with { Code = "nic.absent" } }
                : command, turn);

        public static VmState Evolve(VmState state, VmEvent happened) => VmLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(VmState state) => VmLifecycle.Outstanding(state);
    }

    /// <summary>NIC_DELETE sees no holds.</summary>
    sealed class NicWithoutGate : ILifecycle<NicState, NicEvent>
    {
        public static NicState Initial(EntityId id) => NicLifecycle.Initial(id);

        public static Decision<NicEvent> Decide(NicState state, Command command, in Turn turn) => NicLifecycle.Decide(
            command is ArriveOid or AwaitDrain && state is NicState.Disconnected s ? s with { Body = s.Body with { Drain = Drain.Empty } } : state, command, turn);

        public static NicState Evolve(NicState state, NicEvent happened) => NicLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(NicState state) => NicLifecycle.Outstanding(state);
    }

    sealed class VmThatUndoesOldestFirst : ILifecycle<VmState, VmEvent>
    {
        public static VmState Initial(EntityId id) => VmLifecycle.Initial(id);

        public static Decision<VmEvent> Decide(VmState state, Command command, in Turn turn) => VmLifecycle.Decide(state, command, turn);

        public static VmState Evolve(VmState state, VmEvent happened) =>
            happened is VmStartUndoing && VmLifecycle.Evolve(state, happened) is VmState.Undoing undoing
                ? undoing with { Ladder = undoing.Ladder with { Remaining = [.. undoing.Ladder.Remaining.Reverse()] } }
                : VmLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(VmState state) => VmLifecycle.Outstanding(state);
    }
}
