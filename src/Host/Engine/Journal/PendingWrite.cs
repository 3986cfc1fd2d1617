using Akka.Persistence.Sql.Journal.Types;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// One request of one entity, all of it or nothing: the events of every atomic write that Akka handed over together.
/// (Akka reports one failure for the whole request, so storing half of it would make that report a lie.)
/// </summary>
sealed class PendingWrite(string persistenceId, JournalRow[] rows, CancellationToken gaveUp)
{
    readonly TaskCompletionSource _answered = new();

    public string PersistenceId => persistenceId;

    public JournalRow[] Rows => rows;

    public long Bytes { get; } = rows.Sum(row => (long)row.Message.Length);

    /// <summary>The caller has been told a timeout; a write that was not begun by then is not begun at all.</summary>
    public bool GaveUp => gaveUp.IsCancellationRequested;

    public Task Answered => _answered.Task;

    /// <summary>Tells the caller. Never on the writer's thread: what the caller does next is not the writer's time.</summary>
    public void Answer(JournalWriteException? verdict)
    {
        if (verdict is null)
        {
            _answered.SetResult();
        }
        else
        {
            _answered.SetException(verdict);
        }
    }
}
