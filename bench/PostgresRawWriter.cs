using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Bench;

/// <summary>One connection, one prepared statement over arrays, into our own lean table; each statement is a transaction.</summary>
sealed class PostgresRawWriter : IRawWriter
{
    readonly NpgsqlConnection _connection;
    readonly NpgsqlCommand _insert;

    public PostgresRawWriter(NpgsqlConnection connection)
    {
        _connection = connection;
        _insert = new NpgsqlCommand("""
            INSERT INTO controlplane.journal (created, persistence_id, sequence_number, message, manifest, identifier, writer_uuid)
            SELECT created, id, nr, message, 'ControlPlane.Bench.BenchEvent, ControlPlane.Bench', 1, repeat('0', 32)
            FROM unnest($1, $2, $3, $4) AS rows (created, id, nr, message)
            """, connection);
        foreach (var type in (NpgsqlDbType[])[NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Bigint, NpgsqlDbType.Bytea])
        {
            _insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type | NpgsqlDbType.Array });
        }
        _insert.Prepare();
    }

    public void Store(int first, int count)
    {
        var rows = Enumerable.Range(first, count).Select(i => (Entity: i % Load.Entities, Nr: (i / Load.Entities) + 1)).ToArray();
        var now = TimeProvider.System.GetUtcNow().UtcTicks;
        _insert.Parameters[0].Value = Array.ConvertAll(rows, _ => now);
        _insert.Parameters[1].Value = Array.ConvertAll(rows, row => Load.EntityId(row.Entity));
        _insert.Parameters[2].Value = Array.ConvertAll(rows, row => (long)row.Nr);
        _insert.Parameters[3].Value = Array.ConvertAll(rows, row => JsonSerializer.SerializeToUtf8Bytes(Load.Event(row.Entity, row.Nr)));
        _insert.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _insert.Dispose();
        _connection.Dispose();
    }
}
