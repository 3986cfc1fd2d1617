using System.Data.Common;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>
/// Keeps the read tables up with the journal. Of several nodes one fills the tables, and the others follow the position
/// that it keeps in them; when it is gone, another takes its turn. It wakes by the journal's commit signal or by a ring
/// of another node, and looks by itself every 100 ms.
/// </summary>
sealed partial class Projector(
    IJournalReader journal, IReadDatabase database, ReadTables tables, JournalHealth health, Positions positions, EntityFaults faults,
    FeedSignal signal, TimeProvider time, ILogger<Projector> log)
    : BackgroundService
{
    /// <summary>The key under which <see cref="Positions"/> has the position itself.</summary>
    public const string Everything = "";

    /// <summary>Of a follower that is farther behind, as after its start, nobody waits for more.</summary>
    const long FollowedAtOnceMax = 10_000;

    static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>How often the turn is kept, or asked for: a third of the time after which it is lost.</summary>
    public static readonly TimeSpan TakeEvery = TimeSpan.FromSeconds(1);

    /// <summary>Answers to idempotency keys are kept so long (api.md 2).</summary>
    static readonly TimeSpan RequestsKept = TimeSpan.FromHours(24);
    static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(5);

    readonly Lock _lock = new();
    FeedPosition _position;
    DateTimeOffset _forgotten;
    long _head = long.MaxValue;
    long _first = long.MaxValue;
    long _took;
    volatile bool _fills;

    /// <summary>The number of the last event that the tables show.</summary>
    public long Position => At.Number;

    /// <summary>The number of the journal's last event, as far as it is known; 0 before the journal was first read.</summary>
    public long Head
    {
        get
        {
            var known = Interlocked.Read(ref _head) is var head and not long.MaxValue ? head : 0;
            // On SQLite a place is a number.
            return Math.Max(known, health.Last is { Tx: 0, Ordering: var last } ? last : 0);
        }
    }

    /// <summary>What was stored before this process began is shown. Before that the tables may name what is gone and work that is done.</summary>
    public bool Begun => Position >= Interlocked.Read(ref _first);

    /// <summary>Everything committed by this node, and what was there before, is shown.</summary>
    public bool CaughtUp => Begun && At.Place >= health.Last;

    /// <summary>Why the tables cannot be reached; null while they can.</summary>
    public string? Failure { get; private set; }

    /// <summary>This process is the one that fills the tables.</summary>
    public bool Fills => _fills;

    FeedPosition At
    {
        get
        {
            lock (_lock)
            {
                return _position;
            }
        }
    }

    public static string KeyOf(string operation) => $"operation/{operation}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        TableFiller? filler = null;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                // Asked for before the look, so that a ring between the two is not lost.
                var ring = signal.Next;
                var pause = PollEvery;
                try
                {
                    filler ??= new TableFiller(journal, database, log);
                    var more = Look(filler);
                    Failure = null;
                    if (more)
                    {
                        continue;
                    }
                }
                catch (Exception failure) when (failure is DbException or TimeoutException or IOException)
                {
                    LogFailed(log, Position, failure.Message);
                    Failure = failure.Message;
                    filler?.Dispose();
                    filler = null;
                    _fills = false;
                    pause = PauseAfterFailure;
                }
                await Nap(pause, ring, stoppingToken);
            }
            filler?.Release();
        }
        finally
        {
            filler?.Dispose();
        }
    }

    /// <summary>True when there may be more at once.</summary>
    bool Look(TableFiller filler)
    {
        KeepTurn(filler);
        return _fills ? Fill(filler) : Follow(filler);
    }

    void KeepTurn(TableFiller filler)
    {
        if (_took != 0 && time.GetElapsedTime(_took) < TakeEvery)
        {
            return;
        }
        var fills = filler.Take();
        _took = time.GetTimestamp();
        if (fills && !_fills)
        {
            // Whoever had the turn before may have moved the tables on, or back.
            Move(filler.Position());
        }
        _fills = fills;
        var head = journal.Head(At);
        Interlocked.Exchange(ref _head, head);
        Interlocked.CompareExchange(ref _first, head, long.MaxValue);
    }

    bool Fill(TableFiller filler)
    {
        if (filler.Advance(At) is { } filled)
        {
            Move(filled.Position);
            Tell(filled.Entities, filled.Ended);
            return true;
        }
        if (filler.HasTurn)
        {
            Forget(filler);
            return false;
        }
        (_fills, _took) = (false, 0);
        return true;
    }

    /// <summary>Another node fills the tables: what it has made visible since the last look is told to those who wait here.</summary>
    bool Follow(TableFiller filler)
    {
        var (known, now) = (At, filler.Position());
        if (now.Number == known.Number)
        {
            return false;
        }
        var (entities, ended) = tables.Changes(Math.Max(known.Number, now.Number - FollowedAtOnceMax), now.Number);
        Move(now);
        Tell(entities, ended);
        return false;
    }

    void Tell(IReadOnlyList<Shown> entities, IReadOnlyList<string> ended)
    {
        foreach (var shown in entities)
        {
            positions.Signal(shown.Actor, shown.Sequence);
            // Of the rows that were there before this process, none tells that an entity is served by it.
            if (shown.Number > Interlocked.Read(ref _first) && faults.Has(shown.Actor))
            {
                faults.Served(shown.Actor, shown.Place ?? PlaceOf(shown));
            }
        }
        foreach (var operation in ended)
        {
            positions.Signal(KeyOf(operation), 1);
        }
        positions.Signal(Everything, Position);
    }

    JournalPlace PlaceOf(Shown shown) =>
        journal.OfEntity(EntityId.Parse(shown.Actor)!.Value, shown.Sequence - 1, 1) is [var row] ? row.At.Place : default;

    async Task Nap(TimeSpan pause, Task ring, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] wakes = [Task.Delay(pause, time, over.Token), ring, CaughtUp ? health.WaitForCommitAfter(At.Place, over.Token) : ring];
        await Task.WhenAny(wakes);
        await over.CancelAsync();
    }

    void Forget(TableFiller filler)
    {
        var now = time.GetUtcNow();
        if (now - _forgotten >= ForgetEvery)
        {
            _forgotten = now;
            filler.ForgetRequests(now - RequestsKept);
        }
    }

    void Move(FeedPosition position)
    {
        lock (_lock)
        {
            _position = position;
        }
        positions.Signal(Everything, position.Number);
    }

    [LoggerMessage(1, LogLevel.Error, "The read tables could not be read or written at position {Position}; trying again: {Reason}")]
    static partial void LogFailed(ILogger logger, long position, string reason);
}
