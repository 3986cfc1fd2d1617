using Akka.Configuration;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Postgres.Tests;

namespace ControlPlane.Bench;

/// <summary>A fresh database for one case: its name, and how the plugin as it comes and our own journal are set up on it.</summary>
abstract class BenchDatabase : IDisposable
{
    public abstract string Name { get; }

    /// <summary>The plugin's defaults.</summary>
    public abstract Config Bare { get; }

    public abstract Config Ours { get; }

    public abstract JournalWiring Wiring();

    /// <summary>The same rows with nothing in between.</summary>
    public abstract IRawWriter OpenRaw();

    public abstract void Dispose();

    private protected static Config Plugin(string database) => ConfigurationFactory.ParseString($$"""
        akka.persistence.journal { plugin = "akka.persistence.journal.sql", sql { {{database}} } }
        akka.persistence.snapshot-store { plugin = "akka.persistence.snapshot-store.sql", sql { {{database}} } }
        """).WithFallback(Akka.Persistence.Sql.SqlPersistence.DefaultConfiguration);
}

/// <summary>Stores rows of <see cref="Load"/>, a transaction each call.</summary>
interface IRawWriter : IDisposable
{
    /// <param name="first">The number of the first row; rows go round the entities.</param>
    void Store(int first, int count);
}

sealed class SqliteBench : BenchDatabase
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bench-");
    readonly JournalFile _file;

    public SqliteBench() => _file = JournalFile.Open(Path.Combine(_folder.FullName, "journal.db"));

    public override string Name => "SQLite, WAL, synchronous=FULL";

    public override Config Bare => Plugin($"""
        connection-string = "Data Source={_file.Path}"
        provider-name = "SQLite.MS"
        auto-initialize = on
        """);

    public override Config Ours => JournalSettings.Sqlite(_file);

    public override JournalWiring Wiring() => new();

    public override IRawWriter OpenRaw() => new SqliteRawWriter(_file.Path);

    public override void Dispose()
    {
        _file.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}

/// <summary>A server of its own, of the packages' defaults: fsync and synchronous_commit are on.</summary>
sealed class PostgresBench : BenchDatabase
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bench-");
    readonly PostgresServer _server = PostgresServer.Start();
    readonly PostgresSource _source;

    public PostgresBench() => _source = PostgresSource.Open(
        new PostgresOptions(_server.ConnectionString()), Path.Combine(_folder.FullName, "witness.json"), new NodeAlarms(TimeProvider.System));

    public override string Name => "PostgreSQL, fsync and synchronous_commit on";

    public string Connection => _server.ConnectionString();

    public override Config Bare => BareOn(Connection);

    public static Config BareOn(string connection) => Plugin($"""
        connection-string = "{connection}"
        provider-name = "PostgreSQL.15"
        auto-initialize = on
        """);

    public override Config Ours => JournalSettings.Postgres(_source);

    public override JournalWiring Wiring() => new()
    {
        Dialect = (writer, limits, faults) => new PostgresDialect(_source, limits, faults, writer),
    };

    public override IRawWriter OpenRaw() => new PostgresRawWriter(_source.Single());

    public override void Dispose()
    {
        _source.Dispose();
        _server.Dispose();
        _folder.Delete(recursive: true);
    }
}
