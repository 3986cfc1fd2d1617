using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// Planted defects of moves: those of migration.md 2 (M1 to M11) that there can be without leases. M1 and M6, a host that knows
/// no epochs, are the fault host.fences-lost together with <see cref="Mutant.OvertakenHandedOut"/>; M7 to M9 and M11 are about leases.
/// </summary>
static class MigrationMutants
{
    /// <summary>M2: what should close the source only looks whether it is open.</summary>
    public sealed class SourceLeftOpen : ILifecycle<MigrationState, MigrationEvent>
    {
        public static MigrationState Initial(EntityId id) => MigrationLifecycle.Initial(id);

        public static Decision<MigrationEvent> Decide(MigrationState state, Command command, in Turn turn) => MigrationLifecycle.Decide(state, command, turn);

        public static MigrationState Evolve(MigrationState state, MigrationEvent happened) => MigrationLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(MigrationState state) => MigrationLifecycle.Outstanding(state).Select(effect =>
            state is MigrationState.Moving { Run.Stage: MigrationStage.SourceSaved } && effect is Effect.Ask ask
                ? new Effect.Ask(ask.Id, EntityId.Nic(state.Id.Parts[0], ask.Id.Split(':')[0]), new ReadAttachment())
                : effect);
    }

    /// <summary>M3: the destination's gates open before the VM's append.</summary>
    public sealed class OpenedBeforeOwned : ILifecycle<MigrationState, MigrationEvent>
    {
        public static MigrationState Initial(EntityId id) => MigrationLifecycle.Initial(id);

        public static Decision<MigrationEvent> Decide(MigrationState state, Command command, in Turn turn) => MigrationLifecycle.Decide(state, command, turn);

        public static MigrationState Evolve(MigrationState state, MigrationEvent happened) => MigrationLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(MigrationState state) => MigrationLifecycle.Outstanding(state).Select(effect =>
            effect is Effect.Ask { Body: ChangeOwner owner } ask ? new Effect.Ask(ask.Id, EntityId.Bridge(owner.To), new CheckHost()) : effect);
    }

    /// <summary>M4: an operator's cancel is an abort also when the destination owns the VM.</summary>
    public sealed class AbortedAfterOwned : ILifecycle<MigrationState, MigrationEvent>
    {
        public static MigrationState Initial(EntityId id) => MigrationLifecycle.Initial(id);

        public static Decision<MigrationEvent> Decide(MigrationState state, Command command, in Turn turn) => MigrationLifecycle.Decide(
            command is CancelMigration && state is MigrationState.Moving { Run.OwnerMoved: true } s
                ? s with { Run = s.Run with { Stage = MigrationStage.Copying } }
                : state, command, turn);

        public static MigrationState Evolve(MigrationState state, MigrationEvent happened) => MigrationLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(MigrationState state) => MigrationLifecycle.Outstanding(state);
    }

    /// <summary>M5, M10: the new owner has the old owner's epoch.</summary>
    public sealed class EpochNotRaised : ILifecycle<VmState, VmEvent>
    {
        public static VmState Initial(EntityId id) => VmLifecycle.Initial(id);

        public static Decision<VmEvent> Decide(VmState state, Command command, in Turn turn) =>
            state is VmState.Migrating s && command is ChangeOwner change && change.Number == s.Number
                ? Decision<VmEvent>.Accept(new OwnerChanged(change.To, s.Epoch), new VmOwnerChanged(s.Number, s.Definition.Host, change.To, s.Epoch))
                : VmLifecycle.Decide(state, command, turn);

        public static VmState Evolve(VmState state, VmEvent happened) => VmLifecycle.Evolve(state, happened);

        public static IEnumerable<Effect> Outstanding(VmState state) => VmLifecycle.Outstanding(state);
    }
}
