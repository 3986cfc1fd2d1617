using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>SQLite: one file, one writer.</summary>
sealed class SqliteDialect(string connectionString, JournalLimits limits, IJournalFaults faults) : IJournalDialect
{
    public IJournalConnection Connect()
    {
        // Not pooled: after a failure a connection is closed for good, and with it the lock that it may still hold.
        var settings = new SqliteConnectionStringBuilder(connectionString) { Pooling = false };
        var connection = new SqliteConnection(settings.ToString()) { DefaultTimeout = 1 };
        try
        {
            connection.Open();
            Harden(connection);
            faults.Opened(connection);
            return new SqliteJournalConnection(connection);
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }

    void Harden(SqliteConnection connection)
    {
        // SQLite's own wait is used (it backs off from 1 ms); the driver's steps of 150 ms are cut short by its
        // timeout of one second, the least it knows.
        var wait = (long)limits.LockWaitMax.TotalMilliseconds;
        Run(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {wait}"));

        // Per connection, hence here and not when the file was prepared: see JournalFile for what it buys.
        Run(connection, "PRAGMA synchronous = FULL");
    }

    static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
