using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Cluster.Hosting;
using Akka.Cluster.Hosting.SBR;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.Hosting;
using Akka.Remote.Hosting;
using Akka.Remote.Transport.DotNetty;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ControlPlane.Host.Engine;

/// <summary>What differs between engines.</summary>
/// <param name="Journal">Which journal and snapshot store.</param>
sealed record EngineOptions(Config Journal)
{
    public const string SystemName = "controlplane";

    /// <summary>Where other nodes reach this one. One node alone is a cluster of one on its loopback.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>0: any free one.</summary>
    public int Port { get; init; }

    /// <summary>HOST:PORT of nodes to join, the first of which begins the cluster; none: the database tells who is there.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>By which nodes find each other and settle who goes on. Null: this node is a cluster of one.</summary>
    public ClusterDatabase? Cluster { get; init; }

    /// <summary>Nodes show and check certificates on every connection. Null: in the clear, for one machine alone.</summary>
    public NodeCertificate? Certificate { get; init; }

    /// <summary>Where the cluster's supervisor finds who owes something. Null: there is none.</summary>
    public Func<IServiceProvider, NextWithOpenWork>? OpenWork { get; init; }

    /// <summary>False while the journal is away.</summary>
    public Func<bool> JournalIsOpen { get; init; } = () => true;

    /// <summary>Set-ups of plugins, such as the journal's wiring.</summary>
    public IReadOnlyList<Setup> Setups { get; init; } = [];

    /// <summary>Only tests choose other lifecycles.</summary>
    public CoreFactory NewCore { get; init; } = EntityKinds.NewCore;
}

/// <summary>The actor system, set up once and in the open: remoting, cluster, two sharding regions, one serializer.</summary>
static class EngineSetup
{
    /// <summary>
    /// Adds the engine and <see cref="ShardedEntities"/>. <see cref="IAgentDoor"/> and <see cref="TimeProvider"/> are the
    /// host's to add.
    /// </summary>
    public static IServiceCollection AddEngine(this IServiceCollection services, EngineOptions options)
    {
        services.AddSingleton(provider => new ShardedEntities(
            provider.GetRequiredService<ActorSystem>, provider.GetRequiredService<TimeProvider>(), options.JournalIsOpen,
            () => options.Cluster is null ? StoredNames.Wire : provider.GetRequiredService<Membership>().Wire));
        services.AddSingleton<IEntityDoor>(provider => provider.GetRequiredService<ShardedEntities>());
        services.AddSingleton(provider => new EntityServices(
            options.NewCore, provider.GetRequiredService<IEntityDoor>(), provider.GetRequiredService<IAgentDoor>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ClusterState(provider.GetRequiredService<ActorSystem>));
        if (options.Cluster is { } cluster)
        {
            AddCluster(services, cluster, new SeedNodes(options.Seeds, options.Certificate?.Own.NotAfter));
        }
        return services.AddAkka(EngineOptions.SystemName, (akka, provider) => Configure(akka, provider, options));
    }

    /// <summary>Before the actor system, so that it stops after it: a process is on record until it has left.</summary>
    static void AddCluster(IServiceCollection services, ClusterDatabase cluster, SeedNodes seeds)
    {
        services.AddSingleton(cluster).AddSingleton<MemberTable>().AddSingleton<LeaseTable>();
        services.TryAddSingleton<Departure>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Membership>(
            provider, (Func<ActorSystem>)provider.GetRequiredService<ActorSystem>, seeds));
        services.AddHostedService(provider => provider.GetRequiredService<Membership>());
        services.AddHostedService<PauseWatch>();
    }

