using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>One actor system over a journal file that the test opened; several may share one file.</summary>
sealed class JournalNode : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    JournalNode(ActorSystem system, Faults faults)
    {
        System = system;
        Faults = faults;
    }

    public ActorSystem System { get; }

    public Faults Faults { get; }

    public JournalHealth Health => JournalHealth.Of(System);

    public static Task<JournalNode> Start(JournalFile file, JournalLimits? limits = null, Faults? faults = null, string hocon = "") =>
        Start(JournalSettings.Sqlite(file), new JournalWiring { Limits = limits ?? JournalLimits.Default, Faults = faults ?? new Faults() }, hocon);

    public static async Task<JournalNode> Start(Config journal, JournalWiring wiring, string hocon)
    {
        var config = ConfigurationFactory.ParseString(hocon + "\nakka.loglevel = OFF\nakka.stdout-loglevel = OFF").WithFallback(journal);
        var words = SerializationSetup.Create(actors => [SerializerDetails.Create("words", new WordsSerializer(actors), [.. WordsSerializer.Bound])]);
        var system = ActorSystem.Create("journal", BootstrapSetup.Create().WithConfig(config).And(wiring).And(words));
        var node = new JournalNode(system, (Faults)wiring.Faults);
        await node.Ready();
        return node;
    }

    public IActorRef Entity(string id, string? name = null) =>
        System.ActorOf(Props.Create(() => new TestEntity(id)), name);

    public static async Task<Answer> Append(IActorRef entity, params object[] events) =>
        await entity.Ask<Answer>(new TestEntity.Append(events), Patience);

    public static async Task<Answer> Append(IActorRef entity, string text) => await Append(entity, new Happened(text));

    public static async Task<string[]> Read(IActorRef entity) => await entity.Ask<string[]>(new TestEntity.Read(), Patience);

    public async Task<string[]> ReadFresh(string id) => await Read(Entity(id));

    /// <summary>Stops the entity and waits until it is gone.</summary>
    public static async Task Stop(IActorRef entity) => Assert.True(await entity.GracefulStop(Patience));

    public static async Task Until(Func<bool> condition)
    {
        using var giveUp = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(5, giveUp.Token);
        }
    }

    public async ValueTask DisposeAsync() => await System.Terminate();

    /// <summary>The journal has its tables and its writer.</summary>
    async Task Ready()
    {
        var entity = Entity("warm-up");
        await Append(entity, "ready");
        await Stop(entity);
    }
}
