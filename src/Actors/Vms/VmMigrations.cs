using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>
/// A VM that is being moved. Its migration is an actor of its own; the VM asks for it, and the one thing that it alone
/// decides is who owns all its NICs, and under which epoch (migration.md F1, F7). While it moves nothing else is done to it.
/// </summary>
static class VmMigrations
{
    public static Decision<VmEvent> Start(VmState.Running s, MigrateVm migrate, string operation, in Turn turn)
    {
        if (Refusal(s.Definition, migrate) is { } wrong)
        {
            return Decision<VmEvent>.Refuse(wrong);
        }
        var plan = new MigrationPlan(
            operation, s.Definition, migrate.Destination, s.Epoch, migrate.Mode, migrate.Guest, migrate.DeadlineSeconds, migrate.MaxBlackoutMs);
        return Decision<VmEvent>.Accept(
            new OperationRuns(operation), new VmMigrationStarted(operation, turn.MessageId, s.Migrations + 1, plan));
    }

    /// <summary>What is wrong with the request, whatever the VM does.</summary>
    public static Refusal? Refusal(VmDefinition definition, MigrateVm migrate) =>
        migrate.Destination == definition.Host ? Wrong("migration.destination.same", $"The VM is on {definition.Host}.", "destination")
        : migrate.DeadlineSeconds is < 1 or > MigrateVm.DeadlineSecondsMax
            ? Wrong("migration.deadline.range", $"A deadline is 1 to {MigrateVm.DeadlineSecondsMax} seconds.", "deadlineSeconds")
            : null;

    /// <summary>F1: one append makes the owner. A migration that is not the open one has no say.</summary>
    public static Decision<VmEvent> Own(VmState state, ChangeOwner change) => state switch
    {
        VmState.Migrating s when s.Number == change.Number => Decision<VmEvent>.Accept(
            new OwnerChanged(change.To, s.Epoch + 1), new VmOwnerChanged(s.Number, s.Definition.Host, change.To, s.Epoch + 1)),
        _ => Decision<VmEvent>.Refuse(Messages.Refusal.Illegal("vm.owner.not-migrating", $"Migration {change.Number} of this VM is not open.", "migration.md F1", state.Name)),
    };

    /// <summary>The host lost it: the migration is told and comes to its end, and the VM with it.</summary>
    public static Decision<VmEvent> Lost(VmState.Migrating s, LoseVm lose) =>
        s.Definition.Host == lose.Host && s.Epoch == lose.Epoch && (s.Loss is null || s.LossTold)
            ? Decision<VmEvent>.Accept(new Done(), new VmLossNoted(lose.Host, lose.Epoch, lose.Reason, lose.Nics))
            : Decision<VmEvent>.Accept(new Done());

    public static Decision<VmEvent> Answered(VmState.Migrating s, AnswerArrived answer)
    {
        if (answer.EffectId == LossEffect(s))
        {
            return Decision<VmEvent>.Accept(null, new VmLossTold(s.Number));
        }
        if (answer.EffectId != Effect(s))
        {
            return Decision<VmEvent>.Ignore;
        }
        var finished = answer.Reply as MigrationFinished;
        VmEvent ended = (answer.Refusal ?? finished?.Problem) is { } problem
            ? new VmMigrationFailed(s.Plan.OperationId, s.Number, problem) { Missing = finished?.Missing }
            : new VmMigrated(s.Plan.OperationId, s.Number, s.Definition.Host);
        // What the migration had heard before it gave the source its NICs back was before they were made.
        var noted = s.Loss is { } loss && loss.Host == s.Definition.Host && loss.Epoch == s.Epoch && s.Losses > (finished?.Heard ?? 0) ? s.Loss : null;
        return noted is null && finished is not { Lost: true }
            ? Decision<VmEvent>.Accept(null, ended)
            : Decision<VmEvent>.Accept(null, ended, new VmLost(null, s.Definition.Host, noted?.Reason ?? HostLoss.Rebooted, noted?.Nics ?? []));
    }

    public static VmState Evolve(VmState.Migrating s, VmEvent happened, ImmutableArray<VmOperation> operations) => happened switch
    {
        VmOwnerChanged e => s with { Epoch = e.Epoch, Definition = s.Definition with { Host = e.To } },
        VmLossNoted e => s with { Loss = e, LossTold = false, Losses = s.Losses + 1 },
        VmLossTold => s with { LossTold = true },
        _ => new VmState.Running(s.Id, s.Epoch, operations, s.Definition),
    };

    /// <summary>Until they are taken away, or all NICs end with a stop.</summary>
    public static ImmutableArray<string> Missing(VmState before, VmEvent happened) => happened switch
    {
        VmMigrationFailed { Missing: { } missing } => [.. missing],
        VmMigrationFailed or VmMigrated or VmStopped or VmStartRequested or VmLost => default,
        VmChanged e when !before.Missing.IsDefault => Left(before.Missing.RemoveAll(nic => e.Definition.Nics.All(known => known.Name != nic))),
        _ => before.Missing,
    };

    static ImmutableArray<string> Left(ImmutableArray<string> missing) => missing.IsEmpty ? default : missing;

    public static IEnumerable<Effect> Outstanding(VmState.Migrating s)
    {
        var migration = EntityId.Migration(s.Id.Parts[0], s.Number);
        yield return new Effect.Ask(Effect(s), migration, new BeginMigration(s.Plan));
        if (s is { Loss: { } loss, LossTold: false })
        {
            yield return new Effect.Ask(LossEffect(s), migration, new NoteGuestLost(loss.Host, loss.Reason));
        }
    }

    static string Effect(VmState.Migrating s) => $"{s.Plan.OperationId}:migrate";

    static string LossEffect(VmState.Migrating s) => s.Losses > 1
        ? string.Create(CultureInfo.InvariantCulture, $"{s.Plan.OperationId}:lost:{s.Loss?.Epoch}:{s.Losses}")
        : string.Create(CultureInfo.InvariantCulture, $"{s.Plan.OperationId}:lost:{s.Loss?.Epoch}");

    static Refusal Wrong(string code, string detail, string field) => new(RefusalKind.Unprocessable, code, detail, Field: field);
}
