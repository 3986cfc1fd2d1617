using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using ControlPlane.Host.Engine.Journal;
using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// Follows who is a member, and says so in the log; to the journal it says while one is out of reach. That a peer was removed goes
/// on record in the database, where the peer itself will see it; that this process was removed ends it.
/// </summary>
sealed partial class MemberWatch : ReceiveActor
{
    readonly Cluster _cluster = Cluster.Get(Context.System);
    readonly MemberTable _table;
    readonly Departure _departure;
    readonly ILogger _log;
    readonly HashSet<UniqueAddress> _unreachable = [];
    readonly YieldedEntities _yielded = JournalHealth.Of(Context.System).Yielded;

    public MemberWatch(MemberTable table, Departure departure, ILogger<MemberWatch> log)
    {
        (_table, _departure, _log) = (table, departure, log);
        Receive<ClusterEvent.MemberDowned>(downed => Out(downed.Member, "downed"));
        Receive<ClusterEvent.MemberRemoved>(removed =>
        {
            Out(removed.Member, "removed");
            Reached(removed.Member);
            if (removed.PreviousStatus == MemberStatus.Down)
            {
                Self.Tell(new Record(removed.Member.UniqueAddress));
            }
        });
        Receive<ClusterEvent.UnreachableMember>(lost =>
        {
            LogMember(_log, MemberTable.AddressOf(lost.Member.Address), "unreachable");
            _unreachable.Add(lost.Member.UniqueAddress);
            _yielded.Parted = true;
        });
        Receive<ClusterEvent.ReachableMember>(back =>
        {
            LogMember(_log, MemberTable.AddressOf(back.Member.Address), "reachable again");
            Reached(back.Member);
        });
        Receive<ClusterEvent.MemberUp>(up => LogMember(_log, MemberTable.AddressOf(up.Member.Address), "up"));
        Receive<ClusterEvent.MemberLeft>(left => LogMember(_log, MemberTable.AddressOf(left.Member.Address), "leaving"));
        Receive<ClusterEvent.IClusterDomainEvent>(_ => { });
        Receive<ThisActorSystemQuarantinedEvent>(told => departure.Now($"{told.RemoteAddress} has it in quarantine"));
        ReceiveAsync<Record>(Put);
    }

    protected override void PreStart()
    {
        // The state comes as events; what a former start of this actor knew is gone.
        _yielded.Parted = false;
        _cluster.Subscribe(
            Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    void Reached(Member member)
    {
        if (_unreachable.Remove(member.UniqueAddress) && _unreachable.Count == 0)
        {
            _yielded.Parted = false;
        }
    }

    void Out(Member member, string how)
    {
        if (member.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
        {
            _departure.Now($"it was {how}");
        }
        else
        {
            LogMember(_log, MemberTable.AddressOf(member.Address), how);
        }
    }

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

    [LoggerMessage(1, LogLevel.Information, "Node {Address} is {How}")]
    static partial void LogMember(ILogger logger, string address, string how);

    sealed record Record(UniqueAddress Removed) : INoSerializationVerificationNeeded;
}
