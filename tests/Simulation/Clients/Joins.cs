using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// Hosts are let in, and somebody shows a token for one: the last, an earlier, or none of it, with a key that asked before or
/// another. There are few of each, so that they meet.
/// </summary>
sealed class Joins(World world)
{
    const int Few = 2;

    public (EntityId, Command)? Next(Client client)
    {
        var luck = world.Simulator.Luck;
        var id = EntityId.Bridge(luck.Pick(client.Name + ".host", world.Hosts).Name);
        return luck.Next(client.Name + ".what", 4) switch
        {
            0 => null,
            1 => (id, new AllowHostJoin(One("token"))),
            _ => (id, new UseJoinToken(One("token"), One("key"))),
        };

        string One(string of) => string.Create(CultureInfo.InvariantCulture, $"{of}{luck.Next($"{client.Name}.{of}", Few)}");
    }
}
