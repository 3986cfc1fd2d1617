using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.Persistence;
using Akka.TestKit;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Simulation.Shells;

/// <summary>The shell of production in a real actor system, on one thread, in virtual time, between a journal and a snapshot store that wait for their cue.</summary>
sealed class EngineShell : IShell, IEntityDoor, IAgentDoor, IDisposable
{
    readonly Pump _pump = new();
    readonly ActorSystem _system;
    readonly IActorRef _parent;
    readonly IActorRef _journal;
    readonly IActorRef _snapshots;
    readonly EntityId _id;
    readonly EntityServices _services;
    readonly Dictionary<string, Ear> _doors = new(StringComparer.Ordinal);

    public EngineShell(EntityId id, Func<EntityId, IEntityCore> newCore, ShellTimes times, TimeProvider clock)
    {
        _id = id;
        _services = new EntityServices(new CoreFactory(newCore), this, this, clock) { RetryEvery = times.RetryEvery, IdleAfter = times.IdleAfter };
        _system = ActorSystem.Create("shell", ConfigurationFactory.ParseString($$"""
            akka {
                loglevel = OFF
                stdout-loglevel = OFF
                scheduler.implementation = "{{typeof(TestScheduler).AssemblyQualifiedName}}"
                actor {
                    default-dispatcher { {{Dispatcher("off")}} }
                    internal-dispatcher { {{Dispatcher("off")}} }
                    mailbox.unbounded-deque-based.mailbox-type = "{{typeof(EntityMailbox).AssemblyQualifiedName}}"
                }
                entities { {{Dispatcher("on")}} }
                persistence {
                    journal { plugin = "akka.persistence.journal.cued", cued { class = "{{typeof(CuedJournal).AssemblyQualifiedName}}", plugin-dispatcher = "akka.actor.default-dispatcher" } }
                    snapshot-store { plugin = "akka.persistence.snapshot-store.cued", cued { class = "{{typeof(CuedSnapshots).AssemblyQualifiedName}}", plugin-dispatcher = "akka.actor.default-dispatcher" } }
                }
            }
            """));
        var persistence = Persistence.Instance.Apply(_system);
        (_journal, _snapshots) = (persistence.JournalFor(""), persistence.SnapshotStoreFor(""));
        _journal.Tell(Stage);
        _snapshots.Tell(Stage);
        _parent = _system.ActorOf(Props.Create(() => new Shard(Stage)));
        _system.EventStream.Subscribe(new Ear(_parent, message => Stage.Say(message is EntityFault(var entity, var kind, var reason) ? $"fault {entity} {kind} {reason}" : $"{message}")), typeof(EntityFault));
        _pump.Drain();
    }

    public Stage Stage { get; } = new();

    string Dispatcher(string last) =>
        $"type = Dispatcher, executor = \"{typeof(PumpConfigurator).AssemblyQualifiedName}\", pump = \"{_pump.Name}\", last = {last}, throughput = 1";

    TestScheduler Time => (TestScheduler)_system.Scheduler;

    public void Begin((object Snapshot, long Sequence)? offered, Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>> reading)
    {
        Stage.Begin(offered, reading);
        Tell(_parent, _services.PropsOf(_id).WithDispatcher("akka.entities"));
    }

    public void Recover()
    {
        Stage.Recovers();
        Tell(_snapshots, CuedSnapshots.Cue);
    }

    public void Hear(object message, string? door)
    {
        _parent.Tell(new ToEntity(message), door is null ? ActorRefs.NoSender : Door(door));
        _pump.Drain();
    }

    public void EndWrite(Fate fate) => Tell(_journal, fate);

    public void Pass(TimeSpan time)
    {
        Stage.Pass(time);
        Time.Advance(time);
        _pump.Drain();
    }

    public void Dispose()
    {
        _system.Terminate().Wait(TimeSpan.FromSeconds(20));
        _pump.Dispose();
    }

    void Tell(IActorRef to, object message)
    {
        to.Tell(message, ActorRefs.NoSender);
        _pump.Drain();
    }

    Ear Door(string name) => _doors.TryGetValue(name, out var door) ? door
        : _doors[name] = new Ear(_parent, answer => Stage.Respond(name, (Answer)answer));

    void IEntityDoor.Tell(Envelope envelope) => Stage.Tell(envelope);

    void IEntityDoor.Tell(Answer answer) => Stage.Tell(answer);

    void IEntityDoor.Wake(EntityId entity) => Stage.Say($"wakes {entity} now");

    void IEntityDoor.WakeLater(EntityId entity) => Stage.Say($"wakes {entity} later");

    void IAgentDoor.Drive(EntityId bridge, long session, DriverCommand command) => Stage.Say($"drives {bridge} {session} {command}");

    sealed record ToEntity(object Message);

    /// <summary>Hears at once, without a mailbox, so that the order of what is said is kept.</summary>
    sealed class Ear(IActorRef around, Action<object> hear) : MinimalActorRef
    {
        public override ActorPath Path { get; } = around.Path / "ear" / Guid.NewGuid().ToString("n");

        public override IActorRefProvider Provider => ((IInternalActorRef)around).Provider;

        protected override void TellInternal(object message, IActorRef sender) => hear(message);
    }

    /// <summary>The entity's parent.</summary>
    sealed class Shard(Stage stage) : UntypedActor
    {
        IActorRef _entity = ActorRefs.Nobody;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case Props entity:
                    _entity = Context.Watch(Context.ActorOf(entity));
                    break;
                case ToEntity(var word):
                    _entity.Tell(word, Sender);
                    break;
                case Passivate:
                    stage.Say("asks to leave memory");
                    break;
                case Terminated:
                    stage.Ended();
                    break;
                default:
                    Unhandled(message);
                    break;
            }
        }
    }
}
