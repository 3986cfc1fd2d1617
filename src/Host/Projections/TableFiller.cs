using System.Data.Common;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>An entity's last event that the tables show since a moment ago, by its number there; its place in the journal, if it is at hand.</summary>
sealed record Shown(string Actor, long Sequence, long Number, JournalPlace? Place);

/// <summary>What a batch of rows changed, for those who wait for it.</summary>
sealed record Filled(FeedPosition Position, IReadOnlyList<Shown> Entities, IReadOnlyList<string> Ended);

/// <summary>
/// Fills the read tables over one connection, as long as this process has the turn. A batch of rows, the tables and the
/// position are one transaction, so after a crash it goes on where the tables are.
/// </summary>
sealed partial class TableFiller(IJournalReader journal, IReadDatabase database, ILogger log) : IDisposable
{
    /// <summary>Rows in one transaction: large enough to catch up quickly, small enough that nobody waits long for it.</summary>
    const int BatchRowsMax = 1_000;

    /// <summary>Views in memory; a view is a few KiB.</summary>
    const int CachedViewsMax = 20_000;

    /// <summary>Times that one event may fail before its entity's view stops.</summary>
    const int TriesMax = 3;

    readonly TableWriter _writer = new(database);
    readonly ViewCache _views = new(CachedViewsMax);
    HashSet<string> _stopped = [];

    /// <summary>The turn was lost, or not yet had: nothing in memory is known to be what the tables say.</summary>
    bool _fresh = true;

    /// <summary>False from the moment at which it was found to be lost.</summary>
    public bool HasTurn => !_fresh;

    public FeedPosition Position() => _writer.Position();

    /// <summary>Takes or keeps the turn; false while another node has it.</summary>
    public bool Take()
    {
        if (!_writer.Take())
        {
            Forget();
            return false;
        }
        if (_fresh)
        {
            _stopped = [.. _writer.StoppedViews()];
            _fresh = false;
        }
        return true;
    }

    public void Release() => _writer.Release();

    /// <summary>One batch after the position where the tables are; null when there is nothing new, or the turn is lost.</summary>
    public Filled? Advance(FeedPosition position)
    {
        var rows = journal.After(position, BatchRowsMax);
        if (rows.Count == 0)
        {
            return null;
        }
        if (!_writer.Begin(position))
        {
            Forget();
            return null;
        }
        var changed = new Dictionary<EntityId, (EntityView View, long Ordering)>();
        var ended = new List<string>();
        foreach (var row in rows)
        {
            Take(row, changed, ended);
        }
        foreach (var (view, ordering) in changed.Values)
        {
            _writer.Entity(view, ordering);
            _writer.Alarms(view);
        }
        _writer.Commit(rows[^1].At);
        foreach (var (view, _) in changed.Values)
        {
            _views.Put(view);
        }
        return new Filled(
            rows[^1].At, [.. rows.GroupBy(row => row.PersistenceId).Select(group => group.MaxBy(row => row.Sequence)!).Select(Last)], ended);

        static Shown Last(JournalRow row) => new(row.PersistenceId, row.Sequence, row.At.Number, row.At.Place);
    }

    public int ForgetRequests(DateTimeOffset before) => _writer.ForgetRequests(before);

    public void Dispose() => _writer.Dispose();

    void Forget()
    {
        _views.Clear();
        _fresh = true;
    }

    void Take(JournalRow row, Dictionary<EntityId, (EntityView View, long Ordering)> changed, List<string> ended)
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
                view = Fold(happened, changed);
            }
        }
#pragma warning disable CA1031 // Whatever one entity's event does to its view, the views of the others go on.
        catch (Exception defect) when (defect is not DbException)
#pragma warning restore CA1031
        {
            if (_stopped.Add(row.PersistenceId))
            {
                LogStopped(log, defect, row.PersistenceId, row.Sequence);
                _writer.Stop(row, defect.Message);
            }
        }
        if (happened is null)
        {
            _writer.Unreadable(row);
            return;
        }
        if (view is not null)
        {
            changed[view.Id] = (view, row.At.Number);
        }
        Record(row, happened, view?.Revision ?? 0, ended);
    }

    /// <summary>What the event alone tells, also of an entity whose view has stopped.</summary>
    void Record(JournalRow row, StoredEvent happened, long revision, List<string> ended)
    {
        _writer.Event(row, happened);
        if (RequestIds.OfDoor(happened.MessageId))
        {
            _writer.Request(happened, revision);
        }
        foreach (var answer in happened.Answers.Where(answer => RequestIds.OfDoor(answer.MessageId)))
        {
            _writer.Answer(happened, answer, revision);
        }
        if (OperationChange.Of(happened.Event) is { } operation)
        {
            _writer.Operation(operation, row, happened);
            if (operation is OperationChange.Ended)
            {
                ended.Add(operation.Id);
            }
        }
    }

    EntityView Fold(StoredEvent happened, Dictionary<EntityId, (EntityView View, long Ordering)> changed)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var view = changed.TryGetValue(happened.Entity, out var pending) ? pending.View
                    : _views.Find(happened.Entity) ?? _writer.View(happened.Entity) ?? EntityView.New(happened.Entity);
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

    [LoggerMessage(2, LogLevel.Error, "The view of {Entity} stopped before event {Sequence}; the others go on")]
    static partial void LogStopped(ILogger logger, Exception defect, string entity, long sequence);
}
