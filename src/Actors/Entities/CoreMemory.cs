using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>An effect that is owed, and where it came from.</summary>
sealed record OpenWork(Effect Effect, Origin Origin);

/// <summary>
/// Everything that an entity remembers: a fold of its rows, the same live and in a replay. Immutable, so that a turn
/// that fails, or a write that does, has changed nothing.
/// </summary>
sealed record CoreMemory<TLifecycle, TState, TEvent>(
    EntityId Id,
    TState State,
    long Sequence,
    long Revision,
    ReadOnlyMemory<byte> Hash,
    ExecutedBook Book,
    ImmutableSortedDictionary<string, OpenWork> Open,
    Poison? Poison)
    where TLifecycle : ILifecycle<TState, TEvent>
    where TState : class
    where TEvent : Event
{
    static readonly ImmutableSortedDictionary<string, OpenWork> Nothing =
        ImmutableSortedDictionary.Create<string, OpenWork>(StringComparer.Ordinal);

    public static CoreMemory<TLifecycle, TState, TEvent> Initial(EntityId id) =>
        new(id, TLifecycle.Initial(id), 0, 0, StoredEvent.NoHash, ExecutedBook.Empty, Nothing, null);

    public static CoreMemory<TLifecycle, TState, TEvent> Of(CoreSnapshot snapshot)
    {
        var (id, sequence) = (snapshot.Entity, snapshot.Sequence);
        var state = snapshot.State as TState ?? throw new CorruptHistoryException($"{id}: the snapshot holds no {typeof(TState).Name}");
        var open = TLifecycle.Outstanding(state).Select(effect => new OpenWork(
            effect, snapshot.Origins.GetValueOrDefault(effect.Id) ?? new Origin("system", effect.Id, $"{id}#{sequence}")));
        return new(
            id, state, sequence, snapshot.Revision, snapshot.Hash, ExecutedBook.Of(snapshot.Executed, snapshot.Forgotten),
            open.ToImmutableSortedDictionary(work => work.Effect.Id, work => work, StringComparer.Ordinal), snapshot.Poison);
    }

    public CoreSnapshot Snapshot() => new(
        Id, Sequence, Revision, Hash, State, Book.All, Book.Forgotten,
        Open.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Origin, StringComparer.Ordinal), Poison);

    /// <summary>A row of the journal: refused unless it is the next one of an unbroken chain.</summary>
    public CoreMemory<TLifecycle, TState, TEvent> Replay(StoredEvent row, int executedMax) =>
        row.Sequence != Sequence + 1
            ? throw new CorruptHistoryException($"{Id}: event {row.Sequence} follows event {Sequence}")
        : !row.PreviousHash.Span.SequenceEqual(Hash.Span) || !row.HashHolds()
            ? throw new CorruptHistoryException($"{Id}: the hash chain is broken at event {row.Sequence}")
        : Follow(row, executedMax);

    /// <summary>What a row makes of the memory: what it opens carries its person and operation.</summary>
    public CoreMemory<TLifecycle, TState, TEvent> Follow(StoredEvent row, int executedMax)
    {
        var book = row.MessageId is { } message
            ? Book.Add(new Executed(message, row.BodyHash, null, row.Who, row.Correlation), executedMax)
            : Book;
        book = row.Answers.Aggregate(book, (current, answer) => current.Settle(answer, row.Who, row.Correlation, executedMax));
        var next = this with { Sequence = row.Sequence, Hash = row.Hash, Book = book };
        return row.Event switch
        {
            TEvent happened => (next with
            {
                State = TLifecycle.Evolve(State, happened),
                Revision = happened is IBookkeeping ? Revision : Revision + 1,
            }).Reopened(row),
            Parked parked => next with { Poison = new Poison(parked.PoisonMessageId, parked.Error) },
            Unparked => next with { Poison = null },
            RequestRefused or RequestNoted => next,
            var other => throw new CorruptHistoryException($"{Id}: {other.GetType().Name} is no event of this entity"),
        };
    }

    /// <summary>What is owed now; what was owed before keeps its origin.</summary>
    CoreMemory<TLifecycle, TState, TEvent> Reopened(StoredEvent row)
    {
        var origin = new Origin(row.Who, row.Correlation, $"{Id}#{row.Sequence}");
        var open = Nothing.ToBuilder();
        foreach (var effect in TLifecycle.Outstanding(State))
        {
            open.Add(effect.Id, new OpenWork(effect, Open.TryGetValue(effect.Id, out var known) ? known.Origin : origin));
        }
        return this with { Open = open.Count == 0 ? Nothing : open.ToImmutable() };
    }
}
