using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Host.Engine.Journal;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Bench;

/// <summary>
/// The same rows into the same table and indexes with nothing in between: one connection, one prepared statement, WAL and
/// synchronous=FULL. What the database itself allows at this size of batch.
/// </summary>
sealed class RawCase(int perEntity, int batch) : IBenchCase
{
    public string Name => $"raw prepared inserts, {batch} rows a commit";

    /// <summary>How long each commit took, in milliseconds, its insert included.</summary>
    public List<double> Latencies { get; } = [];

    public Task<Measured> Run(string folder)
    {
        var path = Path.Combine(folder, "journal.db");
        using var file = JournalFile.Open(path);
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        Execute(connection, "PRAGMA synchronous = FULL");
        Execute(connection, Schema);
        using var insert = Insert(connection);

        var total = Load.Events(perEntity);
        var watch = Stopwatch.GetTimestamp();
        for (var at = 0; at < total; at += batch)
        {
            var commit = Stopwatch.GetTimestamp();
            Execute(connection, "BEGIN IMMEDIATE");
            for (var i = at; i < Math.Min(at + batch, total); i++)
            {
                Store(insert, i % Load.Entities, (i / Load.Entities) + 1);
            }

            Execute(connection, "COMMIT");
            Latencies.Add(Stopwatch.GetElapsedTime(commit).TotalMilliseconds);
        }

        return Task.FromResult(new Measured(total, Stopwatch.GetElapsedTime(watch).TotalSeconds, Latencies.Count));
    }

    // As the plugin creates it, see the schema that a journal file of the other cases has.
    const string Schema = """
        CREATE TABLE journal (
            ordering INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, created BigInt NOT NULL, deleted Bit NOT NULL,
            persistence_id NVarChar(255) NOT NULL, sequence_number BigInt NOT NULL, message VarBinary NOT NULL,
            manifest NVarChar(500) NULL, identifier INTEGER NULL, tags NVarChar(100) NULL, writer_uuid NVarChar(128) NULL);
        CREATE UNIQUE INDEX journal_uq ON journal (persistence_id, sequence_number);
        CREATE INDEX journal_created_idx ON journal (created);
        CREATE INDEX journal_sequence_number_idx ON journal (sequence_number);
        """;

    static SqliteCommand Insert(SqliteConnection connection)
    {
        var insert = connection.CreateCommand();
        insert.CommandText = """
            INSERT INTO journal
                (created, deleted, persistence_id, sequence_number, message, manifest, identifier, tags, writer_uuid)
            VALUES (@created, 0, @id, @nr, @message, 'ControlPlane.Bench.BenchEvent, ControlPlane.Bench', 1, '', @writer)
            """;
        insert.Parameters.Add("@created", SqliteType.Integer);
        insert.Parameters.Add("@id", SqliteType.Text);
        insert.Parameters.Add("@nr", SqliteType.Integer);
        insert.Parameters.Add("@message", SqliteType.Blob);
        insert.Parameters.AddWithValue("@writer", new string('0', 32));
        insert.Prepare();
        return insert;
    }

    static void Store(SqliteCommand insert, int entity, int nr)
    {
        insert.Parameters["@created"].Value = TimeProvider.System.GetUtcNow().UtcTicks;
        insert.Parameters["@id"].Value = Load.EntityId(entity);
        insert.Parameters["@nr"].Value = nr;
        insert.Parameters["@message"].Value = JsonSerializer.SerializeToUtf8Bytes(Load.Event(entity, nr));
        insert.ExecuteNonQuery();
    }

    static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
