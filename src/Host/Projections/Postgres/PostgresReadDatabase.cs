using System.Data.Common;
using ControlPlane.Host.Engine.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Host.Projections.Postgres;

/// <summary>The read tables, one set for all nodes.</summary>
/// <param name="owner">Names this process among those who take turns.</param>
sealed class PostgresReadDatabase(PostgresSource source, string owner) : IReadDatabase
{
    public DbConnection Open() => source.Pool.OpenConnection();

    public (DbConnection Connection, ITablePosition Position) OpenWriter()
    {
        var connection = source.Single();
        return (connection, new Turn(connection, owner));
    }

    /// <summary>
    /// The turn is a row with an owner and an end, by the database's clock. The owner moves the end with each of its
    /// transactions; when it is past, another one may take it. Each transaction locks the row and looks whether it is still
    /// the owner, so one that was frozen and wakes up writes nothing.
    /// </summary>
    sealed class Turn(NpgsqlConnection connection, string owner) : ITablePosition
    {
        const string NewEnd = "clock_timestamp() + interval '3 seconds'";

        public FeedPosition Read()
        {
            using var command = new NpgsqlCommand("SELECT ordering, tx, place FROM position", connection);
            return command.First(Position);
        }

        public bool Take()
        {
            using var command = new NpgsqlCommand(
                $"UPDATE position SET owner = $1, until = {NewEnd} WHERE owner = $1 OR until < clock_timestamp()", connection);
            command.Parameters.Add(new() { Value = owner });
            return command.Run() == 1;
        }

        public bool Hold(FeedPosition expected, DbTransaction transaction)
        {
            using var command = new NpgsqlCommand("SELECT ordering, tx, place FROM position WHERE owner = $1 FOR UPDATE", connection);
            command.Parameters.Add(new() { Value = owner });
            return command.Rows(Position) is [var position] && position == expected;
        }

        public void Move(FeedPosition to, DbTransaction transaction)
        {
            using var command = new NpgsqlCommand($"UPDATE position SET ordering = $1, tx = $2, place = $3, until = {NewEnd}", connection);
            command.Parameters.Add(new() { Value = to.Number });
            command.Parameters.Add(new() { Value = to.Place.Tx, NpgsqlDbType = NpgsqlDbType.Xid8 });
            command.Parameters.Add(new() { Value = to.Place.Ordering });
            command.Run();
            using var notify = new NpgsqlCommand($"NOTIFY {PostgresBell.Channel}", connection);
            notify.ExecuteNonQuery();
        }

        public void Release()
        {
            using var command = new NpgsqlCommand("UPDATE position SET until = '-infinity' WHERE owner = $1", connection);
            command.Parameters.Add(new() { Value = owner });
            command.Run();
        }

        static FeedPosition Position(DbDataReader reader) =>
            new(reader.GetInt64(0), new Engine.Journal.JournalPlace(reader.GetFieldValue<ulong>(1), reader.GetInt64(2)));
    }
}
