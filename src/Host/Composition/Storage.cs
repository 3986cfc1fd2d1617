using Akka.Actor.Setup;
using Akka.Configuration;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Projections.Postgres;

namespace ControlPlane.Host.Composition;

/// <summary>The database that a node works on, open for the life of the process: a file of its own, or PostgreSQL.</summary>
abstract class Storage : IDisposable
{
    /// <summary>Opens what the options name.</summary>
    /// <exception cref="JournalFileException">The file must not be used.</exception>
    /// <exception cref="PostgresRefusedException">The database must not be used, or cannot be reached.</exception>
    public static Storage Open(NodeOptions options, TimeProvider time) => options.Database is { } postgres
        ? new PostgresStorage(PostgresSource.Open(postgres, options.WitnessFile, new NodeAlarms(time)))
        : new SqliteStorage(JournalFile.Open(options.JournalFile), options.ReadFile, new NodeAlarms(time));

    /// <summary>The plugin's configuration.</summary>
    public abstract Config Journal { get; }

    public abstract Setup Wiring(JournalHealth health, TimeProvider time);

    /// <summary>The journal's reader and the read tables.</summary>
    public abstract void AddReading(IServiceCollection services);

    public abstract void Dispose();
}

/// <summary>One node, its journal in one file and its read tables in another.</summary>
sealed class SqliteStorage(JournalFile file, string readFile, NodeAlarms alarms) : Storage
{
    public override Config Journal => JournalSettings.Sqlite(file);

    public override Setup Wiring(JournalHealth health, TimeProvider time) => new JournalWiring { Health = health, Time = time };

    public override void AddReading(IServiceCollection services)
    {
        services.AddSingleton(alarms);
        services.AddSingleton<IJournalReader>(new SqliteJournalReader(file.Path));
        services.AddSingleton<IReadDatabase>(provider => new SqliteReadDatabase(
            readFile, provider.GetRequiredService<IJournalReader>().Head(default), provider.GetRequiredService<ILogger<SqliteReadDatabase>>()));
    }

    public override void Dispose() => file.Dispose();
}

/// <summary>Any number of nodes, journal and read tables in one database.</summary>
sealed class PostgresStorage(PostgresSource source) : Storage
{
    /// <summary>For whoever needs connections of his own, such as a lease.</summary>
    public PostgresSource Source => source;

    public override Config Journal => JournalSettings.Postgres(source);

    public override Setup Wiring(JournalHealth health, TimeProvider time) => new JournalWiring
    {
        Health = health,
        Time = time,
        Dialect = (writer, limits, faults) => new PostgresDialect(source, limits, faults, writer),
    };

    public override void AddReading(IServiceCollection services)
    {
        services.AddSingleton(source).AddSingleton(source.Alarms);
        services.AddSingleton<IJournalReader>(new PostgresJournalReader(source));
        services.AddSingleton<IReadDatabase>(provider => new PostgresReadDatabase(
            source, Guid.CreateVersion7(provider.GetRequiredService<TimeProvider>().GetUtcNow()).ToString("N")));
        services.AddHostedService<PostgresBell>().AddHostedService<PostgresWatch>();
    }

    public override void Dispose() => source.Dispose();
}
