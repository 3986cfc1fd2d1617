using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Hosting;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>A member as this node sees it.</summary>
sealed record MemberState(string Address, string Id, string Status, bool Reachable, bool Oldest, bool Leader);

/// <summary>What of a region is on which node.</summary>
sealed record RegionState(string Region, IReadOnlyList<RegionNode> Nodes);

sealed record RegionNode(string Address, IReadOnlyList<string> Shards, int Entities);

/// <summary>The cluster as this node sees it, for people who look.</summary>
sealed class ClusterState(Func<ActorSystem> system)
{
    /// <summary>Nodes that do not answer in this time are not shown; one that was killed is asked in vain until it is removed.</summary>
    static readonly TimeSpan AskMax = TimeSpan.FromSeconds(2);

    public string Self => MemberTable.AddressOf(Cluster.Get(system()).SelfAddress);

    /// <summary>Oldest first: the first of those that are up has the supervisor and the coordinators.</summary>
    public IReadOnlyList<MemberState> Members()
    {
        var state = Cluster.Get(system()).State;
        var byAge = state.Members.OrderBy(member => member, Comparer<Member>.Create((a, b) => a.Equals(b) ? 0 : a.IsOlderThan(b) ? -1 : 1)).ToList();
        var oldest = byAge.Find(member => member.Status == MemberStatus.Up);
        return [.. byAge.Select(member => new MemberState(
            MemberTable.AddressOf(member.Address), MemberTable.IdOf(member.UniqueAddress), Word(member.Status), !state.Unreachable.Contains(member),
            member.Equals(oldest), member.Address.Equals(state.Leader)))];
    }

    public async Task<IReadOnlyList<RegionState>> Regions()
    {
        var regions = ActorRegistry.For(system());
        return await Task.WhenAll(Of(ShardIds.HostRegion, regions.Get<HostRegion>()), Of(ShardIds.VmRegion, regions.Get<VmRegion>()));
    }

    async Task<RegionState> Of(string name, IActorRef region)
    {
        try
        {
            var stats = await region.Ask<ClusterShardingStats>(new GetClusterShardingStats(AskMax), AskMax * 2);
            return new RegionState(name, [.. stats.Regions.Select(node => new RegionNode(
                MemberTable.AddressOf(Full(node.Key)), [.. node.Value.Stats.Keys.OrderBy(int.Parse)], node.Value.Stats.Values.Sum()))
                .OrderBy(node => node.Address, StringComparer.Ordinal)]);
        }
        catch (AskTimeoutException)
        {
            return new RegionState(name, []);
        }
    }

    /// <summary>A node names itself without its address.</summary>
    Address Full(Address address) => address.HasGlobalScope ? address : Cluster.Get(system()).SelfAddress;

    static string Word(MemberStatus status) => status switch
    {
        MemberStatus.Joining => "joining",
        MemberStatus.Up => "up",
        MemberStatus.Leaving => "leaving",
        MemberStatus.Exiting => "exiting",
        MemberStatus.Down => "down",
        MemberStatus.Removed => "removed",
        MemberStatus.WeaklyUp => "weakly-up",
        _ => "unknown",
    };
}
