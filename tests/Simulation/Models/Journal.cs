using System.Collections.Immutable;
using ControlPlane.Actors;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What an entity is told of its write.</summary>
public enum WriteEnd
{
    Stored = 1,
    /// <summary>It was not attempted.</summary>
    Rejected,
    /// <summary>Fenced by another's write, or the outcome is not known.</summary>
    Unknown,
}

/// <summary>Who writes: one incarnation of an entity.</summary>
public sealed record Writer(Process Process, int Incarnation);

/// <summary>
/// The journal's promises and nothing more: rows of one write are stored together or not at all, a place (entity and
/// sequence number) is taken once, and what is stored stays. When it answers, and whether the answer is true to what
/// happened, is a choice.
/// </summary>
public sealed class Journal(Simulator simulator, JournalFaults faults, Tally struck, Mutant mutant, Action<Violation> violated)
{
    static readonly TimeSpan Usual = TimeSpan.FromMilliseconds(2);
    static readonly TimeSpan Slowest = TimeSpan.FromSeconds(12);

    readonly SortedDictionary<EntityId, List<StoredEvent>> _rows = [];
    readonly Dictionary<EntityId, (long Sequence, Func<CoreSnapshot> Read)> _snapshots = [];
    readonly Dictionary<(Process, EntityId), int> _underWay = [];
    readonly List<(EntityId Entity, int Rows)> _writes = [];
    readonly Dictionary<Process, (TimeSpan At, HashSet<EntityId> Refused)> _commits = [];
    readonly HashSet<Process> _cut = [];
    readonly Dictionary<Process, TimeSpan> _mended = [];
    int _fallBacks;

    public bool Healed { get; set; }

    /// <summary>Nobody reaches it; what is under way is not known to have been stored.</summary>
    public bool Away { get; set; }

    /// <summary>Some reach it and some do not.</summary>
    public bool SomebodyCut => _cut.Count > 0;

    public long Count { get; private set; }

    public IReadOnlyCollection<EntityId> Entities => _rows.Keys;

    /// <summary>After each row that was stored, in the order of storing.</summary>
    public Action<StoredEvent, Writer>? Stored { get; set; }

    public IReadOnlyList<StoredEvent> Rows(EntityId id) => _rows.TryGetValue(id, out var rows) ? rows : [];

    public (long Sequence, Func<CoreSnapshot> Read)? Snapshot(EntityId id) => _snapshots.TryGetValue(id, out var snapshot) ? snapshot : null;

    public bool Reaches(Process process) => !Away && !_cut.Contains(process);

    /// <summary>One program does not reach it, until <see cref="Mend"/>; others do.</summary>
    public void Cut(Process process) => _cut.Add(process);

    public void Mend(Process process)
    {
        if (_cut.Remove(process))
        {
            _mended[process] = simulator.Elapsed;
        }
    }

    /// <summary>It is cut, or was until so long ago.</summary>
    public bool WasCut(Process process, TimeSpan ago) => _cut.Contains(process) || (_mended.TryGetValue(process, out var mended) && simulator.Elapsed - mended <= ago);

    public void MendAll()
    {
        Away = false;
        foreach (var process in _cut.ToList())
        {
            Mend(process);
        }
    }

    public void Append(Writer writer, ImmutableArray<StoredEvent> rows, Action<WriteEnd> answer)
    {
        var id = rows[0].Entity;
        var key = (writer.Process, id);
        _underWay[key] = _underWay.GetValueOrDefault(key) + 1;
        var fallBacks = _fallBacks;
        var sent = Reaches(writer.Process);
        simulator.After(Delay(), null, () =>
        {
            var (told, store) = fallBacks == _fallBacks ? Fate(writer.Process, sent) : (WriteEnd.Unknown, Storing.Never);
            if (store is Storing.Now && !Store(writer, rows))
            {
                told = mutant == Mutant.StaleIncarnationBelieved ? WriteEnd.Stored : WriteEnd.Unknown;
            }
            else if (store is Storing.Late)
            {
                simulator.After(simulator.Luck.Between("journal.late.by", Usual, Slowest), null, () => Store(writer, rows));
            }
            told = mutant switch
            {
                Mutant.UnknownIsStored when told == WriteEnd.Unknown => WriteEnd.Stored,
                Mutant.UnknownIsRejected when told == WriteEnd.Unknown => WriteEnd.Rejected,
                _ => told,
            };
            simulator.After(Delay(), null, () =>
            {
                _underWay[key]--;
                // What the journal said does not reach one that is cut from it meanwhile.
                var heard = _cut.Contains(writer.Process) && told == WriteEnd.Stored ? WriteEnd.Unknown : told;
                simulator.After(TimeSpan.Zero, writer.Process, () => answer(heard));
            });
        });
    }

    /// <summary>What an entity recovers from: the last snapshot, perhaps, and the rows after it.</summary>
    public void Read(Process reader, EntityId id, Recovery recovery)
    {
        if (!Reaches(reader) || _underWay.GetValueOrDefault((reader, id)) > 0)
        {
            // A node that still writes for the entity waits for that end first; one that reaches nothing tries again.
            simulator.After(TimeSpan.FromMilliseconds(50), reader, () => Read(reader, id, recovery));
            return;
        }
        simulator.After(Delay(), reader, () =>
        {
            if (_cut.Contains(reader))
            {
                Read(reader, id, recovery);
                return;
            }
            var snapshot = Snapshot(id) is { } kept && (Healed || !simulator.Luck.Happens("journal.snapshot", faults.SnapshotLost)) ? kept.Read() : null;
            recovery(snapshot, Rows(id).Count, from => [.. Rows(id).Skip((int)from).Select(AsRead)]);
        });
    }