    static void Configure(AkkaConfigurationBuilder akka, IServiceProvider provider, EngineOptions options)
    {
        foreach (var setup in options.Setups)
        {
            akka.AddSetup(setup);
        }
        akka.AddHocon(options.Journal, HoconAddMode.Prepend)
            .AddHocon(ConfigurationFactory.ParseString(Numbers.Hocon), HoconAddMode.Prepend)
            .ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLoggerFactory();
                loggers.LogLevel = Akka.Event.LogLevel.WarningLevel;
            })
            .WithCustomSerializer("words", WordsSerializer.Bound, system => new WordsSerializer(system))
            .WithRemoting(options.Address, options.Port)
            .WithClustering(Membership(options));
        if (options.Certificate is { } certificate)
        {
            akka.AddHocon("akka.remote.dot-netty.tcp.enable-ssl = on", HoconAddMode.Prepend);
            akka.AddSetup(new DotNettySslSetup(
                certificate.Own, suppressValidation: false, requireMutualAuthentication: true, validateCertificateHostname: false,
                (peer, _, address, _, _) => PeerCheck.LetsIn(certificate, peer, address, provider.GetRequiredService<ILogger<PeerCheck>>())));
            if (options.Cluster is not null)
            {
                akka.AddStartup((system, _) => PeerCheck.Watch(system, provider.GetRequiredService<Departure>()));
            }
        }
        Func<string, Props> props = id => provider.GetRequiredService<EntityServices>().PropsOf(EntityId.Parse(id)!.Value);
        akka.WithShardRegion<HostRegion>(ShardIds.HostRegion, props, new EntityMessageExtractor(), Sharding())
            .WithShardRegion<VmRegion>(ShardIds.VmRegion, props, new EntityMessageExtractor(), Sharding());
        if (options.Cluster is null)
        {
            akka.AddStartup((system, _) =>
            {
                var cluster = Cluster.Get(system);
                cluster.Join(cluster.SelfAddress);
            });
            return;
        }
        // While members differ in it the engine moves no shard for balance alone.
        akka.AddHocon(string.Create(CultureInfo.InvariantCulture, $"akka.cluster.app-version = \"{options.Cluster.Wire}.0.0\""), HoconAddMode.Prepend);
        akka.AddSetup(new LeaseWiring(provider.GetRequiredService<LeaseTable>(), provider.GetRequiredService<TimeProvider>()));
        var (table, departure, membership) = (
            provider.GetRequiredService<MemberTable>(), provider.GetRequiredService<Departure>(), provider.GetRequiredService<Membership>());
        akka.WithActors((system, _) =>
        {
            var log = provider.GetRequiredService<ILogger<MemberWatch>>();
            system.ActorOf(Props.Create(() => new MemberWatch(table, departure, log)), "member-watch");
            var (leases, ended) = (provider.GetRequiredService<LeaseTable>(), provider.GetRequiredService<ILogger<EndedPeers>>());
            system.ActorOf(Props.Create(() => new EndedPeers(leases, ended)), "ended-peers");
            system.ActorOf(Props.Create(() => new DatabaseWitness(() => membership.DatabaseSilent, departure)), DatabaseWitness.Name);
        });
        if (options.OpenWork is { } openWork)
        {
            // Made when the system is there: what it needs needs the system.
            akka.WithSingleton<ClusterSupervisor>(
                ClusterSupervisor.Name,
                (_, _, _) =>
                {
                    var (next, entities) = (openWork(provider), provider.GetRequiredService<IEntityDoor>());
                    return Props.Create(() => new ClusterSupervisor(next, entities));
                },
                createProxyToo: false);
        }
    }

    static ClusterOptions Membership(EngineOptions options) => options.Cluster is null
        ? new ClusterOptions()
        : new ClusterOptions
        {
            SeedNodes = [.. options.Seeds.Select(seed => $"akka.{(options.Certificate is null ? "" : "ssl.")}tcp://{EngineOptions.SystemName}@{seed}")],
            FailureDetector = Numbers.FailureDetector,
            SplitBrainResolver = new LeaseMajorityOption { LeaseImplementation = new DatabaseLeaseOption() },
        };

    /// <summary>Where a shard lives is found anew after a loss, and entities say themselves when they are idle.</summary>
    static ShardOptions Sharding() => new()
    {
        StateStoreMode = StateStoreMode.DData,
        RememberEntities = false,
        ShouldPassivateIdleEntities = false,
        HandOffStopMessage = EntityStop.Instance,
    };
}
