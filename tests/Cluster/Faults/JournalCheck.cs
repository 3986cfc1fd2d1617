using System.Text.Json;
using Npgsql;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>A message that an entity stored, and where in its history.</summary>
sealed record StoredMessage(string Key, string Entity, long SequenceNumber);

/// <summary>What must hold of the journal whatever happened to the nodes that wrote it.</summary>
static class JournalCheck
{
    /// <summary>
    /// Every acknowledged message is stored exactly once, by its entity; every history runs from 1 without a gap. Answers all
    /// that was stored.
    /// </summary>
    public static async Task<IReadOnlyList<StoredMessage>> Holds(string database, IReadOnlyDictionary<string, string> acknowledged)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using (var gaps = source.CreateCommand("""
            SELECT string_agg(persistence_id, ', ') FROM (
                SELECT persistence_id FROM controlplane.journal GROUP BY persistence_id
                HAVING min(sequence_number) <> 1 OR max(sequence_number) <> count(*)) broken
            """))
        {
            Assert.Equal(DBNull.Value, await gaps.ExecuteScalarAsync());
        }
        var stored = new List<StoredMessage>();
        await using var all = source.CreateCommand(
            "SELECT persistence_id, sequence_number, message FROM controlplane.journal ORDER BY persistence_id, sequence_number");
        await using var reader = await all.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            using var row = JsonDocument.Parse((byte[])reader[2]);
            var id = row.RootElement.TryGetProperty("msg", out var message) ? message.GetString() ?? "" : "";
            stored.Add(new StoredMessage(id[(id.LastIndexOf(':') + 1)..], reader.GetString(0), reader.GetInt64(1)));
        }
        var places = stored.ToLookup(row => row.Key, row => row.Entity);
        foreach (var (key, entity) in acknowledged)
        {
            Assert.True(places.Contains(key), $"{key} of {entity} was acknowledged and is not stored");
            Assert.Equal([entity], places[key]);
        }
        return stored;
    }
}
