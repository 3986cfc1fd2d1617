using System.Text.Json;
using ControlPlane.Actors.Entities;
using ControlPlane.Host.Projections;

namespace ControlPlane.Host.Api.Documents;

/// <summary>Events as documents: which ones say the read tables, what is in them says the journal.</summary>
sealed class EventLog(ReadTables tables, IJournalReader journal)
{
    public IReadOnlyList<EventDocument> Read(EventFilter filter, long after, int limit)
    {
        var rows = tables.Events(filter, after, limit);
        if (rows.Count == 0)
        {
            return [];
        }
        var bodies = journal.Of(rows);
        return [.. rows.Select(row => new EventDocument(
            Render.Text(row.Ordering), Render.Text(row.Ordering), row.Actor, Render.Text(row.Sequence), row.At, row.Type, row.Version, row.Who,
            row.Cause, row.Correlation, Convert.ToHexStringLower(row.Hash), row.Oid, BodyOf(bodies.GetValueOrDefault((row.Actor, row.Sequence)))))];
    }

    /// <summary>Null for a row that this release cannot read.</summary>
    static JsonElement? BodyOf(JournalRow? row)
    {
        try
        {
            return row is null ? null : JsonElement.Parse(row.Decode().Body.Span);
        }
        catch (Exception unreadable) when (unreadable is UnknownWordException or CorruptHistoryException or JsonException)
        {
            return null;
        }
    }
}
