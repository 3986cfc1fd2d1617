using System.Globalization;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>A peer that connects whatever NIC it finds, without being asked: also one whose VM is just starting.</summary>
sealed class Impatient(World world)
{
    public (EntityId, Command)? Wish(Client client)
    {
        var luck = world.Simulator.Luck;
        var id = EntityId.Switch(luck.Pick(client.Name + ".host", world.Hosts).Name, "sw");
        var ports = (world.Check.State<SwitchState>(id) as SwitchState.Here)?.Ports.Keys.ToList() ?? [];
        return (id, new SubmitOid(new OidRequest(
            string.Create(CultureInfo.InvariantCulture, $"{client.Name}-r{client.History.Count}"), OidCode.NicConnect,
            ports.Count == 0 ? 1 : luck.Pick(client.Name + ".port", ports), 0), FromPeer: true));
    }
}
