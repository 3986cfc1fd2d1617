using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Bench;

/// <summary>One connection, one prepared statement, WAL and synchronous=FULL.</summary>
sealed class SqliteRawWriter : IRawWriter
{
    readonly SqliteConnection _connection;
    readonly SqliteCommand _insert;

    public SqliteRawWriter(string path)
    {
        _connection = new SqliteConnection($"Data Source={path};Pooling=False");
        _connection.Open();
        Execute(_connection, "PRAGMA synchronous = FULL");
        Execute(_connection, Schema);
        _insert = Insert(_connection);
    }

    public void Store(int first, int count)
    {
        Execute(_connection, "BEGIN IMMEDIATE");
        for (var i = first; i < first + count; i++)
        {
            Store(_insert, i % Load.Entities, (i / Load.Entities) + 1);
        }
        Execute(_connection, "COMMIT");
    }

    public void Dispose()
    {
        _insert.Dispose();
        _connection.Dispose();
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
