using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Projections;

/// <summary>
/// Follows the journal and keeps the read tables: the journal's commit signal wakes it, and it looks by itself every
/// 100 ms. A batch of rows, the tables and the position are one transaction, so after a crash it goes on where the
/// tables are.
/// </summary>
sealed partial class Projector(
    JournalReader journal, ReadDatabase database, JournalHealth health, Positions positions, EntityFaults faults, TimeProvider time,
    ILogger<Projector> log)
    : BackgroundService
{
    /// <summary>Rows in one transaction: large enough to catch up quickly, small enough that nobody waits long for it.</summary>
    const int BatchRowsMax = 1_000;

    /// <summary>Views in memory; a view is a few KiB.</summary>
    const int CachedViewsMax = 20_000;

    /// <summary>Times that one event may fail before its entity's view stops.</summary>
    const int TriesMax = 3;

    static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>Answers to idempotency keys are kept so long (api.md 2).</summary>
    static readonly TimeSpan RequestsKept = TimeSpan.FromHours(24);
    static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(5);

    /// <summary>The key under which <see cref="Positions"/> has the position itself.</summary>
    public const string Everything = "";

    readonly ViewCache _views = new(CachedViewsMax);
    HashSet<string> _stopped = [];
    DateTimeOffset _forgotten;
    long _position;
    long _head = long.MaxValue;

    /// <summary>The journal's position that the tables show.</summary>
    public long Position => Interlocked.Read(ref _position);

    /// <summary>The journal's last position at the start, or later; not known before the journal was first read.</summary>
    public long Head => Math.Max(Interlocked.Read(ref _head) is var head and not long.MaxValue ? head : 0, health.LastOrdering);

    /// <summary>What was stored before this process began is shown. Before that the tables may name what is gone and work that is done.</summary>
    public bool Begun => Position >= Interlocked.Read(ref _head);

    /// <summary>Everything committed by this node, and what was there before, is shown.</summary>
    public bool CaughtUp => Begun && Position >= health.LastOrdering;

    public static string KeyOf(OperationChange operation) => $"operation/{operation.Id}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var writer = new TableWriter(database);
        Move(writer.Position());
        _stopped = [.. writer.StoppedViews()];
        Task? wake = null;
        var (headKnown, rolledBack) = (false, false);
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = PollEvery;
            try
            {
                if (!headKnown)
                {
                    Interlocked.Exchange(ref _head, journal.Head());
                    headKnown = true;
                }
                if (rolledBack)
                {
                    _stopped = [.. writer.StoppedViews()];
                    rolledBack = false;
                }
                if (Advance(writer))
                {
                    continue;
                }
                Forget(writer);
            }
            catch (SqliteException failure)
            {
                LogFailed(log, failure, Position);
                writer.Rollback();
                rolledBack = true;
                _views.Clear();
                pause = PauseAfterFailure;
            }
            if (wake is null || wake.IsCompleted)
            {
                wake = CaughtUp ? health.WaitForCommitAfter(Position, stoppingToken) : null;
            }
            var nap = Task.Delay(pause, time, stoppingToken);
            await Task.WhenAny(wake ?? nap, nap);
        }
    }

    /// <summary>One batch; false when there is nothing new.</summary>
    bool Advance(TableWriter writer)
    {
        var rows = journal.After(Position, BatchRowsMax);
        if (rows.Count == 0)
        {
            return false;
        }
        var changed = new Dictionary<EntityId, (EntityView View, long Ordering)>();
        var ended = new List<OperationChange>();
        writer.Begin();
        foreach (var row in rows)
        {
            Take(writer, row, changed, ended);
        }
        foreach (var (view, ordering) in changed.Values)
        {
            writer.Entity(view, ordering);
            writer.Alarms(view);
        }
        writer.Commit(rows[^1].Ordering);
        Move(rows[^1].Ordering);
        foreach (var (view, _) in changed.Values)
        {
            _views.Put(view);
            positions.Signal(view.Id.Text, view.Sequence);
        }
        // Of the rows that were there before this process, none tells that an entity is served by it.
        foreach (var row in rows.SkipWhile(row => row.Ordering <= _head))
        {
            faults.Served(row.PersistenceId, row.Ordering);
        }
        ended.ForEach(operation => positions.Signal(KeyOf(operation), 1));
        positions.Signal(Everything, Position);
        return true;
    }

    void Take(
        TableWriter writer, JournalRow row, Dictionary<EntityId, (EntityView View, long Ordering)> changed, List<OperationChange> ended)
    {
        StoredEvent? happened = null;
        EntityView? view = null;
        try
        {
            var decoded = row.Decode();
            // Its words are read when they are first asked for: here, where it may fail.
            _ = decoded.Event;
            happened = decoded;
            if (!_stopped.Contains(row.PersistenceId))
            {
                view = Fold(writer, happened, changed);
            }
        }
#pragma warning disable CA1031 // Whatever one entity's event does to its view, the views of the others go on.
        catch (Exception defect) when (defect is not SqliteException)
#pragma warning restore CA1031
        {
            if (_stopped.Add(row.PersistenceId))
            {
                LogStopped(log, defect, row.PersistenceId, row.Sequence);
                writer.Stop(row, defect.Message);
            }
        }
        if (happened is null)
        {
            writer.Unreadable(row);
            return;
        }
        if (view is not null)
        {
            changed[view.Id] = (view, row.Ordering);
        }
        Record(writer, row, happened, view?.Revision ?? 0, ended);
    }

    /// <summary>What the event alone tells, also of an entity whose view has stopped.</summary>
    static void Record(TableWriter writer, JournalRow row, StoredEvent happened, long revision, List<OperationChange> ended)
    {
        writer.Event(row, happened);
        if (RequestIds.OfDoor(happened.MessageId))
        {
            writer.Request(happened, revision);
        }
        foreach (var answer in happened.Answers.Where(answer => RequestIds.OfDoor(answer.MessageId)))
        {
            writer.Answer(happened, answer, revision);
        }
        if (OperationChange.Of(happened.Event) is { } operation)
        {
            writer.Operation(operation, happened);
            if (operation is OperationChange.Ended)
            {
                ended.Add(operation);
            }
        }
    }

    EntityView Fold(TableWriter writer, StoredEvent happened, Dictionary<EntityId, (EntityView View, long Ordering)> changed)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var view = changed.TryGetValue(happened.Entity, out var pending) ? pending.View
                    : _views.Find(happened.Entity) ?? writer.View(happened.Entity) ?? EntityView.New(happened.Entity);
                return view.After(happened);
            }
#pragma warning disable CA1031 // Counted, and thrown on at the last try.
            catch (Exception) when (tries < TriesMax)
#pragma warning restore CA1031
            {
                // Tried again: what failed may have been a read of the table.
            }
        }
    }

    void Forget(TableWriter writer)
    {
        var now = time.GetUtcNow();
        if (now - _forgotten >= ForgetEvery)
        {
            _forgotten = now;
            writer.ForgetRequests(now - RequestsKept);
        }
    }

    void Move(long ordering)
    {
        Interlocked.Exchange(ref _position, ordering);
        positions.Signal(Everything, ordering);
    }

    [LoggerMessage(1, LogLevel.Error, "The read tables could not be written after position {Position}; trying again")]
    static partial void LogFailed(ILogger logger, Exception failure, long position);

    [LoggerMessage(2, LogLevel.Error, "The view of {Entity} stopped before event {Sequence}; the others go on")]
    static partial void LogStopped(ILogger logger, Exception defect, string entity, long sequence);
}
