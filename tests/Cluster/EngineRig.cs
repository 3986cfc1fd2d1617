using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Tests.Cluster;

/// <summary>One process as a cluster of one, without its HTTP side. Its journal is in memory, where nothing is serialized unless asked.</summary>
sealed class EngineRig : IAgentDoor, IAsyncDisposable
{
    readonly IHost _host;

    const string InMemory = """
        akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
        akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
        """;

    EngineRig(CoreFactory newCore, Config journal, PostgresSource? database, NodeCertificate? certificate)
    {
        var builder = new HostApplicationBuilder();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(60));
        builder.Services.AddSingleton(provider => new Departure(
            provider.GetRequiredService<IHostApplicationLifetime>(), provider.GetRequiredService<ILogger<Departure>>())
        {
            Exit = _ => Departed = true,
        });
        builder.Logging.ClearProviders().AddProvider(new Lines(Said));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IAgentDoor>(this);
        builder.Services.AddEngine(new EngineOptions(journal)
        {
            NewCore = newCore,
            Certificate = certificate,
            JournalIsOpen = () => JournalIsOpen,
            Cluster = database is null ? null : new ClusterDatabase(database.Leases, database.Options.Wire),
            Setups = database is null ? [] : [new JournalWiring { Dialect = (writer, limits, faults) => new PostgresDialect(database, limits, faults, writer) }],
        });
        _host = builder.Build();
    }

    public bool JournalIsOpen { get; set; } = true;

    /// <summary>It would have ended its process.</summary>
    public bool Departed { get; private set; }

    public Departure Departure => _host.Services.GetRequiredService<Departure>();

    /// <summary>What it logged from warnings up.</summary>
    public ConcurrentQueue<string> Said { get; } = new();

    public Membership Membership => _host.Services.GetRequiredService<Membership>();

    public ActorSystem System => _host.Services.GetRequiredService<ActorSystem>();

    public ShardedEntities Entities => _host.Services.GetRequiredService<ShardedEntities>();

    public static async Task<EngineRig> Start(
        CoreFactory? newCore = null, Config? journal = null, PostgresSource? database = null, NodeCertificate? certificate = null)
    {
        var rig = new EngineRig(
            newCore ?? EntityKinds.NewCore, journal ?? (database is null ? ConfigurationFactory.ParseString(InMemory) : JournalSettings.Postgres(database)),
            database, certificate);
        await rig._host.StartAsync();
        return rig;
    }

    public Task<Answer> Ask(Messages.Envelope envelope, int seconds = 20) =>
        Entities.Ask(envelope, TimeSpan.FromSeconds(seconds), CancellationToken.None);

    public void Drive(EntityId bridge, long session, DriverCommand command)
    {
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    sealed class Lines(ConcurrentQueue<string> said) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                said.Enqueue(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
