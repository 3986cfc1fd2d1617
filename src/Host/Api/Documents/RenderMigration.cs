using System.Globalization;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Documents;

/// <summary>A migration's view as a document.</summary>
static class RenderMigration
{
    /// <summary>How people name a migration: VM~N.</summary>
    public static string Id(EntityId migration) => string.Join('~', migration.Parts);

    public static MigrationDocument Of(EntityView view)
    {
        var state = (MigrationState)view.State;
        var run = state.RunOrNull ?? throw new ArgumentException($"{view.Id} has not begun", nameof(view));
        var (plan, ended) = (run.Plan, state as MigrationState.Ended);
        var nics = run.Legs.Where(leg => leg.Key != MigrationRun.Group).ToList();
        var blackout = Blackout(state, [.. nics.Select(nic => nic.Value)]);
        return new MigrationDocument(
            Id(view.Id), view.Id.Parts[0], MigrationLifecycle.Name(state), Number(run.Stage), plan.Definition.Host, plan.Destination, run.Host(Owner(run)),
            plan.Mode, plan.Guest, run.Guest, plan.OperationId, Render.Text(run.Epoch), plan.DeadlineSeconds, plan.MaxBlackoutMs, run.Began, ended?.At,
            blackout, nics.Any(nic => nic.Value.Degraded is not null), run.Slow && ended is null, Problem(ProblemOf(state)),
            [.. run.Times.Select((time, at) => new MigrationStageDocument(
                Number(time.Stage), Camel(time.Stage), time.At, Ms(time.At - run.Times[Math.Max(at - 1, 0)].At)))],
            new MigrationStrandDocument(Steps(run.Legs[MigrationRun.Group].Done), Steps(run.Legs[MigrationRun.Group].Remaining)),
            [.. nics.Select(nic => Nic(nic.Key, nic.Value, state))],
            ended is null ? null : Certificate(run, ended, blackout),
            Render.Text(view.Revision), view.Updated);
    }

    static MigrationSide Owner(MigrationRun run) => run.OwnerMoved ? MigrationSide.Destination : MigrationSide.Source;

    /// <summary>The stage's number in migration.md c.2. What is between two of them has reached the first.</summary>
    static string Number(MigrationStage stage) => string.Create(CultureInfo.InvariantCulture, $"M{stage switch
    {
        MigrationStage.Requested or MigrationStage.Checked => 0,
        MigrationStage.Validated => 1,
        MigrationStage.Reserved => 2,
        MigrationStage.DestPrepared => 3,
        MigrationStage.DestReady => 4,
        MigrationStage.Copying => 5,
        MigrationStage.SwitchoverArmed or MigrationStage.SourceSaved => 6,
        MigrationStage.SourceQuiesced => 7,
        MigrationStage.OwnershipCommitted => 8,
        MigrationStage.DestActivated => 9,
        MigrationStage.DestRunning => 10,
        MigrationStage.Propagated => 11,
        MigrationStage.SourceCleaned => 12,
        MigrationStage.Completed => 13,
        _ => throw new System.Diagnostics.UnreachableException(stage.ToString()),
    }}");

    /// <summary>
    /// Null while a gate is closed or a way back is under way that closes it anew, and where nobody saw it close: the source
    /// was lost with its gate open.
    /// </summary>
    static double? Blackout(MigrationState state, IReadOnlyCollection<MigrationLeg> legs)
    {
        if (legs.All(leg => leg.ClosedAt is null && leg.OpenedAt is null))
        {
            return state is MigrationState.Ended ? 0 : null;
        }
        return state is MigrationState.Returning || legs.Any(leg => leg.ClosedAt is null || leg.OpenedAt is null)
            ? null
            : Ms(legs.Max(leg => leg.OpenedAt!.Value) - legs.Min(leg => leg.ClosedAt!.Value));
    }

    static MigrationNicDocument Nic(string name, MigrationLeg leg, MigrationState state) => new(
        name, Steps(leg.Done), Steps(leg.Remaining), leg.NotBefore, leg.ClosedAt, leg.OpenedAt, Blackout(state, [leg]), Problem(leg.Degraded),
        Problem(leg.Nowhere));

    static CertificateDocument Certificate(MigrationRun run, MigrationState.Ended ended, double? blackout) => new(
        ended.Problem is null, run.Host(Owner(run)), Render.Text(run.Epoch), run.Began, ended.At, Ms(ended.At - run.Began), blackout,
        run.Plan.MaxBlackoutMs is { } max && blackout is { } took ? took <= max : null,
        [.. run.Legs.Where(leg => leg.Value.Degraded is not null).Select(leg => leg.Key)],
        [.. run.Legs.Where(leg => leg.Value.Nowhere is not null).Select(leg => leg.Key)]);

    static IReadOnlyList<MigrationStepDocument> Steps(IEnumerable<MigrationStep> steps) =>
        [.. steps.Select(step => new MigrationStepDocument(Camel(step.Kind), step.Side, step.Property, step.Validation ? true : null))];

    static Refusal? ProblemOf(MigrationState state) => state switch
    {
        MigrationState.Aborting s => s.Problem,
        MigrationState.Returning s => s.Problem,
        MigrationState.Ended s => s.Problem,
        _ => null,
    };

    static ProblemDocument? Problem(Refusal? refusal) => refusal is null ? null : Api.Problem.Of(refusal).Document();

    static double Ms(TimeSpan span) => Math.Round(span.TotalMilliseconds, 3);

    static string Camel<T>(T word)
        where T : struct, Enum
    {
        var name = word.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
