using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// A peer whose connection broke and whose address refuses new ones has ended: its machine says so, and nobody needs to wait
/// until its silence is suspicious. One that is frozen, cut off or without power refuses nothing; it is left to the failure
/// detector and the resolver. Should something on the way only pretend to refuse, on both sides of a partition, then the lease
/// still lets one side act.
/// </summary>
sealed partial class EndedPeers : ReceiveActor
{
    readonly Cluster _cluster = Cluster.Get(Context.System);
    readonly LeaseTable _leases;
    readonly ILogger _log;
    readonly HashSet<UniqueAddress> _knocking = [];

    public EndedPeers(LeaseTable leases, ILogger<EndedPeers> log)
    {
        (_leases, _log) = (leases, log);
        Receive<AssociationEvent>(broken => Suspect(broken.RemoteAddress));
        Receive<Verdict>(Judge);
    }

    /// <summary>The engine's name of the resolver's lease, so that only one of the two acts at a time.</summary>
    public const string Lease = $"{EngineOptions.SystemName}-akka-sbr";

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DisassociatedEvent));
        Context.System.EventStream.Subscribe(Self, typeof(AssociationErrorEvent));
    }

    void Suspect(Address? address)
    {
        var state = _cluster.State;
        if (state.Members.FirstOrDefault(member => member.Address.Equals(address)) is not { Status: MemberStatus.Up or MemberStatus.Joining } peer
            || peer.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
        {
            return;
        }
        // One of the others acts: the one that the resolver would call the leader without the peer.
        var actor = state.Members.Where(member => member.Status is MemberStatus.Up or MemberStatus.Leaving && !member.Equals(peer) && !state.Unreachable.Contains(member))
            .Min(Comparer<Member>.Create((a, b) => Member.AddressOrdering.Compare(a.Address, b.Address)));
        if (actor is not null && actor.UniqueAddress.Equals(_cluster.SelfUniqueAddress) && _knocking.Add(peer.UniqueAddress))
        {
            Knock(peer.UniqueAddress).PipeTo(Self);
        }
    }

    void Judge(Verdict verdict)
    {
        _knocking.Remove(verdict.Peer);
        if (verdict.Ended && _cluster.State.Members.Any(member => member.UniqueAddress.Equals(verdict.Peer)))
        {
            LogEnded(_log, MemberTable.AddressOf(verdict.Peer.Address));
            _cluster.Down(verdict.Peer.Address);
            // A member that is down is removed when somebody finds it unreachable. The failure detector needs two seconds for that; this
            // word, which the engine has for a process that never comes back, says it now.
            Context.System.EventStream.Publish(new QuarantinedEvent(verdict.Peer.Address, verdict.Peer.Uid));
        }
    }

    async Task<Verdict> Knock(UniqueAddress peer)
    {
        for (var knock = 0; knock < Numbers.KnocksAtEnded; knock++)
        {
            if (!await Refuses(peer.Address))
            {
                return new Verdict(peer, false);
            }
            await Task.Delay(Numbers.KnockAgain, TimeProvider.System);
        }
        try
        {
            // Not renewed and not given back: it runs out when the peer is out, and is on record as that.
            return new Verdict(peer, await _leases.Acquire(
                Lease, MemberTable.IdOf(_cluster.SelfUniqueAddress), Numbers.LeaseTtl, CancellationToken.None) is not null);
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException)
        {
            return new Verdict(peer, false);
        }
    }

    static async Task<bool> Refuses(Address address)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.Host, address.Port!.Value).WaitAsync(Numbers.KnockMax, TimeProvider.System);
            return false;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Node {Address} has ended: its address refuses connections")]
    static partial void LogEnded(ILogger logger, string address);

    sealed record Verdict(UniqueAddress Peer, bool Ended) : INoSerializationVerificationNeeded;
}
