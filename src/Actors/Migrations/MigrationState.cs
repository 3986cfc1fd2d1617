using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Migrations;

/// <summary>A migration's state: forward, one of the two ways out, or over.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "phase")]
[JsonDerivedType(typeof(Unknown), "unknown")]
[JsonDerivedType(typeof(Moving), "moving")]
[JsonDerivedType(typeof(Aborting), "aborting")]
[JsonDerivedType(typeof(Returning), "returning")]
[JsonDerivedType(typeof(Ended), "ended")]
public abstract record MigrationState(EntityId Id)
{
    /// <summary>Nobody asked for it yet.</summary>
    public sealed record Unknown(EntityId Id) : MigrationState(Id);

    /// <summary>Forward, row by row of <see cref="MigrationOrder"/>.</summary>
    public sealed record Moving(EntityId Id, MigrationRun Run) : MigrationState(Id);

    /// <summary>Class R-a: the source was never touched and has gone on; what was made at the destination is removed.</summary>
    public sealed record Aborting(EntityId Id, MigrationRun Run, Refusal Problem) : MigrationState(Id);

    /// <summary>Classes R-b and R-c: the destination is closed, then the source gets back what it had, then the destination is cleaned.</summary>
    /// <param name="Part">The part that is done; null: the first is under way.</param>
    public sealed record Returning(EntityId Id, MigrationRun Run, Refusal Problem, MigrationReturn? Part = null) : MigrationState(Id);

    /// <param name="Problem">Null: it moved.</param>
    public sealed record Ended(EntityId Id, MigrationRun Run, Refusal? Problem, DateTimeOffset At) : MigrationState(Id);

    [JsonIgnore]
    public MigrationRun? RunOrNull => this switch
    {
        Moving s => s.Run,
        Aborting s => s.Run,
        Returning s => s.Run,
        Ended s => s.Run,
        _ => null,
    };
}

/// <summary>What a migration has come to.</summary>
/// <param name="MessageId">The VM's message, which waits for where it stays.</param>
/// <param name="Stage">The last stage that every NIC has reached.</param>
/// <param name="Since">When it was reached, or when the way back came to its present part.</param>
/// <param name="Epoch">The group epoch of the grants that are given now.</param>
/// <param name="OwnerMoved">The destination owns the VM: past the commit point.</param>
/// <param name="Legs">One for each NIC by its name, and one with the empty name for the steps of the group.</param>
/// <param name="Times">When each stage was reached.</param>
/// <param name="Guest">The VM manager's last word.</param>
/// <param name="Slow">The present stage was reported as slow.</param>
/// <param name="Heard">Losses of the source that the migration was told of and has taken into account.</param>
/// <param name="GuestLost">The source lost what it had while it got it back: there is nothing left to give back.</param>
public sealed record MigrationRun(
    string MessageId, MigrationPlan Plan, MigrationStage Stage, DateTimeOffset Since, long Epoch, bool OwnerMoved,
    ImmutableSortedDictionary<string, MigrationLeg> Legs, ImmutableArray<MigrationStageTime> Times,
    GuestEvent? Guest = null, bool Slow = false, bool GuestLost = false, int Heard = 0)
{
    /// <summary>The name of the group's leg.</summary>
    public const string Group = "";

    [JsonIgnore]
    public DateTimeOffset Began => Times[0].At;

    /// <summary>Nobody has a step left.</summary>
    [JsonIgnore]
    public bool Rests => Legs.Values.All(leg => leg.Remaining.IsEmpty);

    public NicDefinition Nic(string name) => Plan.Definition.Nics.First(nic => nic.Name == name);

    public string Host(MigrationSide side) => side == MigrationSide.Source ? Plan.Definition.Host : Plan.Destination;

    public MigrationRun With(string nic, Func<MigrationLeg, MigrationLeg> change) => this with { Legs = Legs.SetItem(nic, change(Legs[nic])) };

    /// <summary>Every leg gets its steps anew.</summary>
    public MigrationRun Each(Func<string, MigrationLeg, MigrationLeg> change) =>
        this with { Legs = Legs.ToImmutableSortedDictionary(pair => pair.Key, pair => change(pair.Key, pair.Value), StringComparer.Ordinal) };
}

public sealed record MigrationStageTime(MigrationStage Stage, DateTimeOffset At);

/// <summary>One NIC's part, a strand of its own between two barriers; or the group's.</summary>
/// <param name="Remaining">The first one is with whom it concerns.</param>
/// <param name="Done">Steps that took effect over the whole migration, oldest first: what there is to undo.</param>
/// <param name="Number">Counts the steps: it names what is asked.</param>
public sealed record MigrationLeg(ImmutableArray<MigrationStep> Remaining, ImmutableArray<MigrationStep> Done, long Number)
{
    public static readonly MigrationLeg Empty = new([], [], 0);

    /// <summary>What the source's extensions gave; null: nothing was saved.</summary>
    public ImmutableArray<NicBlob>? Blobs { get; init; }

    /// <summary>The source's NIC has a virtual function.</summary>
    public bool VfAssigned { get; init; }

    /// <summary>The present step was refused so often.</summary>
    public int Tries { get; init; }

    /// <summary>The present step is tried again then.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The migration has turned: when the step that is under way is answered, what undoes the leg follows.</summary>
    public bool Winding { get; init; }

    /// <summary>The source was told to close its gate, and did.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>The NIC was connected again since: at the destination, or at the source that got it back.</summary>
    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>Connected without its data.</summary>
    public Refusal? Degraded { get; init; }

    /// <summary>Neither side takes the NIC.</summary>
    public Refusal? Nowhere { get; init; }

    public bool Did(MigrationStepKind kind, MigrationSide side, bool validation = false) =>
        Done.Any(step => step.Kind == kind && step.Side == side && step.Validation == validation);

    public MigrationLeg Then(IEnumerable<MigrationStep> steps) =>
        this with { Remaining = [.. steps], Number = Number + 1, Tries = 0, NotBefore = null, Winding = false };

    /// <summary>The present step is over; it counts as done if it took effect.</summary>
    public MigrationLeg Next(MigrationStep step, bool took) => this with
    {
        Remaining = Remaining.RemoveAt(0),
        Done = took ? Done.Add(step) : Done,
        Number = Number + 1,
        Tries = 0,
        NotBefore = null,
        Nowhere = null,
    };
}
