using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>The state inside a production core.</summary>
static class States
{
    public static object Of(IEntityCore core) => core switch
    {
        EntityCore<BridgeLifecycle, BridgeState, BridgeEvent> bridge => bridge.State,
        EntityCore<SwitchLifecycle, SwitchState, SwitchEvent> @switch => @switch.State,
        EntityCore<PortLifecycle, PortState, PortEvent> port => port.State,
        EntityCore<NicLifecycle, NicState, NicEvent> nic => nic.State,
        EntityCore<VmLifecycle, VmState, VmEvent> vm => vm.State,
        EntityCore<MigrationLifecycle, MigrationState, MigrationEvent> migration => migration.State,
        var other => throw new InvalidOperationException(other.ToString()),
    };
}
