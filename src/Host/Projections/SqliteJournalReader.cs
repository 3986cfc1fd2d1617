using System.Data.Common;
using ControlPlane.Messages;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Projections;

/// <summary>One writer gives out orderings in the order of commits, so everything up to a seen ordering has been seen.</summary>
sealed class SqliteJournalReader(string journalFile) : IJournalReader
{
    const string Columns = "SELECT ordering, persistence_id, sequence_number, created, manifest, message FROM journal ";

    readonly string _connectionString = new SqliteConnectionStringBuilder { DataSource = journalFile, DefaultTimeout = 5 }.ToString();
    bool _exists;

    public IReadOnlyList<JournalRow> After(FeedPosition position, int max)
    {
        using var connection = Open();
        return Exists(connection)
            ? connection.Query(
                Columns + "WHERE ordering > @after ORDER BY ordering LIMIT @max", ("@after", position.Number), ("@max", max)).Rows(Row)
            : [];
    }

    public long Head(FeedPosition known)
    {
        using var connection = Open();
        return Exists(connection) ? connection.Query("SELECT ifnull(max(ordering), 0) FROM journal").First(reader => reader.GetInt64(0)) : 0;
    }

    public IReadOnlyList<JournalRow> OfEntity(EntityId entity, long after, int max)
    {
        using var connection = Open();
        return Exists(connection)
            ? connection.Query(
                Columns + "WHERE persistence_id = @id AND sequence_number > @after ORDER BY sequence_number LIMIT @max",
                ("@id", entity.Text), ("@after", after), ("@max", max)).Rows(Row)
            : [];
    }

    public IReadOnlyDictionary<(string Actor, long Sequence), JournalRow> Of(IReadOnlyList<EventRow> events)
    {
        using var connection = Open();
        return connection.Query(
            Columns + "WHERE ordering IN (SELECT value FROM json_each(@all))",
            ("@all", $"[{string.Join(',', events.Select(happened => happened.Ordering))}]"))
            .Rows(Row).ToDictionary(row => (row.PersistenceId, row.Sequence));
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

    static JournalRow Row(DbDataReader reader) => new(
        FeedPosition.OfOrdering(reader.GetInt64(0)), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.TextOrNull(4) ?? "",
        reader.Bytes(5));
}
