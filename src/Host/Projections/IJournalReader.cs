using ControlPlane.Actors.Entities;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>A position in the feed: the number that everybody outside knows it by, and the place of its row in the journal.</summary>
readonly record struct FeedPosition(long Number, JournalPlace Place)
{
    /// <summary>The position on SQLite, where the two are one.</summary>
    public static FeedPosition OfOrdering(long ordering) => new(ordering, new JournalPlace(0, ordering));
}

/// <summary>A row of the journal as it is stored.</summary>
sealed record JournalRow(FeedPosition At, string PersistenceId, long Sequence, long Created, string Manifest, byte[] Message)
{
    /// <summary>The event with its circumstances; throws what <see cref="StoredJson"/> throws.</summary>
    public StoredEvent Decode() => StoredJson.Read(Manifest, Message);
}

/// <summary>Reads the journal's table over connections of its own, in an order in which nothing appears behind what was read.</summary>
interface IJournalReader
{
    /// <summary>The next rows after a position, in order.</summary>
    IReadOnlyList<JournalRow> After(FeedPosition position, int max);

    /// <summary>The number of the last row that is there, reckoned from a known position; 0 when there is none.</summary>
    long Head(FeedPosition known);

    /// <summary>One entity's rows after a sequence number, oldest first.</summary>
    IReadOnlyList<JournalRow> OfEntity(EntityId entity, long after, int max);

    /// <summary>The rows of these events, by entity and sequence number.</summary>
    IReadOnlyDictionary<(string Actor, long Sequence), JournalRow> Of(IReadOnlyList<EventRow> events);
}
