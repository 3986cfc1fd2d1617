namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// One batch on its way into the database. Two threads may want to end it: the one that writes it, and the deadline.
/// The stage is changed by compare-and-swap, so exactly one of them does, and a writer that was given up never sends
/// its COMMIT.
/// </summary>
sealed class WriteAttempt(List<PendingWrite> writes, long startedAt)
{
    readonly JournalWriteException?[] _verdicts = new JournalWriteException?[writes.Count];
    int _stage = (int)Stage.Writing;

    internal enum Stage
    {
        /// <summary>COMMIT was not sent: whatever happens, nothing is stored.</summary>
        Writing,

        /// <summary>COMMIT may have been sent: only the database knows.</summary>
        Committing,

        /// <summary>The callers are being answered by the thread that got here.</summary>
        Ended,
    }

    public List<PendingWrite> Writes => writes;

    public long StartedAt => startedAt;

    /// <summary>
    /// Why each write is not stored; null: its rows are in the transaction. Belongs to the thread that holds the stage:
    /// it lives here and not in the write, so that a writer that was given up cannot change an answer.
    /// </summary>
    public Span<JournalWriteException?> Verdicts => _verdicts;

    public int RowsStored => writes.Select((write, i) => _verdicts[i] is null ? write.Rows.Length : 0).Sum();

    /// <summary>
    /// This write is not stored, and neither is what follows in the batch from the same entity: it would leave a gap, or
    /// belongs to the deposed one.
    /// </summary>
    public void Refuse(int at, JournalWriteException verdict)
    {
        for (var i = at; i < writes.Count; i++)
        {
            if (writes[i].PersistenceId == writes[at].PersistenceId)
            {
                _verdicts[i] ??= verdict;
            }
        }
    }

    public bool Move(Stage from, Stage to) =>
        Interlocked.CompareExchange(ref _stage, (int)to, (int)from) == (int)from;

    /// <summary>Ends the attempt from whatever stage it is in and says which that was.</summary>
    public Stage End() => (Stage)Interlocked.Exchange(ref _stage, (int)Stage.Ended);

    /// <summary>
    /// Tells every caller. One work item for the whole batch, off the writer's thread: what the callers do with their
    /// answers is not the writer's time.
    /// </summary>
    public void Answer() => ThreadPool.UnsafeQueueUserWorkItem(
        static attempt =>
        {
            for (var i = 0; i < attempt.Writes.Count; i++)
            {
                attempt.Writes[i].Answer(attempt._verdicts[i]);
            }
        },
        this,
        preferLocal: false);

    /// <summary>Tells every caller that nothing was stored.</summary>
    public static void Refuse(List<PendingWrite> writes, string reason)
    {
        var refusal = new WriteAttempt(writes, startedAt: 0);
        refusal.Verdicts.Fill(new JournalUnavailableException(reason));
        refusal.Answer();
    }
}
