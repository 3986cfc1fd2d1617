namespace ControlPlane.Host.Engine.Journal;

/// <summary>What is known about a write that failed; it decides what the entity may tell its caller.</summary>
enum WriteOutcome
{
    /// <summary>Nothing was stored. The same request may be tried again.</summary>
    RolledBack,

    /// <summary>Nothing was stored, and the same write would fail again.</summary>
    Deterministic,

    /// <summary>Nobody knows. Recover from the journal, and answer by the operation id.</summary>
    Unknown,
}

/// <summary>
/// A write that failed, classified by where in its sequence it failed and not by the driver's type of exception: drivers
/// report a full pool and a dead wire alike.
/// </summary>
abstract class JournalWriteException(WriteOutcome outcome, string message, Exception? cause) : Exception(message, cause)
{
    public WriteOutcome Outcome => outcome;
}

/// <summary>
/// Another incarnation of the entity has already appended at this sequence number. The one that gets this is deposed:
/// it stops and recovers from what the winner wrote.
/// </summary>
sealed class FencedException(string persistenceId, long sequenceNr) : JournalWriteException(
    WriteOutcome.Deterministic,
    $"Event {sequenceNr} of {persistenceId} is already stored by another incarnation; this one is deposed.",
    cause: null)
{
    public string PersistenceId => persistenceId;

    public long SequenceNr => sequenceNr;
}

/// <summary>The database refuses this write for what it is (too large, a constraint). Its neighbours were stored.</summary>
sealed class WriteRefusedException(string persistenceId, string reason, Exception? cause = null) : JournalWriteException(
    WriteOutcome.Deterministic,
    $"The journal cannot store this write of {persistenceId}: {reason}",
    cause);

/// <summary>The queue before the writer is full. Nothing was stored.</summary>
sealed class JournalOverloadedException(int writes, long bytes) : JournalWriteException(
    WriteOutcome.RolledBack,
    $"The journal's queue is full ({writes} writes, {bytes} bytes wait); the write was not stored.",
    cause: null);

/// <summary>The database is away, full, read-only or locked, or the journal is stopping. Nothing was stored.</summary>
sealed class JournalUnavailableException(string reason, Exception? cause = null) : JournalWriteException(
    WriteOutcome.RolledBack,
    $"The write was not stored: {reason}",
    cause);

/// <summary>The commit was sent, its answer never came, and looking it up failed too.</summary>
sealed class UnknownOutcomeException(string persistenceId, string reason, Exception? cause = null) : JournalWriteException(
    WriteOutcome.Unknown,
    $"Whether the write of {persistenceId} is stored is not known: {reason}",
    cause);
