using Akka.Actor;
using Akka.Cluster;
using ControlPlane.Messages;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// Tells a node that is cut from the database from a database that is away: it asks its peers. Cut off alone, it can store
/// nothing and keeps its entities from those that could, so it ends, and is started again; away for all, it stays, as there
/// is nobody to leave its entities to. One word of a peer is not enough: when a database comes back somebody has it first.
/// </summary>
sealed class DatabaseWitness : ReceiveActor, IWithTimers
{
    public const string Name = "database-witness";

    readonly Func<TimeSpan> _silent;
    readonly Departure _departure;
    readonly Cluster _cluster = Cluster.Get(Context.System);
    readonly CutOff _cutOff = new();

    /// <param name="silent">Since the database last answered this node.</param>
    public DatabaseWitness(Func<TimeSpan> silent, Departure departure)
    {
        _silent = silent;
        _departure = departure;
        Receive<AskDatabase>(_ => Sender.Tell(new DatabaseSeen((long)_silent().TotalMilliseconds), Self));
        Receive<DatabaseSeen>(Hear);
        Receive<Look>(_ => AskPeers());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(Look.Instance, Look.Instance, Numbers.HeartbeatEvery);

    void AskPeers()
    {
        if (!_cutOff.Look(_silent()))
        {
            return;
        }
        foreach (var member in _cluster.State.Members.Where(member => !member.UniqueAddress.Equals(_cluster.SelfUniqueAddress)))
        {
            Context.ActorSelection(new RootActorPath(member.Address) / "user" / Name).Tell(new AskDatabase(), Self);
        }
    }

    void Hear(DatabaseSeen peer)
    {
        var silent = _silent();
        if (_cutOff.Hear(silent, TimeSpan.FromMilliseconds(peer.MillisecondsAgo)))
        {
            _departure.Now($"the database has not answered it for {silent.TotalSeconds:0.0} s, and answers {Sender.Path.Address.Host}:{Sender.Path.Address.Port}");
        }
    }

    sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}
