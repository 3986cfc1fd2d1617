using System.Globalization;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>The recorded history: of one thing, or of everything.</summary>
static class EventsApi
{
    public static void Map(RouteGroupBuilder v1) =>
        v1.MapGet("/events", All).Produces<Page<EventDocument>>().WithSummary("Searches the recorded history");

    /// <summary>The events of one entity, oldest first; also of one that is gone.</summary>
    public static IResult History(HttpContext http, EntityId id, EventLog log, PageTokens tokens)
    {
        var query = new Query(http, "from", "to", "limit", "pageToken");
        return Listed(http, query, new EventFilter(id.Text, From: query.Time("from"), To: query.Time("to")), log, tokens);
    }

    static IResult All(HttpContext http, EventLog log, PageTokens tokens)
    {
        var query = new Query(http, "actor", "type", "who", "from", "to", "correlation", "limit", "pageToken");
        var filter = new EventFilter(
            query.Text("actor"), query.Text("type"), query.Text("who"), query.Text("correlation"), query.Time("from"), query.Time("to"));
        return Listed(http, query, filter, log, tokens);
    }

    static IResult Listed(HttpContext http, Query query, EventFilter filter, EventLog log, PageTokens tokens) => Replies.Page(
        http, query, tokens,
        (after, limit) => log.Read(filter, after is null ? 0 : long.Parse(after, CultureInfo.InvariantCulture), limit),
        happened => happened.Ordering, happened => happened);
}
