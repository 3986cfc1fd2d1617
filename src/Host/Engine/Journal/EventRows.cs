using System.Collections.Immutable;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal.Dao;
using Akka.Persistence.Sql.Journal.Types;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>One request as rows. Rejections is null when everything is stored, else one entry per atomic write.</summary>
sealed record PreparedRows(string PersistenceId, JournalRow[] Rows, IImmutableList<Exception?>? Rejections);

/// <summary>
/// Turns events into the plugin's rows, with the plugin's own serializer, before anything is queued: an event that cannot
/// be stored is rejected here and never touches a neighbour.
/// </summary>
sealed class EventRows(ByteArrayJournalSerializer serializer, JournalLimits limits)
{
    public PreparedRows From(IEnumerable<AtomicWrite> messages, long ticks)
    {
        ImmutableArray<AtomicWrite> writes = [.. messages];
        List<JournalRow> rows = [];
        Exception? rejected = null;
        var rejections = new Exception?[writes.Length];
        for (var i = 0; i < writes.Length; i++)
        {
            // What follows a rejected write of the same entity is rejected too: stored, it would leave a gap in the
            // entity's sequence numbers, and the entity could never be recovered.
            rejected ??= Add(writes[i], ticks, rows);
            rejections[i] = rejected;
        }

        var persistenceId = writes.Length == 0 ? "" : writes[0].PersistenceId;
        return new PreparedRows(persistenceId, [.. rows], rejected is null ? null : [.. rejections]);
    }

    Exception? Add(AtomicWrite write, long ticks, List<JournalRow> rows)
    {
        if (write.Size > limits.WriteEventsMax)
        {
            return new WriteRefusedException(
                write.PersistenceId, $"{write.Size} events at once; {limits.WriteEventsMax} are allowed.");
        }

        var serialized = serializer.Serialize([write], ticks)[0];
        if (!serialized.IsSuccess)
        {
            return serialized.Failure.Value;
        }

        var tooLarge = serialized.Success.Value.FirstOrDefault(row => row.Message.Length > limits.EventBytesMax);
        if (tooLarge is not null)
        {
            return new WriteRefusedException(
                write.PersistenceId,
                $"event {tooLarge.SequenceNumber} has {tooLarge.Message.Length} bytes; {limits.EventBytesMax} are allowed.");
        }

        rows.AddRange(serialized.Success.Value);
        return null;
    }
}
