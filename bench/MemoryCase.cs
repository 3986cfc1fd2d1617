using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;

namespace ControlPlane.Bench;

/// <summary>
/// What one resident idle entity weighs: managed bytes of many, after a full collection, with all that is kept for each.
/// Beside it, in the same process and the same way, what the engine itself takes: that is the floor.
/// </summary>
static class MemoryCase
{
    const int Entities = 10_000;

    /// <summary>Woken at once: as many as a door would let wait.</summary>
    const int AtOnce = 500;

    /// <summary>Bytes of each, by name: ours first.</summary>
    public static async Task<IReadOnlyList<(string Name, double Bytes)>> Run(BenchDatabase database)
    {
        await using var engine = await BenchEngine.Start(database);
        await engine.Ask(BenchEngine.Envelope(0, 0));
        var system = engine.System;
        var bare = await ClusterSharding.Get(system).StartAsync(
            "bare", id => Props.Create(() => new Bare(id)), ClusterShardingSettings.Create(system).WithPassivateIdleAfter(TimeSpan.Zero), new Extractor());
        await Ask(bare, new Ping("bare-first"));
        var parent = system.ActorOf(Props.Create(() => new Parent()));

        return
        [
            // Wakes entities that have nothing stored, as a read of the unknown does.
            ("an idle entity of ours", await Weigh(i => engine.Ask(BenchEngine.Envelope(i, 0) with { DryRun = true }))),
            ("an idle entity of ours that has stored one event", await Weigh(i => engine.Ask(BenchEngine.Envelope(Entities + i, 0)))),
            ("a bare ReceivePersistentActor, sharded", await Weigh(i => Ask(bare, new Ping($"bare-{i}")))),
            ("a bare ReceiveActor, child of one parent", await Weigh(i => Ask(parent, new Ping($"child-{i}")))),
        ];
    }

    static async Task<double> Weigh(Func<int, Task> wake)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var some in Enumerable.Range(1, Entities).Chunk(AtOnce))
        {
            await Task.WhenAll(some.Select(wake));
        }
        return (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / Entities;
    }

    static Task<Ping> Ask(IActorRef to, Ping ping) => to.Ask<Ping>(ping, BenchEngine.Patience);

    sealed record Ping(string To);

    sealed class Extractor() : HashCodeMessageExtractor(64)
    {
        public override string? EntityId(object message) => (message as Ping)?.To;
    }

    sealed class Bare : ReceivePersistentActor
    {
        public Bare(string id)
        {
            PersistenceId = id;
            Command<Ping>(ping => Sender.Tell(ping));
        }

        public override string PersistenceId { get; }
    }

    sealed class Parent : ReceiveActor
    {
        public Parent() => Receive<Ping>(ping => Context.ActorOf(Props.Create(() => new Child()), ping.To).Forward(ping));
    }

    sealed class Child : ReceiveActor
    {
        public Child() => Receive<Ping>(ping => Sender.Tell(ping));
    }
}
