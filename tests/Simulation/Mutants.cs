using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>The production lifecycles in production cores, with small bounds; or one of them with a defect around it.</summary>
static class Mutants
{
    public static IEntityCore Core(Mutant mutant, EntityId id) => id.Kind switch
    {
        "port" => Core<PortLifecycle, PortState, PortEvent>(mutant, id),
        "nic" => Core<NicLifecycle, NicState, NicEvent>(mutant, id),
        "switch" => Core<SwitchLifecycle, SwitchState, SwitchEvent>(mutant, id),
        "vm" => Core<VmLifecycle, VmState, VmEvent>(mutant, id),
        "bridge" => Core<BridgeLifecycle, BridgeState, BridgeEvent>(mutant, id),
        var kind => throw new ArgumentException($"{kind} is no kind of entity", nameof(id)),
    };

    public static CoreLimits Limits(string kind) => CoreLimits.For(kind) with { StashMax = 24, SnapshotEvery = 15 };

    static EntityCore<TLifecycle, TState, TEvent> Core<TLifecycle, TState, TEvent>(Mutant mutant, EntityId id)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event =>
        new(id, mutant == Mutant.UnboundedMailbox ? Limits(id.Kind) with { StashMax = int.MaxValue } : Limits(id.Kind));
}
