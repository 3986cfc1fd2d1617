using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;
using Npgsql;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Who is there and who does what, as the node that is asked sees it.</summary>
static class ClusterApi
{
    public static void Map(RouteGroupBuilder v1) =>
        v1.MapGet("/cluster", Show).Produces<ClusterDocument>().WithSummary("Members, the supervisor, the lease, what is where, and how far behind the feed is");

    static async Task<IResult> Show(ClusterState cluster, Projector projector, IServiceProvider services, CancellationToken stop)
    {
        var members = cluster.Members();
        var (position, head) = (projector.Position, projector.Head);
        return Replies.Json(new ClusterDocument(
            cluster.Self,
            members.FirstOrDefault(member => member.Oldest)?.Address,
            await Held(services.GetService<LeaseTable>(), stop),
            [.. members.Select(member => new MemberDocument(
                member.Address, member.Id, member.Status, member.Reachable, member.Oldest, member.Leader))],
            [.. (await cluster.Regions()).Select(region => new RegionDocument(
                region.Region, [.. region.Nodes.Select(node => new RegionNodeDocument(node.Address, node.Shards, node.Entities))]))],
            new FeedDocument(Render.Text(position), Render.Text(head), Render.Text(Math.Max(0, head - position))),
            services.GetService<Membership>() is { } membership ? new WireDocument(membership.Wire, membership.WireMax) : new WireDocument(StoredNames.Wire, StoredNames.Wire)));
    }

    /// <summary>Null: nobody ever needed it, or the database does not say.</summary>
    static async Task<LeaseDocument?> Held(LeaseTable? leases, CancellationToken stop)
    {
        try
        {
            return leases is not null && await leases.Find(EndedPeers.Lease, stop) is { } row
                ? new LeaseDocument(row.Owner, Render.Text(row.Token), row.Left > TimeSpan.Zero, Math.Round(Math.Max(0, row.Left.TotalSeconds), 1))
                : null;
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException)
        {
            return null;
        }
    }
}
