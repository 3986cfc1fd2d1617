using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// Follows who is a member. That a peer was removed goes on record in the database, where the peer itself will see it; that
/// this process was removed ends it.
/// </summary>
sealed class MemberWatch : ReceiveActor
{
    readonly MemberTable _table;

    public MemberWatch(MemberTable table, Departure departure)
    {
        _table = table;
        var self = Cluster.Get(Context.System).SelfUniqueAddress;
        Receive<ClusterEvent.MemberDowned>(
            downed => downed.Member.UniqueAddress.Equals(self), _ => departure.Now("it was downed"));
        Receive<ClusterEvent.MemberRemoved>(
            removed => removed.Member.UniqueAddress.Equals(self), _ => departure.Now("it was removed"));
        Receive<ClusterEvent.MemberRemoved>(
            removed => removed.PreviousStatus == MemberStatus.Down, removed => Self.Tell(new Record(removed.Member.UniqueAddress)));
        Receive<ThisActorSystemQuarantinedEvent>(
            told => departure.Now($"{told.RemoteAddress} has it in quarantine"));
        ReceiveAsync<Record>(Put);
        Receive<ClusterEvent.IMemberEvent>(_ => { });
    }

    protected override void PreStart()
    {
        Cluster.Get(Context.System).Subscribe(
            Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
    }

    protected override void PostStop() => Cluster.Get(Context.System).Unsubscribe(Self);

    /// <summary>Tried until it is written: without it the one that was removed could take the lease once it is free.</summary>
    async Task Put(Record record)
    {
        var (self, scheduler) = (Self, Context.System.Scheduler);
        try
        {
            await _table.Remove(MemberTable.AddressOf(record.Removed.Address), record.Removed.Uid, CancellationToken.None);
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException)
        {
            scheduler.ScheduleTellOnce(Numbers.HeartbeatEvery, self, record, ActorRefs.NoSender);
        }
    }

    sealed record Record(UniqueAddress Removed) : INoSerializationVerificationNeeded;
}
