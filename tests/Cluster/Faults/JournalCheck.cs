using System.Text.Json;
using Npgsql;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>What must hold of the journal whatever happened to the nodes that wrote it.</summary>
static class JournalCheck
{
    /// <summary>Every acknowledged message is stored exactly once, by its entity; every history runs from 1 without a gap.</summary>
    public static async Task<long> Holds(string database, IReadOnlyDictionary<string, string> acknowledged)
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
        var stored = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var rows = 0L;
        await using var all = source.CreateCommand("SELECT persistence_id, message FROM controlplane.journal");
        await using var reader = await all.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            rows++;
            using var row = JsonDocument.Parse((byte[])reader[1]);
            if (row.RootElement.TryGetProperty("msg", out var message) && message.GetString() is { } id)
            {
                var key = id[(id.LastIndexOf(':') + 1)..];
                (stored.TryGetValue(key, out var where) ? where : stored[key] = []).Add(reader.GetString(0));
            }
        }
        foreach (var (key, entity) in acknowledged)
        {
            Assert.True(stored.TryGetValue(key, out var where), $"{key} of {entity} was acknowledged and is not stored");
            Assert.Equal([entity], where);
        }
        return rows;
    }
}