    public void Save(Process writer, CoreSnapshot snapshot) => simulator.After(Delay(), writer, () =>
    {
        if (Reaches(writer) && (Snapshot(snapshot.Entity)?.Sequence ?? 0) < snapshot.Sequence)
        {
            var id = snapshot.Entity;
            var (name, state) = (StateNames.Of(id), StateNames.Encode(id, snapshot.State));
            _snapshots[id] = (snapshot.Sequence, () => snapshot with { State = StateNames.Decode(id, name, state) });
        }
    });

    /// <summary>The row as a database gives it back: from its bytes.</summary>
    public static StoredEvent AsRead(StoredEvent row) => new(
        row.Entity, row.Sequence, row.At, row.Who, row.Cause, row.Correlation, row.OperationId, row.MessageId, row.BodyHash,
        row.Answers, row.Name, row.Body, row.PreviousHash, row.Hash);

    /// <param name="sent">The writer reached the journal when it sent this.</param>
    (WriteEnd Told, Storing Store) Fate(Process writer, bool sent)
    {
        if (Away)
        {
            struck.Count("journal.away");
            return (WriteEnd.Unknown, Storing.Never);
        }
        if (_cut.Contains(writer))
        {
            struck.Count("journal.cut");
            return (WriteEnd.Unknown, sent && simulator.Luck.Next("journal.cut.arrived", 2) == 1 ? Storing.Now : Storing.Never);
        }
        if (Healed)
        {
            return (WriteEnd.Stored, Storing.Now);
        }
        var luck = simulator.Luck;
        return Struck("rejected", faults.Rejected) ? (WriteEnd.Rejected, Storing.Never)
            : Struck("lost", faults.Lost) ? (WriteEnd.Unknown, Storing.Never)
            : Struck("committed", faults.Committed) ? (WriteEnd.Unknown, Storing.Now)
            : Struck("late", faults.Late) ? (WriteEnd.Unknown, Storing.Late)
            : (WriteEnd.Stored, Storing.Now);

        bool Struck(string what, int perMille)
        {
            var strikes = luck.Happens("journal." + what, perMille);
            struck.Count("journal." + what, strikes ? 1 : 0);
            return strikes;
        }
    }

    bool Store(Writer writer, ImmutableArray<StoredEvent> rows)
    {
        var id = rows[0].Entity;
        if (!_rows.TryGetValue(id, out var stored))
        {
            stored = _rows[id] = [];
        }
        var refused = RefusedBeside(writer.Process);
        if (mutant == Mutant.PlaceGivenByJournal)
        {
            rows = [.. rows.Select((row, at) => row with { Sequence = stored.Count + 1 + at })];
        }
        if (mutant != Mutant.UniqueKeyIgnored && (rows[0].Sequence <= stored.Count || refused.Contains(id)))
        {
            refused.Add(id);
            struck.Count("journal.fenced");
            return false;
        }
        _writes.Add((id, rows.Length));
        foreach (var row in rows)
        {
            if (row.Sequence != stored.Count + 1)
            {
                violated(new Violation(RunEnd.Unsafe, "I1", $"{id}: event {row.Sequence} follows event {stored.Count}"));
            }
            stored.Add(row);
            Count++;
            Stored?.Invoke(row, writer);
        }
        return true;
    }

    /// <summary>
    /// What a node writes at one moment shares a commit: the entities in it of which a write was refused, and with it all that
    /// follow it there, which would leave a gap or belong to the same deposed incarnation.
    /// </summary>
    HashSet<EntityId> RefusedBeside(Process process)
    {
        if (!_commits.TryGetValue(process, out var commit) || commit.At != simulator.Elapsed)
        {
            _commits[process] = commit = (simulator.Elapsed, []);
        }
        return commit.Refused;
    }

    /// <summary>
    /// The journal is that of a standby that lagged: its last writes, acknowledged or not, are gone, and what was under way is
    /// not stored any more (reliability.md 10 F14).
    /// </summary>
    public void FallBack(int writes)
    {
        _fallBacks++;
        for (; writes > 0 && _writes.Count > 0; writes--)
        {
            var (id, rows) = _writes[^1];
            _writes.RemoveAt(_writes.Count - 1);
            _rows[id].RemoveRange(_rows[id].Count - rows, rows);
            Count -= rows;
            if (Snapshot(id)?.Sequence > _rows[id].Count)
            {
                _snapshots.Remove(id);
            }
        }
    }

    TimeSpan Delay()
    {
        if (!Healed && simulator.Luck.Happens("journal.slow", faults.Slow))
        {
            struck.Count("journal.slow");
            return simulator.Luck.Between("journal.delay", Usual, Slowest);
        }
        return simulator.Luck.Between("journal.delay", TimeSpan.FromMicroseconds(100), Usual);
    }

    enum Storing
    {
        Never,
        Now,
        Late,
    }
}
