using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>Moves VMs between hosts, cancels, and tells of guests: also at the wrong time.</summary>
sealed class Movers(World world)
{
    public (EntityId, Command)? Next(Client client)
    {
        var luck = world.Simulator.Luck;
        var vm = string.Concat("vm", (1 + luck.Next(client.Name + ".vm", world.Options.Vms)).ToString(System.Globalization.CultureInfo.InvariantCulture));
        var id = EntityId.Vm(vm);
        return world.Check.State<VmState>(id) switch
        {
            VmState.Migrating s when luck.Next(client.Name + ".again", 12) == 1 => (id, Move(client, s.Definition.Host)),
            VmState.Migrating s => (EntityId.Migration(vm, s.Number), luck.Next(client.Name + ".word", 8) switch
            {
                0 or 1 or 2 => new ReportGuest(GuestEvent.Paused),
                3 or 4 or 5 => new ReportGuest(GuestEvent.Resumed),
                6 => new ReportGuest(GuestEvent.Failed),
                _ => new CancelMigration(),
            }),
            VmState.Running s => (id, Move(client, s.Definition.Host)),
            _ when luck.Next(client.Name + ".anyway", 4) == 1 => (id, Move(client, "")),
            _ => (id, new StartVm()),
        };
    }

    MigrateVm Move(Client client, string from)
    {
        var luck = world.Simulator.Luck;
        var others = world.Hosts.Select(host => host.Name).Where(host => host != from).ToList();
        return new MigrateVm(
            others.Count == 0 ? from : luck.Pick(client.Name + ".to", others), Guest: luck.Next(client.Name + ".guest", 3) == 1 ? GuestMover.External : GuestMover.None,
            DeadlineSeconds: 60);
    }
}
