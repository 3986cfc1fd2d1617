using System.Data.Common;
using Akka.Event;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// Carries one batch through one transaction, and finds out what became of it when that went wrong. Runs on the writer's
/// thread; decides nothing about threads, queues or the gate.
/// </summary>
sealed class BatchWriter(IJournalDialect dialect, IJournalFaults faults, JournalHealth health, ILoggingAdapter log)
{
    /// <summary>How a batch ended, for the one who owns the connection and the gate.</summary>
    internal enum End
    {
        /// <summary>All verdicts are final and the connection is good.</summary>
        Settled,

        /// <summary>The database failed; the connection is to be thrown away. <see cref="LastFailure"/> says why.</summary>
        Failed,

        /// <summary>The deadline passed and another thread answers the callers.</summary>
        TakenAway,
    }

    public Exception? LastFailure { get; private set; }

    public End Write(WriteAttempt attempt, IJournalConnection connection)
    {
        try
        {
            return Transact(attempt, connection);
        }
        catch (Exception failure) when (IsOfTheDatabase(failure))
        {
            LastFailure = failure;
            if (attempt.Move(WriteAttempt.Stage.Writing, WriteAttempt.Stage.Ended))
            {
                // Also what seemed fenced: that may have been by a row of this batch.
                attempt.Verdicts.Fill(new JournalUnavailableException(failure.Message, failure));
                return End.Failed;
            }

            if (!attempt.Move(WriteAttempt.Stage.Committing, WriteAttempt.Stage.Ended))
            {
                return End.TakenAway;
            }

            CommitFailed(attempt, connection, failure);
            return End.Failed;
        }
    }

    /// <summary>
    /// Looks up a batch whose COMMIT was sent and whose answer never came. The look-up begins a writing transaction: it
    /// gets the lock only when the lost one has ended, so what it sees is final. What is absent counts as not stored only
    /// after a commit of our own has overwritten what the lost one may have left in the log, or a crash recovery could
    /// still bring it to life.
    /// </summary>
    public void Settle(WriteAttempt attempt, string reason)
    {
        try
        {
            faults.BeforeLookup();
            using var fresh = dialect.Connect();
            fresh.Begin();
            var lost = new JournalUnavailableException($"{reason} It was looked up and is not there.");
            for (var i = 0; i < attempt.Writes.Count; i++)
            {
                attempt.Verdicts[i] ??= fresh.Holds(attempt.Writes[i].Rows[0]) ? null : lost;
            }

            var last = fresh.LastPlace();
            fresh.Supersede();
            fresh.Commit();
            health.Committed(last, attempt.RowsStored);
        }
        catch (Exception failure) when (IsOfTheDatabase(failure))
        {
            LastFailure = failure;
            for (var i = 0; i < attempt.Writes.Count; i++)
            {
                // A write with a verdict was never in the transaction, so this much is known about it.
                attempt.Verdicts[i] = attempt.Verdicts[i] is null
                    ? new UnknownOutcomeException(
                        attempt.Writes[i].PersistenceId, $"{reason} Looking it up failed: {failure.Message}", failure)
                    : new JournalUnavailableException(reason, failure);
            }
        }
    }

    /// <summary>What a driver throws for a database that is away, full or broken. Anything else is a bug, and is not caught.</summary>
    public static bool IsOfTheDatabase(Exception failure) =>
        failure is DbException or IOException or TimeoutException or UnauthorizedAccessException;

    End Transact(WriteAttempt attempt, IJournalConnection connection)
    {
        faults.BeforeBegin();
        connection.Begin();
        Place(attempt, connection);
        var rows = attempt.RowsStored;
        var last = connection.LastPlace();
        if (!attempt.Move(WriteAttempt.Stage.Writing, WriteAttempt.Stage.Committing))
        {
            return End.TakenAway;
        }

        faults.BeforeCommit();

        if (rows == 0)
        {
            // Only refusals, and all by rows that were already committed.
            connection.Rollback();
        }
        else
        {
            connection.Commit();
            faults.AfterCommit();
        }

        if (!attempt.Move(WriteAttempt.Stage.Committing, WriteAttempt.Stage.Ended))
        {
            return End.TakenAway;
        }

        if (rows > 0)
        {
            health.Committed(last, rows);
        }

        return End.Settled;
    }

    void Place(WriteAttempt attempt, IJournalConnection connection)
    {
        for (var i = 0; i < attempt.Writes.Count; i++)
        {
            if (attempt.Verdicts[i] is null && attempt.Writes[i].GaveUp)
            {
                attempt.Refuse(i, new JournalUnavailableException("its caller had given up before it was begun."));
            }
        }

        connection.Insert(attempt);
        foreach (var verdict in attempt.Verdicts.ToArray().Distinct())
        {
            switch (verdict)
            {
                case FencedException fenced:
                    health.FencedOne(fenced.PersistenceId);
                    log.Warning("Fenced: event {0} of {1} is already stored by another incarnation", fenced.SequenceNr, fenced.PersistenceId);
                    break;
                case WriteRefusedException refused:
                    log.Error(refused, "Refused a write");
                    break;
            }
        }
    }

    void CommitFailed(WriteAttempt attempt, IJournalConnection connection, Exception failure)
    {
        try
        {
            if (connection.IsRolledBack(failure))
            {
                attempt.Verdicts.Fill(new JournalUnavailableException(failure.Message, failure));
                return;
            }
        }
        catch (DbException rollbackFailure)
        {
            log.Error(rollbackFailure, "The rollback after a failed commit failed; the batch is looked up");
        }

        // Closes the transaction that may still be open, or the look-up would wait for its lock.
        connection.Dispose();
        Settle(attempt, $"the commit failed: {failure.Message}");
    }
}
