using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Projections;

/// <summary>
/// The file of the read tables. It can be thrown away: a missing, damaged or older file is made anew and filled again
/// from the journal, and so is one that shows more than the journal has, so there is no migration of read tables, ever.
/// </summary>
sealed partial class SqliteReadDatabase : IReadDatabase
{
    /// <summary>Raised with each change of the schema or of what the projector writes.</summary>
    public const int SchemaVersion = 4;

    readonly string _path;
    readonly string _connectionString;
    readonly ILogger<SqliteReadDatabase> _log;

    /// <param name="journalHead">The journal's last position: tables beyond it were made from another copy of the journal.</param>
    public SqliteReadDatabase(string path, long journalHead, ILogger<SqliteReadDatabase> log)
    {
        _path = path;
        _log = log;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 5 }.ToString();
        if (!IsUsable(journalHead))
        {
            Create();
        }
    }

    public DbConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }

    public (DbConnection Connection, ITablePosition Position) OpenWriter()
    {
        var connection = Open();
        connection.Query("PRAGMA synchronous = NORMAL").Run();
        return (connection, new OnlyWriter(connection));
    }

    bool IsUsable(long journalHead)
    {
        if (!File.Exists(_path))
        {
            return false;
        }
        try
        {
            using var connection = Open();
            if (Text(connection, "PRAGMA user_version") != SchemaVersion.ToString(CultureInfo.InvariantCulture)
                || Text(connection, "PRAGMA quick_check(1)") != "ok")
            {
                return false;
            }
            var position = connection.Query("SELECT ordering FROM position").First(reader => reader.GetInt64(0));
            if (position > journalHead)
            {
                LogAhead(_log, position, journalHead);
                return false;
            }
            return true;
        }
        catch (SqliteException damage)
        {
            LogDamaged(_log, damage.Message);
            return false;
        }
    }

    void Create()
    {
        SqliteConnection.ClearAllPools();
        foreach (var file in (string[])[_path, _path + "-wal", _path + "-shm"])
        {
            File.Delete(file);
        }
        using var connection = Open();
        // NORMAL: after a loss of power the tables may be some events behind, and they catch up from the journal.
        _ = Text(connection, "PRAGMA journal_mode = WAL");
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = Schema() + $"PRAGMA user_version = {SchemaVersion};";
        command.ExecuteNonQuery();
        transaction.Commit();
        LogCreated(_log);
    }

    static string Schema()
    {
        using var stream = typeof(SqliteReadDatabase).Assembly.GetManifestResourceStream("Sqlite.sql")
            ?? throw new InvalidOperationException("Sqlite.sql is not in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    static string Text(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>The file is this process's alone.</summary>
    sealed class OnlyWriter(DbConnection connection) : ITablePosition
    {
        public FeedPosition Read() =>
            connection.Query("SELECT ordering FROM position").First(reader => FeedPosition.OfOrdering(reader.GetInt64(0)));

        public bool Take() => true;

        public bool Hold(FeedPosition expected, DbTransaction transaction) => true;

        public void Move(FeedPosition to, DbTransaction transaction)
        {
            var command = connection.Query("UPDATE position SET ordering = @ordering", ("@ordering", to.Number));
            command.Transaction = transaction;
            command.Run();
        }

        public void Release()
        {
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The read tables are damaged ({Reason}); they are built again")]
    static partial void LogDamaged(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The read tables show event {Position}, but the journal ends at {Head}; they are built again")]
    static partial void LogAhead(ILogger logger, long position, long head);

    [LoggerMessage(2, LogLevel.Information, "Empty read tables: they are filled from the journal")]
    static partial void LogCreated(ILogger logger);
}
