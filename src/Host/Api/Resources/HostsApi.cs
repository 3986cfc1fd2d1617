using ControlPlane.Actors.Bridge;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Hosts as their bridges know them; and, on simulated hosts, faults to plant.</summary>
static class HostsApi
{
    const int FaultTimesMax = 1_000_000;

    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapGet("/hosts", List).Produces<Page<HostDocument>>().WithSummary("The hosts");
        v1.MapGet("/hosts/{host}", Get).Produces<HostDocument>().WithSummary("One host, now or at a time");
        v1.MapGet("/hosts/{host}/history", (HttpContext http, string host, EventLog log, PageTokens tokens) =>
            EventsApi.History(http, EntityId.Bridge(ApiNames.Host(host)), log, tokens)).Produces<Page<EventDocument>>().WithSummary("The host's events");
        HostLossApi.Map(v1);
        v1.MapPost("/hosts/{host}/faults", PlantFault).Accepts<object>("application/json").Produces<FaultDocument>()
            .WithSummary("Simulated hosts: the next commands with a verb fail");
    }

    static IResult List(HttpContext http, ReadTables tables, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        return Replies.Page(http, query, tokens, (after, limit) => tables.List("bridge", null, null, after, limit), view => view.Id.Text,
            view => Render.Host(view, tables.Counts(view.Id.Parts[0])));
    }

    static IResult Get(HttpContext http, string host, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var id = EntityId.Bridge(ApiNames.Host(host));
        return Replies.Find(query, tables, past, id) is { } view
            ? Replies.Shown(http, view, HostLossApi.Whole(Render.Host(view, tables.Counts(host)), tables, host))
            : Problem.NotFound("host.unknown", $"There is no host {host}.").Result();
    }

    static async Task<IResult> PlantFault(HttpContext http, string host, ReadTables tables, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = EntityId.Bridge(ApiNames.Host(host));
        var body = (await Body.Read(http))!;
        var verb = body.TextOrNull("verb", 64) is { } word && Enum.TryParse<DriverVerb>(word, ignoreCase: true, out var known) && !char.IsDigit(word[0])
            ? known
            : throw body.Wrong("fault.verb", $"verb is one of {string.Join(", ", Enum.GetNames<DriverVerb>())}.", "verb");
        var status = NdisStatusNames.Parse(body.Text("status", 64)) ?? throw body.Wrong("fault.status", "status is the name of an NDIS status.", "status");
        var times = (int)(body.NumberOrNull("times", 1, FaultTimesMax) ?? 1);
        body.Done();
        var key = RequestKey.Required(http, body);
        if (!door.Settled(query, key) && NotSimulated(tables, host) is { } refused)
        {
            return refused;
        }
        var command = new DriverCommand($"door>{key.Id}", DriverVerb.PlantFault, "", Fault: new PlantedFault(verb, status, times));
        var answer = await door.Change(http, query, id, new IssueCommand(command), key);
        return answer.Early(query) ?? (answer.Reply is CommandDone { Completion: var completion }
            ? Replies.Json(new FaultDocument(completion.CommandId, completion.Status.Name()))
            : Replies.Json(new FaultDocument(command.CommandId, NdisStatus.Pending.Name())));
    }

    /// <summary>A refusal unless the host is known and simulated.</summary>
    public static IResult? NotSimulated(ReadTables tables, string host) => tables.Present(EntityId.Bridge(host))?.State switch
    {
        BridgeState { Driver: "simulated" } => null,
        BridgeState bridge => Problem.Of(Refusal.Illegal(
            "host.not-simulated", $"Host {host} runs the {bridge.Driver} data path; this is for simulated hosts.", "api.md 4", bridge.Driver)).Result(),
        _ => Problem.NotFound("host.unknown", $"There is no host {host}.").Result(),
    };
}
