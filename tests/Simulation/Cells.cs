using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>Cores that count which message met which state: a cell is "kind, state, message".</summary>
static class Cells
{
    public static IEntityCore Core(EntityId id, Tally cells) => id.Kind switch
    {
        "port" => Core<PortLifecycle, PortState, PortEvent>(id, cells),
        "nic" => Core<NicLifecycle, NicState, NicEvent>(id, cells),
        "switch" => Core<SwitchLifecycle, SwitchState, SwitchEvent>(id, cells),
        "vm" => Core<VmLifecycle, VmState, VmEvent>(id, cells),
        "migration" => Core<MigrationLifecycle, MigrationState, MigrationEvent>(id, cells),
        "bridge" => Core<BridgeLifecycle, BridgeState, BridgeEvent>(id, cells),
        var kind => throw new ArgumentException($"{kind} is no kind of entity", nameof(id)),
    };

    /// <summary>Every state of every kind, as <see cref="StateOf"/> names them.</summary>
    public static IEnumerable<(string Kind, string State)> States =>
    [
        .. new[] { "Offline", "Online", "Removed" }.Select(state => ("bridge", state)),
        .. Enum.GetNames<SwitchStage>().Prepend(nameof(SwitchState.Absent)).Select(state => ("switch", state)),
        .. CasesOf<PortState>().Select(state => ("port", state)),
        .. CasesOf<NicState>().Select(state => ("nic", state)),
        .. CasesOf<VmState>().Select(state => ("vm", state)),
    ];

    static IEnumerable<string> CasesOf<TState>() => typeof(TState).GetNestedTypes().Where(typeof(TState).IsAssignableFrom).Select(type => type.Name);

    static string StateOf(object state) => state switch
    {
        BridgeState { Removed: true } => "Removed",
        BridgeState bridge => bridge.Online ? "Online" : "Offline",
        SwitchState.Here here => here.Stage.ToString(),
        _ => state.GetType().Name,
    };

    static string MessageOf(Command command) => command switch
    {
        ArriveOid arrival => $"ArriveOid {arrival.Request.Oid}",
        SubmitOid submit => $"SubmitOid {submit.Request.Oid}",
        _ => command.GetType().Name,
    };

    static CountedCore<TLifecycle, TState, TEvent> Core<TLifecycle, TState, TEvent>(EntityId id, Tally cells)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event => new(id, cells);

    /// <summary>A state that brings its run's tally to the lifecycle, which has nothing of its own.</summary>
    sealed record Counted<TState>(TState State, string Kind, Tally? Cells);

    sealed class CountingLifecycle<TLifecycle, TState, TEvent> : ILifecycle<Counted<TState>, TEvent>
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        public static Counted<TState> Initial(EntityId id) => new(TLifecycle.Initial(id), id.Kind, null);

        public static Decision<TEvent> Decide(Counted<TState> state, Command command, in Turn turn)
        {
            state.Cells!.Count($"{state.Kind} {StateOf(state.State)} {MessageOf(command)}");
            return TLifecycle.Decide(state.State, command, turn);
        }

        public static Counted<TState> Evolve(Counted<TState> state, TEvent happened) => state with { State = TLifecycle.Evolve(state.State, happened) };

        public static IEnumerable<Effect> Outstanding(Counted<TState> state) => TLifecycle.Outstanding(state.State);
    }

    /// <summary>The production core around the counting lifecycle; snapshots go in and out as the production's.</summary>
    sealed class CountedCore<TLifecycle, TState, TEvent> : IEntityCore
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        readonly EntityCore<CountingLifecycle<TLifecycle, TState, TEvent>, Counted<TState>, TEvent> _core;
        readonly Tally _cells;

        public CountedCore(EntityId id, Tally cells)
        {
            _cells = cells;
            _core = new(id, Mutants.Limits(id.Kind));
            var empty = _core.Snapshot();
            _core.Step(new Input.Restore(empty with { State = _core.State with { Cells = cells } }), default);
        }

        public long Sequence => _core.Sequence;

        public bool HasOpenWork => _core.HasOpenWork;

        public bool MayOweWork => _core.MayOweWork;

        public IReadOnlyList<Output> Step(Input input, DateTimeOffset now) =>
        [
            .. _core.Step(input is Input.Restore(var given) ? new Input.Restore(given with { State = new Counted<TState>((TState)given.State, given.Entity.Kind, _cells) }) : input, now)
                .Select(output => output is Output.SaveSnapshot(var saved) ? new Output.SaveSnapshot(saved with { State = ((Counted<TState>)saved.State).State }) : output),
        ];
    }
}
