using Akka.Event;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// One writer for everybody: while a commit is under way, the writes of all other entities gather in the queue and share
/// the next one. The writer is a thread of its own because a commit blocks on the disk.
/// <para>
/// When a batch passes its deadline, the writer and its connection are given up (never cancelled: a cancelled commit
/// says nothing about its outcome) and a new writer first finds out what became of that batch.
/// </para>
/// </summary>
sealed class GroupCommit : IDisposable
{
    readonly WriteQueue _queue;
    readonly IJournalDialect _dialect;
    readonly BatchWriter _batches;
    readonly JournalHealth _health;
    readonly ILoggingAdapter _log;
    readonly TimeProvider _time;
    readonly JournalLimits _limits;
    readonly ITimer _deadline;
    readonly CancellationTokenSource _stop = new();
    readonly Lock _threads = new();
    Thread? _writer;
    volatile WriteAttempt? _current;

    public GroupCommit(IJournalDialect dialect, JournalWiring wiring, JournalHealth health, ILoggingAdapter log)
    {
        _dialect = dialect;
        _health = health;
        _log = log;
        _time = wiring.Time;
        _limits = wiring.Limits;
        _queue = new WriteQueue(wiring.Limits);
        _batches = new BatchWriter(dialect, wiring.Faults, health, log);
        _deadline = _time.CreateTimer(
            _ => DeadlinePassed(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Opens the writer's connection. To be called when the tables exist; a second call does nothing.</summary>
    public void Start()
    {
        lock (_threads)
        {
            if (_writer is null && !_stop.IsCancellationRequested)
            {
                StartWriter(inDoubt: null, failure: null);
            }
        }
    }

    /// <summary>Completes when the write is stored; fails with a <see cref="JournalWriteException"/>.</summary>
    public Task Write(PendingWrite write)
    {
        if (Refusal(write) is { } refused)
        {
            write.Answer(refused);
        }

        return write.Answered;
    }

    JournalWriteException? Refusal(PendingWrite write) =>
        !_health.IsOpen ? new JournalUnavailableException($"the database is away: {_health.LastFailure?.Reason}")
        : _health.Yielded.Has(write.PersistenceId) ? new JournalUnavailableException("a peer is out of reach, and another node acts for this entity.")
        : _queue.TryAdd(write);

    /// <summary>Ends the batch under way, then tells the rest that they were not stored.</summary>
    public void Dispose()
    {
        Thread? writer;
        lock (_threads)
        {
            _stop.Cancel();
            writer = _writer;
        }

        _queue.Close();
        RefuseWaiting("the journal is stopping.");
        if (writer is not null && !writer.Join(_limits.StopWaitMax))
        {
            _log.Error("The journal's writer did not end within {0}; its last batch is left to the database", _limits.StopWaitMax);
        }

        _deadline.Dispose();
    }

    void RefuseWaiting(string reason) => WriteAttempt.Refuse(_queue.Drain(), reason);

    void StartWriter(WriteAttempt? inDoubt, string? failure)
    {
        _writer = new Thread(() => Run(inDoubt, failure)) { IsBackground = true, Name = "journal writer" };
        _writer.Start();
    }

    /// <param name="inDoubt">A batch that an earlier writer left behind, its COMMIT perhaps sent.</param>
    /// <param name="failure">Why the earlier writer was given up. Null for the first one.</param>
    void Run(WriteAttempt? inDoubt, string? failure)
    {
        if (inDoubt is not null)
        {
            _batches.Settle(inDoubt, failure ?? "");
            inDoubt.Answer();
        }

        // After a failure the gate is closed and waits for a probe; at the start the first connection is the probe.
        var connection = failure is null ? TryOpen() : null;
        while ((connection ??= Reopen()) is { } writer && _queue.Take() is { } writes)
        {
            var end = Carry(new WriteAttempt(writes, _time.GetTimestamp()), writer);
            if (end is not BatchWriter.End.Settled)
            {
                // Closing rolls back what was not committed.
                writer.Dispose();
                connection = null;
            }

            if (end is BatchWriter.End.TakenAway)
            {
                // The other thread is the writer now.
                return;
            }
        }

        connection?.Dispose();
        RefuseWaiting("the journal is stopping.");
    }

    BatchWriter.End Carry(WriteAttempt attempt, IJournalConnection connection)
    {
        Watch(attempt);
        var end = _batches.Write(attempt, connection);
        if (end is BatchWriter.End.TakenAway)
        {
            return end;
        }

        _deadline.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (end is BatchWriter.End.Failed)
        {
            CloseGate(_batches.LastFailure?.Message ?? "");
        }

        attempt.Answer();
        return end;
    }

    void Watch(WriteAttempt attempt)
    {
        _current = attempt;
        _deadline.Change(_limits.CommitDeadline, Timeout.InfiniteTimeSpan);
    }

    // On the timer's thread. It may come late, when the next batch is already under way: that one is not to blame.
    void DeadlinePassed()
    {
        if (_current is not { } attempt)
        {
            return;
        }

        var left = _limits.CommitDeadline - _time.GetElapsedTime(attempt.StartedAt);
        if (left > TimeSpan.Zero)
        {
            _deadline.Change(left, Timeout.InfiniteTimeSpan);
            return;
        }

        var stage = attempt.End();
        if (stage is WriteAttempt.Stage.Ended)
        {
            return;
        }

        var reason = $"the commit took longer than {_limits.CommitDeadline.TotalSeconds} s.";
        CloseGate(reason);
        if (stage is WriteAttempt.Stage.Writing)
        {
            WriteAttempt.Refuse(attempt.Writes, reason);
        }

        lock (_threads)
        {
            StartWriter(stage is WriteAttempt.Stage.Committing ? attempt : null, reason);
        }
    }

    IJournalConnection? TryOpen()
    {
        IJournalConnection? opening = null;
        try
        {
            opening = _dialect.Connect();
            // A real commit: a disk that is full or cannot sync lets a transaction begin and end without one.
            opening.Begin();
            opening.Supersede();
            opening.Commit();
            _health.Opened(opening.LastPlace());
            return opening;
        }
        catch (Exception failure) when (BatchWriter.IsOfTheDatabase(failure))
        {
            opening?.Dispose();
            CloseGate(failure.Message);
            return null;
        }
    }

    /// <summary>Probes until a commit succeeds again. Null: the journal is stopping.</summary>
    IJournalConnection? Reopen()
    {
        while (!_stop.IsCancellationRequested)
        {
            Task.WhenAny(Task.Delay(_limits.ProbeEvery, _time, _stop.Token)).GetAwaiter().GetResult();
            if (!_stop.IsCancellationRequested && TryOpen() is { } connection)
            {
                _log.Info("The journal is back");
                return connection;
            }
        }

        return null;
    }

    void CloseGate(string reason)
    {
        if (_health.IsOpen)
        {
            _log.Error("The journal is closed until a probe succeeds: {0}", reason);
        }

        _health.Closed(new JournalFailure(_time.GetUtcNow(), reason));
        RefuseWaiting($"the database is away: {reason}");
    }
}
