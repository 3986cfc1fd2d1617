using System.Collections.Immutable;
using ControlPlane.Actors.Migrations;

namespace ControlPlane.Actors.Projections;

/// <summary>The alarms of a migration that is under way: what it waits for, and what a person can do about it.</summary>
static class MigrationAlarms
{
    /// <summary>NICs that an alarm names; the migration's document has all of them.</summary>
    const int NamedMax = 8;

    public static void Add(ImmutableArray<Alarm>.Builder alarms, MigrationState state)
    {
        var run = state.RunOrNull!;
        var nowhere = run.Legs.Where(leg => leg.Value.Nowhere is not null).ToList();
        if (nowhere.Count > 0)
        {
            alarms.Add(new Alarm("migration.nic-nowhere", AlarmSeverity.Critical,
                $"{Named(nowhere.Select(leg => leg.Key))} of VM {state.Id.Parts[0]} is on no host: {run.Plan.Definition.Host} does not take it back. {nowhere[0].Value.Nowhere!.Detail}",
                $"Remove the cause at {run.Plan.Definition.Host}; it is asked again every {MigrationLifecycle.BetweenRescues.TotalSeconds:0} s and the VM goes on there when it takes the NIC."));
        }
        if (run.Slow)
        {
            alarms.Add(new Alarm("migration.slow", AlarmSeverity.Warning,
                $"{(state is MigrationState.Returning ? "The way back" : "The migration")} of VM {state.Id.Parts[0]} from {run.Plan.Definition.Host} to {run.Plan.Destination} has been at {MigrationLifecycle.Name(state)} since {run.Since:u}: {Waits(run)}.",
                Action(state, run)));
        }
    }

    static string Waits(MigrationRun run)
    {
        var waits = run.Legs.Where(leg => leg.Value.Remaining.Length > 0).ToList();
        return waits.Count == 0
            ? "nothing is under way"
            : string.Join(", ", waits.Take(NamedMax).Select(leg => $"{(leg.Key == MigrationRun.Group ? "the VM" : leg.Key)} waits for {leg.Value.Remaining[0].Kind} at {run.Host(leg.Value.Remaining[0].Side)}"))
                + (waits.Count > NamedMax ? $" and {waits.Count - NamedMax} more" : "");
    }

    /// <summary>Nothing is forced: before the source is known to be closed the destination stays closed (migration.md F4).</summary>
    static string Action(MigrationState state, MigrationRun run)
    {
        var hosts = run.Legs.Values.Where(leg => leg.Remaining.Length > 0).Select(leg => run.Host(leg.Remaining[0].Side)).Distinct().Order(StringComparer.Ordinal).ToList();
        var look = hosts.Count == 0 ? "Look at its history" : $"Look at {string.Join(" and ", hosts)}: have what is held released, or bring the host back";
        var gone = "; a host that never returns is given up with DELETE /v1/hosts/HOST?force=true";
        return state is MigrationState.Moving && MigrationOrder.After(run.Stage).Cancel != MigrationExit.Refuse
            ? $"{look}{gone}; or POST /v1/migrations/{string.Join('~', state.Id.Parts)}/cancel to have the VM stay."
            : $"{look}{gone}.";
    }

    static string Named(IEnumerable<string> nics)
    {
        var all = nics.ToList();
        return $"NIC {string.Join(", ", all.Take(NamedMax))}{(all.Count > NamedMax ? $" and {all.Count - NamedMax} more" : "")}";
    }
}
