using ControlPlane.Actors.Entities;
using ControlPlane.Messages;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Projections;

/// <summary>A row of the journal as it is stored.</summary>
sealed record JournalRow(long Ordering, string PersistenceId, long Sequence, long Created, string Manifest, byte[] Message)
{
    /// <summary>The event with its circumstances; throws what <see cref="StoredJson"/> throws.</summary>
    public StoredEvent Decode() => StoredJson.Read(Manifest, Message);
}

/// <summary>
/// Reads the journal's table over connections of its own. On SQLite one writer gives out orderings in the order of
/// commits, so everything up to a seen ordering has been seen.
/// </summary>
sealed class JournalReader(string journalFile)
{
    const string Columns = "SELECT ordering, persistence_id, sequence_number, created, manifest, message FROM journal ";

    readonly string _connectionString = new SqliteConnectionStringBuilder { DataSource = journalFile, DefaultTimeout = 5 }.ToString();
    bool _exists;

    /// <summary>The next rows after a position, in order.</summary>
    public IReadOnlyList<JournalRow> After(long ordering, int max)
    {
        using var connection = Open();
        return Exists(connection)
            ? connection.Query(Columns + "WHERE ordering > $after ORDER BY ordering LIMIT $max", ("$after", ordering), ("$max", max)).Rows(Row)
            : [];
    }

    /// <summary>The highest position that is stored, 0 when there is none.</summary>
    public long Head()
    {
        using var connection = Open();
        return Exists(connection) ? connection.Query("SELECT ifnull(max(ordering), 0) FROM journal").First(reader => reader.GetInt64(0)) : 0;
    }

    /// <summary>One entity's rows after a sequence number, oldest first.</summary>
    public IReadOnlyList<JournalRow> OfEntity(EntityId entity, long after, int max)
    {
        using var connection = Open();
        return Exists(connection)
            ? connection.Query(
                Columns + "WHERE persistence_id = $id AND sequence_number > $after ORDER BY sequence_number LIMIT $max",
                ("$id", entity.Text), ("$after", after), ("$max", max)).Rows(Row)
            : [];
    }

    /// <summary>Rows by their positions.</summary>
    public IReadOnlyDictionary<long, JournalRow> At(IEnumerable<long> orderings)
    {
        using var connection = Open();
        return connection.Query(
            Columns + "WHERE ordering IN (SELECT value FROM json_each($all))", ("$all", $"[{string.Join(',', orderings)}]"))
            .Rows(Row).ToDictionary(row => row.Ordering);
    }

    SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }

    /// <summary>The journal makes its table when it starts, which may be after us.</summary>
    bool Exists(SqliteConnection connection) => _exists = _exists
        || connection.Query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'journal'").First(reader => reader.GetInt64(0)) == 1;

    static JournalRow Row(SqliteDataReader reader) => new(
        reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.TextOrNull(4) ?? "", reader.Bytes(5));
}
