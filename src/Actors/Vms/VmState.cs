using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>A VM's state: what is defined, and the ladder that runs, if one does.</summary>
/// <param name="Epoch">The group epoch: it rises with each start, and the grants of all its NICs carry it.</param>
/// <param name="Operations">The last operations, newest last.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "phase")]
[JsonDerivedType(typeof(Undefined), "undefined")]
[JsonDerivedType(typeof(Stopped), "stopped")]
[JsonDerivedType(typeof(Starting), "starting")]
[JsonDerivedType(typeof(Undoing), "undoing")]
[JsonDerivedType(typeof(Running), "running")]
[JsonDerivedType(typeof(Changing), "changing")]
[JsonDerivedType(typeof(Stopping), "stopping")]
[JsonDerivedType(typeof(Migrating), "migrating")]
public abstract record VmState(EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations)
{
    /// <summary>Migrations that it ever had: the last one's number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Migrations { get; init; }

    /// <summary>NICs that no host would take when a migration went back: the VM runs without them until they are added anew, or it is started again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ImmutableArray<string> Missing { get; init; }

    public sealed record Undefined(EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations) : VmState(Id, Epoch, Operations);

    public sealed record Stopped(EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition)
        : VmState(Id, Epoch, Operations);

    /// <summary>The start ladder runs; what is done so far is what a refusal would undo.</summary>
    public sealed record Starting(EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition, VmLadder Ladder)
        : VmState(Id, Epoch, Operations);

    /// <summary>The start was refused and what it did is being undone, newest first.</summary>
    public sealed record Undoing(
        EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition, VmLadder Ladder, Refusal Refusal)
        : VmState(Id, Epoch, Operations);

    public sealed record Running(EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition)
        : VmState(Id, Epoch, Operations);

    /// <summary>Runs, while a NIC is added or taken away, or properties of its NICs change.</summary>
    /// <param name="Kind">vm.nic.add, vm.nic.remove or vm.update.</param>
    /// <param name="Target">What it is when the ladder is done.</param>
    /// <param name="Refusal">A step was refused: what was done is being undone.</param>
    public sealed record Changing(
        EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition, string Kind, VmDefinition Target,
        VmLadder Ladder, Refusal? Refusal = null) : VmState(Id, Epoch, Operations);

    public sealed record Stopping(EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition, VmLadder Ladder)
        : VmState(Id, Epoch, Operations);

    /// <summary>Its migration is under way; the definition names the host that owns it now.</summary>
    /// <param name="Loss">That host lost it meanwhile.</param>
    /// <param name="LossTold">The migration knows.</param>
    /// <param name="Losses">How many there were, with this one.</param>
    public sealed record Migrating(
        EntityId Id, long Epoch, ImmutableArray<VmOperation> Operations, VmDefinition Definition, long Number, MigrationPlan Plan,
        VmLossNoted? Loss = null, bool LossTold = false, int Losses = 0) : VmState(Id, Epoch, Operations);

    [JsonIgnore]
    public VmDefinition? DefinitionOrNull => this switch
    {
        Migrating s => s.Definition,
        Stopped s => s.Definition,
        Starting s => s.Definition,
        Undoing s => s.Definition,
        Running s => s.Definition,
        Changing s => s.Definition,
        Stopping s => s.Definition,
        _ => null,
    };

    [JsonIgnore]
    public VmLadder? LadderOrNull => this switch
    {
        Starting s => s.Ladder,
        Undoing s => s.Ladder,
        Changing s => s.Ladder,
        Stopping s => s.Ladder,
        _ => null,
    };

    /// <summary>The power state as people see it.</summary>
    [JsonIgnore]
    public string Name => this switch
    {
        Stopped => "stopped",
        Starting => "starting",
        Undoing => "stopping",
        Running or Changing or Migrating => "running",
        Stopping => "stopping",
        _ => "undefined",
    };
}

/// <summary>A list of steps, walked one at a time.</summary>
/// <param name="MessageId">The message that asked for it.</param>
/// <param name="Number">Counts the steps of this operation, deferred ones too: it names their requests.</param>
/// <param name="Done">Steps done, oldest first.</param>
public sealed record VmLadder(
    string OperationId, string MessageId, int Number, ImmutableArray<VmStep> Remaining, ImmutableArray<VmStep> Done)
{
    /// <summary>Where its NICs are looked up, if not in the VM's definition: what is left of a VM whose host was lost.</summary>
    public VmDefinition? Definition { get; init; }

    /// <summary>The first step was asked before this ladder began, and its answer is waited for; null: it is a step like the others.</summary>
    public VmAwaited? Awaited { get; init; }

    /// <summary>How often NIC_DISCONNECT was put before the first step because the NIC was connected.</summary>
    public int Disconnects { get; init; }

    /// <summary>What could not be taken down, and why; null: nothing so far.</summary>
    public Refusal? Problem { get; init; }

    public VmLadder Next(VmStep step) => this with
    {
        Number = Number + 1,
        Remaining = Remaining.RemoveAt(0),
        Done = Done.Add(step),
        Awaited = null,
        Disconnects = step.Kind == VmStepKind.NicDelete ? 0 : Disconnects,
    };
}

/// <summary>A step of a ladder that is over, whose answer has not come: it is asked for under its own name, as it was.</summary>
public sealed record VmAwaited(string Effect, ImmutableArray<VmDefinition> Definitions);

/// <summary>An operation that people can look up.</summary>
public sealed record VmOperation(string Id, string Kind, VmOperationStatus Status, Refusal? Problem);

/// <summary>api.md 3: what a 202 points at.</summary>
[JsonConverter(typeof(CamelEnumJson<VmOperationStatus>))]
public enum VmOperationStatus
{
    Running,
    Done,
    Refused,
}
