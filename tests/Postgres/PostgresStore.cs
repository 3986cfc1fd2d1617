using System.Data.Common;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Journal.Tests;
using Npgsql;

namespace ControlPlane.Postgres.Tests;

/// <summary>A database of its own on a server, and nodes with their own connections and witnesses on it.</summary>
sealed class PostgresStore(PostgresServer server, string database) : TestStore
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("witness-");
    readonly List<PostgresSource> _sources = [];
    int _nodes;

    public string Connection => server.ConnectionString(database);

    public NodeAlarms Alarms { get; } = new(TimeProvider.System);

    /// <summary>The connections of the node that was started last.</summary>
    public PostgresSource Source => _sources[^1];

    public override Task<JournalNode> Start(JournalLimits? limits = null, Faults? faults = null, string hocon = "") =>
        Start(Open(), limits, faults, hocon);

    public static Task<JournalNode> Start(PostgresSource source, JournalLimits? limits = null, Faults? faults = null, string hocon = "") =>
        JournalNode.Start(
            JournalSettings.Postgres(source),
            new JournalWiring
            {
                Limits = limits ?? JournalLimits.Default,
                Faults = faults ?? new Faults(),
                Dialect = (writer, bounds, bad) => new PostgresDialect(source, bounds, bad, writer),
            },
            hocon);

    /// <summary>As a node opens it; each with a witness of its own, or with one that was there before.</summary>
    public PostgresSource Open(PostgresOptions? options = null, string? witness = null)
    {
        options ??= new PostgresOptions(server.ConnectionString(database, more: "Timeout=30")) { Pool = 10 };
        var source = PostgresSource.Open(options, Path.Combine(_folder.FullName, witness ?? $"{_nodes++}.json"), Alarms);
        _sources.Add(source);
        return source;
    }

    public override DbConnection Connect()
    {
        var connection = new NpgsqlConnection(server.ConnectionString(database, more: "Pooling=false;Search Path=controlplane"));
        connection.Open();
        return connection;
    }

    public override void Check()
    {
    }

    public override void Dispose()
    {
        _sources.ForEach(source => source.Dispose());
        _folder.Delete(recursive: true);
    }
}
