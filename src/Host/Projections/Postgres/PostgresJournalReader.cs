using System.Data.Common;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Messages;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Host.Projections.Postgres;

/// <summary>
/// Identities are given out before the commit, so rows become visible out of their order. A row is read only when no
/// transaction that is still open could be before it: below the snapshot's xmin, in the order (tx, ordering). So nothing is
/// skipped, and an identity that was never used holds nobody up.
/// </summary>
sealed class PostgresJournalReader(PostgresSource source) : IJournalReader
{
    const string Columns = "SELECT tx, ordering, persistence_id, sequence_number, created, manifest, message FROM controlplane.journal ";

    /// <summary>Rows that are counted to say how far behind the tables are; beyond it is far.</summary>
    const int CountedMax = 100_000;

    public IReadOnlyList<JournalRow> After(FeedPosition position, int max)
    {
        using var connection = source.Pool.OpenConnection();
        using var command = new NpgsqlCommand(
            Columns + """
                WHERE (tx, ordering) > ($1, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY tx, ordering LIMIT $3
                """, connection);
        Place(command, position.Place);
        command.Parameters.Add(new() { Value = max });
        var number = position.Number;
        return command.Rows(reader => Row(reader, ++number));
    }

    public long Head(FeedPosition known)
    {
        using var connection = source.Pool.OpenConnection();
        using var command = new NpgsqlCommand(
            $"SELECT count(*) FROM (SELECT FROM controlplane.journal WHERE (tx, ordering) > ($1, $2) LIMIT {CountedMax}) AS later", connection);
        Place(command, known.Place);
        return known.Number + (long)command.ExecuteScalar()!;
    }

    public IReadOnlyList<JournalRow> OfEntity(EntityId entity, long after, int max)
    {
        using var connection = source.Pool.OpenConnection();
        using var command = new NpgsqlCommand(
            Columns + "WHERE persistence_id = $1 AND sequence_number > $2 ORDER BY sequence_number LIMIT $3", connection)
        {
            Parameters = { new() { Value = entity.Text }, new() { Value = after }, new() { Value = max } },
        };
        return command.Rows(reader => Row(reader, number: 0));
    }

    public IReadOnlyDictionary<(string Actor, long Sequence), JournalRow> Of(IReadOnlyList<EventRow> events)
    {
        using var connection = source.Pool.OpenConnection();
        using var command = new NpgsqlCommand(
            Columns + "WHERE (persistence_id, sequence_number) IN (SELECT * FROM unnest($1, $2))", connection)
        {
            Parameters =
            {
                new() { Value = events.Select(happened => happened.Actor).ToArray() },
                new() { Value = events.Select(happened => happened.Sequence).ToArray() },
            },
        };
        return command.Rows(reader => Row(reader, number: 0)).ToDictionary(row => (row.PersistenceId, row.Sequence));
    }

    static void Place(NpgsqlCommand command, JournalPlace place)
    {
        command.Parameters.Add(new() { Value = place.Tx, NpgsqlDbType = NpgsqlDbType.Xid8 });
        command.Parameters.Add(new() { Value = place.Ordering });
    }

    static JournalRow Row(DbDataReader reader, long number) => new(
        new FeedPosition(number, new JournalPlace(reader.GetFieldValue<ulong>(0), reader.GetInt64(1))),
        reader.GetString(2), reader.GetInt64(3), reader.GetInt64(4), reader.TextOrNull(5) ?? "", reader.Bytes(6));
}
