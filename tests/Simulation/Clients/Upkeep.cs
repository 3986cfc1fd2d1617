using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// Who looks after the hosts: takes switches away and gives them back, turns hosts off, says that they never return, and
/// admits them again. What it says is true: a host that is given up has no power, and comes back empty.
/// </summary>
sealed class Upkeep(World world)
{
    static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(40);

    public (EntityId, Command)? Next(Client client)
    {
        var luck = world.Simulator.Luck;
        var host = luck.Pick(client.Name + ".host", world.Hosts);
        return luck.Next(client.Name + ".what", 3) switch
        {
            1 when world.Options.Wanted.Switches => OfSwitch(client, host),
            2 when world.Options.Wanted.Hosts && !world.Healed => OfHost(client, host),
            _ => null,
        };
    }

    (EntityId, Command) OfSwitch(Client client, SimulatedHost host)
    {
        var id = EntityId.Switch(host.Name, Wishes.SwitchName);
        var ready = world.Check.State<SwitchState>(id) is SwitchState.Here { Stage: SwitchStage.Ready };
        var usual = world.Simulator.Luck.Next(client.Name + ".usual", 4) > 0;
        return (id, ready == usual ? new DeleteSwitch() : new DefineSwitch(Wishes.SwitchDefinition(DriftPolicy.Repair)));
    }

    (EntityId, Command)? OfHost(Client client, SimulatedHost host)
    {
        var (luck, id) = (world.Simulator.Luck, EntityId.Bridge(host.Name));
        if (world.Check.State<BridgeState>(id) is { Removed: true })
        {
            return luck.Next(client.Name + ".readmits", 3) == 0 ? (id, new RemoveHost(true)) : (id, new ReadmitHost());
        }
        if (luck.Next(client.Name + ".readmits", 6) == 1)
        {
            return (id, new ReadmitHost()); // it was not removed
        }
        if (!host.Off)
        {
            host.TurnOff();
            world.Simulator.After(luck.Between(client.Name + ".returns", Shortest, Longest), null, host.TurnOn);
            return null;
        }
        return (id, new RemoveHost(Force: luck.Next(client.Name + ".force", 4) > 0));
    }

    /// <summary>At the end every host may have sessions.</summary>
    public IEnumerable<(EntityId, Command)> Admissions() => world.Hosts.Select(host => EntityId.Bridge(host.Name))
        .Where(id => world.Check.State<BridgeState>(id) is { Removed: true })
        .Select(id => (id, (Command)new ReadmitHost()));
}

/// <summary>Extensions answer what they pended, each after a while: at first perhaps with an error, in the end with success.</summary>
sealed class LateAnswers(World world)
{
    public (EntityId, Command)? Next(Client client)
    {
        foreach (var id in world.Hosts.Select(host => EntityId.Switch(host.Name, Wishes.SwitchName)))
        {
            if (world.Check.State<SwitchState>(id) is SwitchState.Here { Slot: { Verdict.Pause: { } pause } slot })
            {
                var refuses = !world.Healed && world.Simulator.Luck.Next(client.Name + ".status", 4) == 1;
                return (id, new CompleteOid(slot.Request.RequestId, pause.Extension, refuses ? NdisStatus.Resources : NdisStatus.Success));
            }
        }
        return null;
    }
}
