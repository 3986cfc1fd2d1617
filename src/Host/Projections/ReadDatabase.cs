using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Projections;

/// <summary>
/// The file of the read tables. It can be thrown away: a missing, damaged or older file is made anew and filled again
/// from the journal, so there is no migration of read tables, ever.
/// </summary>
sealed partial class ReadDatabase
{
    /// <summary>Raised with each change of the schema or of what the projector writes.</summary>
    public const int SchemaVersion = 2;

    readonly string _path;
    readonly string _connectionString;
    readonly ILogger<ReadDatabase> _log;

    public ReadDatabase(string path, ILogger<ReadDatabase> log)
    {
        _path = path;
        _log = log;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 5 }.ToString();
        if (!IsUsable())
        {
            Create();
        }
    }

    /// <summary>A connection from the pool; the caller disposes it.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }

    bool IsUsable()
    {
        if (!File.Exists(_path))
        {
            return false;
        }
        try
        {
            using var connection = Open();
            return Text(connection, "PRAGMA user_version") == SchemaVersion.ToString(CultureInfo.InvariantCulture)
                && Text(connection, "PRAGMA quick_check(1)") == "ok";
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
        using var stream = typeof(ReadDatabase).Assembly.GetManifestResourceStream("Schema.sql")
            ?? throw new InvalidOperationException("Schema.sql is not in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    static string Text(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    [LoggerMessage(1, LogLevel.Warning, "The read tables are damaged ({Reason}); they are built again")]
    static partial void LogDamaged(ILogger logger, string reason);

    [LoggerMessage(2, LogLevel.Information, "Empty read tables: they are filled from the journal")]
    static partial void LogCreated(ILogger logger);
}
