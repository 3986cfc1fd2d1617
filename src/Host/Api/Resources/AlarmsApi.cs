using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Open alarms, and what an operator does about parked actors.</summary>
static class AlarmsApi
{
    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapGet("/alarms", List).Produces<Page<AlarmDocument>>().WithSummary("The open alarms, each with what to do");
        // An id has slashes, and nothing may follow a catch-all: the verb is read off its end.
        v1.MapPost("/actors/{**idAndVerb}", Unpark).Accepts<object>("application/json").Produces<UnparkedDocument>()
            .WithSummary("POST /v1/actors/{id}/unpark lets a parked actor work again");
    }

    static IResult List(HttpContext http, ReadTables tables, EntityFaults faults, NodeAlarms node, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        return Replies.Page(http, query, tokens, (after, limit) => Open(tables, [.. faults.Alarms, .. node.Open.Select(Row)], Key(after), limit), row => $"{row.Entity} {row.Code}", Render.Alarm);
    }

    /// <summary>What follows from events, and what this node alone knows, in one order.</summary>
    static IReadOnlyList<AlarmRow> Open(ReadTables tables, IReadOnlyList<AlarmRow> here, (string Entity, string Code)? after, int limit) =>
    [
        .. tables.Alarms(after, limit).Concat(here.Where(row => after is not { } last || Order(row, last) > 0))
            .OrderBy(row => row.Entity, StringComparer.Ordinal).ThenBy(row => row.Code, StringComparer.Ordinal).Take(limit),
    ];

    static AlarmRow Row(NodeAlarm alarm) =>
        new("node", alarm.Code, alarm.Critical ? "critical" : "warning", alarm.Since, alarm.Reason, alarm.Action);

    static int Order(AlarmRow row, (string Entity, string Code) last) => string.CompareOrdinal(row.Entity, last.Entity) is not 0 and var order
        ? order
        : string.CompareOrdinal(row.Code, last.Code);

    static (string, string)? Key(string? text) => text?.Split(' ') is [var entity, var code] ? (entity, code) : null;

    static async Task<IResult> Unpark(HttpContext http, string idAndVerb, Door door)
    {
        const string verb = "/unpark";
        if (!idAndVerb.EndsWith(verb, StringComparison.Ordinal))
        {
            return Problem.NotFound("route.unknown", "There is nothing at this path.").Result();
        }
        var query = new Query(http, "dryRun");
        var id = ApiNames.Entity(Uri.UnescapeDataString(idAndVerb[..^verb.Length]));
        var body = await Body.Read(http);
        var drop = body.TruthOrNull("drop") ?? throw body.Missing("drop");
        body.Done();
        var answer = await door.Change(http, query, id, new Unpark(drop), RequestKey.Required(http, body));
        return answer.Early(query) ?? Replies.Json(new UnparkedDocument(id.Text, drop));
    }
}
