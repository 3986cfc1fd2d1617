using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>Which lifecycle an entity lives, by the kind in its id.</summary>
public static class EntityKinds
{
    public static IEntityCore NewCore(EntityId id) => id.Kind switch
    {
        "port" => Core<PortLifecycle, PortState, PortEvent>(id),
        "nic" => Core<NicLifecycle, NicState, NicEvent>(id),
        "switch" => Core<SwitchLifecycle, SwitchState, SwitchEvent>(id),
        "vm" => Core<VmLifecycle, VmState, VmEvent>(id),
        "migration" => Core<MigrationLifecycle, MigrationState, MigrationEvent>(id),
        "bridge" => Core<BridgeLifecycle, BridgeState, BridgeEvent>(id),
        var kind => throw new ArgumentException($"{kind} is no kind of entity", nameof(id)),
    };

    static EntityCore<TLifecycle, TState, TEvent> Core<TLifecycle, TState, TEvent>(EntityId id)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event => new(id, CoreLimits.For(id.Kind));
}
