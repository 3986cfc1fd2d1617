using Akka.Actor;
using Akka.Cluster;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Names an entity after another, in the order of ids, that still owes something; none: the walk is at its end.</summary>
/// <param name="stop">Ends the walk.</param>
delegate Task<IReadOnlyList<Messages.EntityId>> NextWithOpenWork(string after, int max, CancellationToken stop);

/// <summary>
/// One in the cluster, on its oldest node. Entities of a node that died wait until somebody speaks to them; those that owe
/// something would wait for ever. They are woken from the read tables, so many at a time, whenever a node was removed, and
/// slowly all the time: a node that was cut off may have stored something after that.
/// </summary>
sealed class ClusterSupervisor : ReceiveActor, IWithTimers, IDisposable
{
    readonly NextWithOpenWork _next;
    readonly IEntityDoor _entities;
    readonly CancellationTokenSource _stop = new();
    bool _walking;
    bool _again;

    public ClusterSupervisor(NextWithOpenWork next, IEntityDoor entities)
    {
        _next = next;
        _entities = entities;
        Receive<Walk>(_ => Begin());
        Receive<ClusterEvent.MemberRemoved>(_ => Begin());
        Receive<Page>(Wake);
        Receive<Status.Failure>(_ => End());
        Receive<ClusterEvent.IMemberEvent>(_ => { });
    }

    public const string Name = "cluster-supervisor";

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Cluster.Get(Context.System).Subscribe(
            Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberRemoved));
        Timers.StartPeriodicTimer(Walk.Instance, Walk.Instance, TimeSpan.Zero, Numbers.WalkEvery);
    }

    protected override void PostStop()
    {
        Cluster.Get(Context.System).Unsubscribe(Self);
        _stop.Cancel();
        Dispose();
    }

    public void Dispose() => _stop.Dispose();

    void Begin()
    {
        _again = _walking;
        if (!_walking)
        {
            _walking = true;
            Ask("");
        }
    }

    void Wake(Page page)
    {
        foreach (var entity in page.Entities)
        {
            _entities.Wake(entity);
        }
        if (page.Entities.Count < Numbers.WalkStep)
        {
            End();
        }
        else
        {
            Ask(page.Entities[^1].Text, Numbers.WalkStepEvery);
        }
    }

    void End()
    {
        _walking = false;
        if (_again)
        {
            Begin();
        }
    }

    void Ask(string after, TimeSpan pause = default) => Read(after, pause, _stop.Token).PipeTo(Self);

    async Task<Page> Read(string after, TimeSpan pause, CancellationToken stop)
    {
        await Task.Delay(pause, TimeProvider.System, stop);
        return new Page(await _next(after, Numbers.WalkStep, stop));
    }

    sealed record Page(IReadOnlyList<Messages.EntityId> Entities) : INoSerializationVerificationNeeded;

    sealed class Walk : INoSerializationVerificationNeeded
    {
        public static readonly Walk Instance = new();
    }
}
