using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What the journal may say of migrations (reliability.md 9 I21 to I24, migration.md F1 and F4): at each row that is stored.</summary>
sealed class MigrationCheck(World world)
{
    public void Follow(StoredEvent row, object was, object now)
    {
        switch (row.Event)
        {
            case VmMigrationStarted when was is VmState.Migrating before:
                world.Check.Violate("I24", $"{row.Entity}#{row.Sequence}: a migration begins while {before.Number} is open");
                break;
            case VmOwnerChanged owner:
                Owned(row, owner, (VmState.Migrating)was);
                break;
            case VmMigrated when was is VmState.Migrating s && s.Definition.Host != s.Plan.Destination:
                world.Check.Violate("I22", $"{row.Entity}#{row.Sequence}: migration {s.Number} is done, and {s.Definition.Host} owns the VM");
                break;
            case VmMigrationFailed when was is VmState.Migrating s && s.Definition.Host != s.Plan.Definition.Host:
                world.Check.Violate("I22", $"{row.Entity}#{row.Sequence}: migration {s.Number} is not done, and {s.Definition.Host} owns the VM");
                break;
            case MigrationAborting when was is MigrationState.Moving { Run.OwnerMoved: true }:
                world.Check.Violate("I23", $"{row.Entity}#{row.Sequence}: aborted after the destination owned the VM");
                break;
            case NicConnectProposed when now is NicState { BodyOrNull.Place: var place }
                && world.Check.State<VmState>(EntityId.Vm(row.Entity.Parts[0])) is VmState.Migrating vm && vm.Definition.Host != place.Host:
                world.Check.Violate("F1", $"{row.Entity}#{row.Sequence}: connected at {place.Host}, while {vm.Definition.Host} owns the VM");
                break;
        }
    }

    /// <summary>The one append: under a higher epoch, and after whoever owned the VM has closed every gate of it.</summary>
    void Owned(StoredEvent row, VmOwnerChanged owner, VmState.Migrating was)
    {
        if (owner.Epoch <= was.Epoch)
        {
            world.Check.Violate("I21", $"{row.Entity}#{row.Sequence}: {owner.To} owns the VM under epoch {owner.Epoch}, as {owner.From} did under {was.Epoch}");
        }
        foreach (var nic in was.Definition.Nics)
        {
            if (world.Check.State<NicState>(EntityId.Nic(row.Entity.Parts[0], nic.Name)) is NicState.Connected open && open.Body.Place.Host != owner.To)
            {
                world.Check.Violate("F4", $"{row.Entity}#{row.Sequence}: {owner.To} owns the VM while {open.Id} is connected at {open.Body.Place.Host}");
            }
        }
    }
}
