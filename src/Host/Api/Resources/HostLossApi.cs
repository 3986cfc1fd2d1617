using ControlPlane.Actors.Switches;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Security;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Hosts that never return (api.md 3), and what a host has lost and has too much of.</summary>
static class HostLossApi
{
    const int PageMax = 1_000;

    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapDelete("/hosts/{host}", Delete).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Gives up a host that never returns: with force its objects end as lost");
        v1.MapPost("/hosts/{host}/readmit", Readmit).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Lets a host that was given up open sessions again");
    }

    static async Task<IResult> Delete(HttpContext http, string host, ReadTables tables, Door door)
    {
        var query = new Query(http, "force", "dryRun");
        var id = EntityId.Bridge(ApiNames.Host(host));
        var body = await Body.ReadOptional(http);
        body?.Done();
        var (key, force) = (RequestKey.Optional(http, body), query.Truth("force"));
        if (NotAdmin(http) is { } refused)
        {
            return refused;
        }
        if (!force && !door.Settled(query, key) && tables.Counts(host) is { Switches: var switches, Ports: var ports, Vms: var vms } && switches + ports + vms > 0)
        {
            return Problem.Of(Refusal.Illegal("host.delete.in-use",
                $"Host {host} has {switches} switches, {ports} ports and {vms} VMs; with force=true switches and ports end as lost and the VMs are stopped.",
                "api.md 3", "in use")).Result();
        }
        var answer = await door.Change(http, query, id, new RemoveHost(force), key);
        return answer.Early(query) ?? Results.NoContent();
    }

    static async Task<IResult> Readmit(HttpContext http, string host, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = EntityId.Bridge(ApiNames.Host(host));
        var body = await Body.ReadOptional(http);
        body?.Done();
        if (NotAdmin(http) is { } refused)
        {
            return refused;
        }
        var answer = await door.Change(http, query, id, new ReadmitHost(), RequestKey.Required(http, body));
        return answer.Early(query) ?? Results.NoContent();
    }

    /// <summary>The document of one host, with what its switches say of it.</summary>
    public static HostDocument Whole(HostDocument document, ReadTables tables, string host)
    {
        var (lost, discovered, after) = (0L, 0L, (string?)null);
        IReadOnlyList<Actors.Projections.EntityView> page;
        do
        {
            page = tables.List("switch", host, null, after, PageMax);
            foreach (var here in page.Select(view => view.State).OfType<SwitchState.Here>())
            {
                lost += here.Lost;
                discovered += here.Discovered.Count + here.NotRecorded;
            }
            after = page.Count > 0 ? page[^1].Id.Text : null;
        }
        while (page.Count == PageMax);
        return document with { Lost = lost, Discovered = discovered };
    }

    static IResult? NotAdmin(HttpContext http) => http.Caller().Role < Role.Admin
        ? new Problem(StatusCodes.Status403Forbidden, "auth.role", "This is not yours to do.", "Only an admin gives up a host, or admits it again.").Result()
        : null;
}
