using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.Persistence;

namespace ControlPlane.Bench;

/// <summary>
/// A node as one gets it without deciding anything: sharded persistent actors, the resolver's defaults (keep-majority), the
/// coordinator's state in the journal, the plugin's defaults.
/// </summary>
static class AkkaNode
{
    const string Name = "bench";
    const int Shards = 64;
    static readonly TimeSpan AskMax = TimeSpan.FromSeconds(1);

    /// <summary>Runs until it is killed.</summary>
    public static async Task Run(int port, int seed, string connection)
    {
        using var node = Start(port, seed, connection, out _);
        await node.WhenTerminated;
    }

    /// <summary>Kills one of three and answers how long each entity that was there did not answer.</summary>
    public static async Task<IReadOnlyList<TimeSpan>> Killed(string connection, int entities)
    {
        var ports = Enumerable.Range(0, 3).Select(_ => Tests.FreePorts.Next()).ToArray();
        using var first = Start(ports[0], ports[0], connection, out var region);
        var others = ports[1..].Select(port => Process.Start(Environment.ProcessPath!,
            [typeof(AkkaNode).Assembly.Location, "akka-node", $"{port}", $"{ports[0]}", connection])).ToList();
        try
        {
            await Until(async () => (await region.Ask<CurrentRegions>(GetCurrentRegions.Instance)).Regions.Count == ports.Length);
            var places = await Task.WhenAll(Enumerable.Range(0, entities).Select(async entity => (Entity: entity, At: await Ask(region, entity))));
            var victim = ports[^1];
            others[^1].Kill();
            await others[^1].WaitForExitAsync();
            var clock = Stopwatch.StartNew();
            return await Task.WhenAll(places.Where(place => place.At.EndsWith(string.Create(CultureInfo.InvariantCulture, $":{victim}"), StringComparison.Ordinal))
                .Select(async place =>
                {
                    await Ask(region, place.Entity);
                    return clock.Elapsed;
                }));
        }
        finally
        {
            foreach (var other in others)
            {
                other.Kill();
                other.Dispose();
            }
            await first.Terminate();
        }
    }

    static ActorSystem Start(int port, int seed, string connection, out IActorRef region)
    {
        var config = ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = cluster
              remote.dot-netty.tcp { hostname = "127.0.0.1", port = {{port}} }
              cluster {
                seed-nodes = ["akka.tcp://{{Name}}@127.0.0.1:{{seed}}"]
                downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
              }
            }
            """).WithFallback(PostgresBench.BareOn(connection));
        var system = ActorSystem.Create(Name, config.WithFallback(ClusterSharding.DefaultConfig()).WithFallback(Akka.Cluster.Tools.Singleton.ClusterSingleton.DefaultConfig()));
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        region = ClusterSharding.Get(system).Start(
            "entity", id => Props.Create(() => new Entity(id, address)), ClusterShardingSettings.Create(system),
            new Extractor());
        return system;
    }

    /// <summary>One change, asked again until it is stored; answers where.</summary>
    static async Task<string> Ask(IActorRef region, int entity)
    {
        while (true)
        {
            try
            {
                return await region.Ask<string>(new Change(string.Create(CultureInfo.InvariantCulture, $"entity-{entity}")), AskMax);
            }
            catch (AskTimeoutException)
            {
                // Again.
            }
        }
    }

    static async Task Until(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    public sealed record Change(string Entity);

    public sealed record Changed(int Nr);

    sealed class Extractor() : HashCodeMessageExtractor(Shards)
    {
        public override string EntityId(object message) => ((Change)message).Entity;
    }

    sealed class Entity : ReceivePersistentActor
    {
        int _changes;

        public Entity(string id, string address)
        {
            PersistenceId = id;
            Recover<Changed>(changed => _changes = changed.Nr);
            Command<Change>(_ => Persist(new Changed(_changes + 1), changed =>
            {
                _changes = changed.Nr;
                Sender.Tell(address);
            }));
        }

        public override string PersistenceId { get; }
    }
}
