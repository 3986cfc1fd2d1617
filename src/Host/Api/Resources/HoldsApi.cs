using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>References on ports and NICs, status indications, and what is in flight on simulated hosts (api.md 4).</summary>
static class HoldsApi
{
    const int TextMax = 256;
    const int InFlightMax = 1_000_000_000;

    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapPost("/hosts/{host}/switches/{name}/holds", Take).Accepts<object>("application/json").Produces<HoldDocument>(StatusCodes.Status201Created)
            .WithSummary("References a port or NIC: it cannot be deleted before the hold is released");
        v1.MapDelete("/hosts/{host}/switches/{name}/holds/{id}", Release).Produces(StatusCodes.Status204NoContent).WithSummary("Releases a hold");
        v1.MapPost("/hosts/{host}/switches/{name}/inflight", SetInFlight).Accepts<object>("application/json").Produces<InFlightDocument>()
            .WithSummary("Simulated hosts: sets what is in flight");
        v1.MapPost("/hosts/{host}/switches/{name}/statuses", Indicate).Accepts<object>("application/json").Produces<StatusDocument>()
            .WithSummary("Indicates a status for a NIC");
    }

    static async Task<IResult> Take(HttpContext http, string host, string name, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var holder = body.Text("holder", TextMax);
        if (holder.Length == 0 || holder.Any(char.IsControl))
        {
            throw body.Wrong("hold.holder", "holder names who holds it.", "holder");
        }
        var target = body.ObjectOrNull("target") ?? throw body.Missing("target");
        var portId = (uint)target.Number("portId", 0, uint.MaxValue);
        var nicIndex = (int?)target.NumberOrNull("nicIndex", 0, ushort.MaxValue);
        target.Done();
        var purpose = body.TextOrNull("purpose", TextMax) ?? "";
        body.Done();
        var key = RequestKey.Required(http, body);
        var answer = await door.Change(http, query, id, new TakeHoldAt(key.Id, holder, portId, nicIndex, purpose), key);
        if (answer.Early(query) is { } early)
        {
            return early;
        }
        http.Response.Headers.Location = $"/v1/hosts/{host}/switches/{name}/holds/{key.Id}";
        return Replies.Json(new HoldDocument(key.Id), StatusCodes.Status201Created);
    }

    static async Task<IResult> Release(HttpContext http, string host, string name, string id, Door door)
    {
        var query = new Query(http, "dryRun");
        var on = SwitchesApi.Id(host, name);
        var body = await Body.ReadOptional(http);
        body?.Done();
        if (id.Length > TextMax)
        {
            return Problem.NotFound("hold.unknown", "There is no such hold; each is released once.").Result();
        }
        var answer = await door.Change(http, query, on, new ReleaseHoldAt(id), RequestKey.Optional(http, body));
        return answer.Early(query) ?? Results.NoContent();
    }

    static async Task<IResult> SetInFlight(HttpContext http, string host, string name, ReadTables tables, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var portId = (uint)body.Number("portId", 0, uint.MaxValue);
        var nicIndex = (int?)body.NumberOrNull("nicIndex", 0, ushort.MaxValue);
        var (packets, oids) = ((int)(body.NumberOrNull("packets", 0, InFlightMax) ?? 0), (int)(body.NumberOrNull("oids", 0, InFlightMax) ?? 0));
        body.Done();
        var key = RequestKey.Required(http, body);
        if (!door.Settled(query, key) && HostsApi.NotSimulated(tables, host) is { } refused)
        {
            return refused;
        }
        var answer = await door.Change(http, query, id, new SetInFlightAt(portId, nicIndex, packets, oids), key);
        return answer.Early(query) ?? Replies.Json(new InFlightDocument(packets, oids));
    }

    static async Task<IResult> Indicate(HttpContext http, string host, string name, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var portId = (uint)body.Number("portId", 0, uint.MaxValue);
        var nicIndex = (int)(body.NumberOrNull("nicIndex", 0, ushort.MaxValue) ?? 0);
        var status = body.Text("status", TextMax);
        body.Done();
        var answer = await door.Change(http, query, id, new IndicateStatusAt(portId, nicIndex, status), RequestKey.Required(http, body));
        return answer.Early(query) ?? Replies.Json(new StatusDocument(true));
    }
}
