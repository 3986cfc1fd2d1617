using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>What reaches a core. The shell makes them from Akka's messages, the simulation from its own.</summary>
public abstract record Input
{
    Input()
    {
    }

    /// <summary>A message. <paramref name="Asker"/> is the shell's token for a door that waits; null if none does.</summary>
    public sealed record Receive(Envelope Envelope, object? Asker) : Input;

    public sealed record ReceiveAnswer(Answer Answer) : Input;

    public sealed record WriteDone : Input;

    /// <summary>The write's outcome is not known, or it was fenced: this incarnation ends and the journal tells the next.</summary>
    public sealed record WriteFailed(string Reason) : Input;

    /// <summary>The write was not attempted: nothing is stored, and this incarnation ends.</summary>
    public sealed record WriteRejected(string Reason) : Input;

    public sealed record Restore(CoreSnapshot Snapshot) : Input;

    public sealed record Replay(StoredEvent Row) : Input;

    public sealed record RecoveryDone : Input;

    public sealed record TimerDue(string EffectId) : Input;

    /// <summary>Time to repeat what is still owed.</summary>
    public sealed record Retry : Input;

    public sealed record Idle : Input;

    /// <summary>The shard hands this entity over; it ends after an open write.</summary>
    public sealed record Stop : Input;
}

/// <summary>What a core wants done, in order.</summary>
public abstract record Output
{
    Output()
    {
    }

    /// <summary>Store all rows or none; nothing of this turn is said before.</summary>
    public sealed record Persist(ImmutableArray<StoredEvent> Rows) : Output;

    public sealed record Respond(object Asker, Answer Answer) : Output;

    public sealed record Send(Envelope Envelope) : Output;

    public sealed record SendAnswer(Answer Answer) : Output;

    public sealed record Drive(EntityId Bridge, long Session, DriverCommand Command) : Output;

    /// <param name="Within">See <see cref="Effect.WakeAt"/>.</param>
    public sealed record WakeMe(string EffectId, DateTimeOffset At, TimeSpan? Within = null) : Output
    {
        /// <summary>When it is to be at the latest, seen from now.</summary>
        public WakeMe SeenFrom(DateTimeOffset now) => Within is { } most && At - now > most ? this with { At = now + most } : this;
    }

    public sealed record SaveSnapshot(CoreSnapshot Snapshot) : Output;

    public sealed record Passivate : Output;

    public sealed record End(string Reason) : Output;
}

/// <summary>From where an open effect came: what follows from it carries the same operation and person.</summary>
public sealed record Origin(string Who, string Correlation, string Cause);

/// <summary>A message that was executed: its answer, or null while it is still to come.</summary>
/// <param name="Who">Who asked; events that happen later on its behalf carry the same.</param>
/// <param name="Correlation">The operation that it belongs to.</param>
public sealed record Executed(string MessageId, string? BodyHash, StoredAnswer? Answer, string Who, string Correlation);

/// <summary>A message that failed with a defect again and again.</summary>
public sealed record Poison(string MessageId, string Error);

/// <summary>Everything that recovery needs up to one sequence number.</summary>
public sealed record CoreSnapshot(
    EntityId Entity,
    long Sequence,
    long Revision,
    ReadOnlyMemory<byte> Hash,
    object State,
    ImmutableArray<Executed> Executed,
    ImmutableArray<ulong> Forgotten,
    ImmutableSortedDictionary<string, Origin> Origins,
    Poison? Poison);

/// <summary>Bounds of a core; what happens at each is named in <see cref="EntityCore{TLifecycle,TState,TEvent}"/>.</summary>
/// <param name="StashMax">Messages that wait behind an open write; over it the answer is actor.overloaded.</param>
/// <param name="BatchMax">Messages decided into one write.</param>
/// <param name="ExecutedMax">Executed messages whose answers are remembered; older ones come from the operations table, and are known as executed (<see cref="ExecutedBook"/>).</param>
/// <param name="SnapshotEvery">Events between snapshots: recovery reads at most so many, plus one batch.</param>
/// <param name="TriesMax">Times that a message may fail with a defect before it is parked.</param>
public sealed record CoreLimits(int StashMax, int BatchMax, int ExecutedMax, int SnapshotEvery, int TriesMax)
{
    static readonly CoreLimits OfPorts = new(1_000, 64, 8, 200, 3);

    /// <summary>Twice what may wait for the slot: whoever asked for one of them asks again before so many are answered after it.</summary>
    static readonly CoreLimits OfSwitches = new(1_000, 64, 2_000, 500, 3);

    static readonly CoreLimits OfOthers = new(1_000, 64, 256, 500, 3);

    public static CoreLimits For(string kind) => kind switch
    {
        "port" or "nic" => OfPorts,
        "switch" => OfSwitches,
        _ => OfOthers,
    };
}

/// <summary>The stored history cannot be: a gap, a broken hash link, or an event that cannot follow.</summary>
public sealed class CorruptHistoryException(string message) : Exception(message);

/// <summary>The history has a word that this release does not know: a newer one wrote it (reliability.md 10 B126).</summary>
public sealed class UnknownWordException(string message) : Exception(message);
