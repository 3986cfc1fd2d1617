using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ControlPlane.Actors.Bridge;
using ControlPlane.Host.Agents;
using ControlPlane.Host.Api;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Api.Resources;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ControlPlane.Host.Composition;

/// <summary>
/// The whole of one process, put together in one place. Services stop in the reverse order in which they are added, and
/// the web server, which is added last, before them all: readyz says no, streams end, HTTP drains, agents suspend their
/// hosts, the actor system ends.
/// </summary>
static class ControlPlaneApp
{
    /// <summary>All of the above together; a host with many devices takes the most of it.</summary>
    static readonly TimeSpan StopMax = TimeSpan.FromSeconds(60);

    /// <param name="storage">The database, open; the caller closes it after the app has ended.</param>
    public static WebApplication Build(NodeOptions options, Storage storage, TimeProvider time, Action<ILoggingBuilder>? logging = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true);
        ConfigureLogging(builder.Logging, builder.Configuration);
        logging?.Invoke(builder.Logging);
        var certificate = options.Certificates is { } directory ? NodeCertificate.Load(directory, time) : null;
        var issuer = options.Issuer is { } from && certificate is not null ? Issuer.Load(from, certificate.Authority, time) : null;
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => ConfigureKestrel(kestrel, options, certificate));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopMax);
        builder.Services.AddSingleton(options).AddSingleton(time);
        AddEngine(builder.Services, options, storage, time, certificate);
        AddProjections(builder.Services, options, storage);
        AddApi(builder.Services, options, time, issuer is null ? null : certificate?.Authority.Fingerprint);
        builder.Services.AddAgentGateway().AddAgentRoutes();
        if (options.Agents is not null && certificate is not null)
        {
            builder.Services.AddAgentCertificates(certificate, issuer);
            builder.Services.AddSingleton<ShownHost>(provider => host => provider.GetRequiredService<ReadTables>().Present(EntityId.Bridge(host))?.State as BridgeState);
        }
        if (options.Role == NodeRole.All)
        {
            builder.Services.AddSingleton(provider => new LocalAgents(
                LocalAgents(options), time, provider.GetRequiredService<ILoggerFactory>()));
            builder.Services.AddHostedService(provider => provider.GetRequiredService<LocalAgents>());
        }
        var app = builder.Build();
        MapApi(app, options);
        return app;
    }

    public static LocalAgentsOptions LocalAgents(NodeOptions options) =>
        new(options.Hosts, options.Driver, options.AgentState, options.Nodes is { Count: > 0 } nodes ? nodes : [options.AgentSocket])
        {
            NamespacePrefix = options.NamespacePrefix,
            Certificates = host => AgentJoin.Directory(options.Data, host),
        };

    public static void ConfigureLogging(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.ClearProviders();
        logging.AddConfiguration(configuration.GetSection("Logging"));
        logging.AddSimpleConsole(console => console.SingleLine = true);
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Akka", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Error);
    }

    static void ConfigureKestrel(KestrelServerOptions kestrel, NodeOptions options, NodeCertificate? certificate)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = Body.BytesMax;
        limits.MaxRequestHeaderCount = 100;
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestLineSize = 8 * 1024;
        limits.MaxConcurrentConnections = 4_096;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.MinRequestBodyDataRate = new MinDataRate(Body.BytesPerSecondMin, options.BodyGrace);
        kestrel.Listen(options.Listen, options.Port, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.ConfigureAgentSocket(options.AgentSocket);
        if (options.Agents is { } agents && certificate is not null)
        {
            kestrel.ConfigureAgentTls(agents, certificate);
        }
    }

    static void AddEngine(IServiceCollection services, NodeOptions options, Storage storage, TimeProvider time, NodeCertificate? certificate)
    {
        var health = new JournalHealth();
        services.AddSingleton(health);
        services.AddEngine(new EngineOptions(storage.Journal)
        {
            JournalIsOpen = () => health.IsOpen,
            Setups = [storage.Wiring(health, time)],
            Address = options.Cluster?.Address.ToString() ?? IPAddress.Loopback.ToString(),
            Port = options.Cluster?.Port ?? 0,
            Seeds = options.Seeds,
            Cluster = options.Cluster is not null && storage is PostgresStorage { Source: var source } ? new ClusterDatabase(source.Leases, source.Options.Wire) : null,
            Certificate = options.Cluster is null ? null : certificate, // alone, it speaks to itself
            OpenWork = provider => ActivatorUtilities.CreateInstance<OpenWork>(provider).Next,
        });
    }

    static void AddProjections(IServiceCollection services, NodeOptions options, Storage storage)
    {
        storage.AddReading(services);
        services.AddSingleton<FeedSignal>();
        services.AddSingleton<Positions>().AddSingleton<ReadTables>().AddSingleton<PastViews>().AddSingleton<EventLog>();
        services.AddSingleton<Projector>();
        services.AddHostedService(provider => provider.GetRequiredService<Projector>());
        if (options.Cluster is null)
        {
            services.AddHostedService<Waker>(); // in a cluster its supervisor wakes, once for all nodes
        }
        services.AddSingleton<EntityFaults>();
        services.AddHostedService(provider => provider.GetRequiredService<EntityFaults>());
    }

    /// <param name="joins">Fingerprint of the authority by which hosts may join here; null: they may not.</param>
    static void AddApi(IServiceCollection services, NodeOptions options, TimeProvider time, string? joins)
    {
        var secrets = new Secrets(options.Data, RandomNumberGenerator.GetBytes, time);
        services.AddSingleton(options.Watch).AddSingleton(secrets.PageKey()).AddSingleton(secrets.Tokens());
        services.AddSingleton(provider => new JoinTokens(provider.GetRequiredService<PageKey>(), joins));
        services.AddSingleton<FailedLogins>().AddSingleton<PageTokens>().AddSingleton<Operations>().AddSingleton<Watchers>().AddSingleton<Drain>();
        services.AddSingleton<NewId>(() => Guid.CreateVersion7(time.GetUtcNow()));
        services.AddSingleton<AskEntity>(provider => provider.GetRequiredService<ShardedEntities>().Ask);
        services.AddSingleton<Door>();
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        services.AddOpenApi();
    }

    static void MapApi(WebApplication app, NodeOptions options)
    {
        // The agents' doors have the agents' services and nothing else, and the people's door has all but that.
        app.MapWhen(OverSocket, agents => agents.UseRouting().UseEndpoints(routes => routes.MapAgentGateway()));
        if (options.Agents is not null)
        {
            app.MapWhen(OverTls, agents => agents.UseRouting().UseEndpoints(routes =>
            {
                routes.MapAgentGateway();
                routes.MapAgentCertificates();
            }));
        }
        app.UseMiddleware<ProblemMiddleware>();
        app.Use(next => http => http.RequestServices.GetRequiredService<Drain>().Bound(http, next));
        app.UseRouting();
        app.UseMiddleware<AuthMiddleware>();
        HealthApi.Map(app);
        app.MapOpenApi();
        var v1 = app.MapGroup("/v1");
        HostsApi.Map(v1);
        JoinTokensApi.Map(v1);
        SwitchesApi.Map(v1);
        EdgesApi.Map(v1);
        VmsApi.Map(v1);
        MigrationsApi.Map(v1);
        OidsApi.Map(v1);
        HoldsApi.Map(v1);
        OperationsApi.Map(v1);
        EventsApi.Map(v1);
        WatchApi.Map(v1);
        AlarmsApi.Map(v1);
        ClusterApi.Map(v1);
    }

    static bool OverTls(HttpContext http) => http.Features.Get<CertifiedAgent>() is not null;

    static bool OverSocket(HttpContext http) =>
        http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionSocketFeature>()?.Socket.AddressFamily == AddressFamily.Unix;
}
