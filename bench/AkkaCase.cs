using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Bench;

/// <summary>A thousand bare persistent actors, each with one <c>Persist</c> open at a time, over a given journal.</summary>
abstract class AkkaCase(string name, int perEntity) : IBenchCase
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Name => name;

    /// <summary>Of requests that are open at once, milliseconds.</summary>
    public List<double> AtOnce { get; private set; } = [];

    public async Task<Measured> Run(BenchDatabase database)
    {
        var config = ConfigurationFactory.ParseString("akka.loglevel = WARNING").WithFallback(Journal(database));
        using var system = ActorSystem.Create("bench", BootstrapSetup.Create().WithConfig(config).And(database.Wiring()));
        var started = Stopwatch.GetTimestamp();
        IActorRef[] writers = [.. Enumerable.Range(0, Load.Entities).Select(i => system.ActorOf(Props.Create(() => new Writer(i))))];
        await Task.WhenAll(writers.Select(writer => writer.Ask<Done>(Ping.Instance, Patience)));
        var starting = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await Task.WhenAll(writers.Select(writer => writer.Ask<Done>(new Write(1), Patience)));

        var commits = JournalHealth.Of(system).Commits;
        var watch = Stopwatch.GetTimestamp();
        await Task.WhenAll(writers.Select(writer => writer.Ask<Done>(new Write(perEntity), Patience)));
        var seconds = Stopwatch.GetElapsedTime(watch).TotalSeconds;
        commits = JournalHealth.Of(system).Commits - commits;
        AtOnce = await Latencies.AtOnce((caller, _) => writers[caller].Ask<Done>(new Write(1), Patience));
        await system.Terminate();
        return new Measured(Load.Events(perEntity), seconds, commits == 0 ? null : commits, Load.Entities / starting);
    }

    protected abstract Config Journal(BenchDatabase database);

    sealed record Write(int Events);

    sealed record Ping
    {
        public static readonly Ping Instance = new();
    }

    sealed record Done
    {
        public static readonly Done Instance = new();
    }

    sealed class Writer : ReceivePersistentActor
    {
        public Writer(int entity)
        {
            PersistenceId = Load.EntityId(entity);
            Recover<BenchEvent>(_ => { });
            Command<Ping>(_ => Sender.Tell(Done.Instance));
            Command<Write>(write => Next(entity, write.Events));
        }

        public override string PersistenceId { get; }

        // The next event is decided only when the last one is stored, as in an entity that stores before it speaks.
        void Next(int entity, int left) => Persist(Load.Event(entity, left), _ =>
        {
            if (left > 1)
            {
                Next(entity, left - 1);
            }
            else
            {
                Sender.Tell(Done.Instance);
            }
        });
    }
}

/// <summary>The plugin as it comes: its own journal class with its own queue, batches and three writers.</summary>
sealed class BareCase(int perEntity) : AkkaCase("bare Akka.Persistence.Sql, plugin defaults", perEntity)
{
    protected override Config Journal(BenchDatabase database) => database.Bare;
}

/// <summary>The same actors over our write path.</summary>
sealed class FencedCase(int perEntity) : AkkaCase("the same actors over FencedSqlJournal", perEntity)
{
    protected override Config Journal(BenchDatabase database) => database.Ours;
}
