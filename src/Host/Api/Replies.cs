using ControlPlane.Actors.Projections;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api;

/// <summary>What handlers answer, in the form that is common to all of them.</summary>
static class Replies
{
    /// <summary>A refusal or a dry run ends the request; null: it was done.</summary>
    public static IResult? Early(this Answer answer, Query query) =>
        answer.Refusal is { } refusal ? Problem.Of(refusal).Result()
        : query.DryRun ? Results.Json(new DryRunDocument(true, answer.WouldStore ?? []), ApiJson.Options)
        : null;

    /// <summary>A resource with its ETag.</summary>
    public static IResult Shown<T>(HttpContext http, EntityView view, T document, int status = StatusCodes.Status200OK)
    {
        http.Response.Headers.ETag = $"\"{Render.Text(view.Revision)}\"";
        return Results.Json(document, ApiJson.Options, statusCode: status);
    }

    public static IResult Json<T>(T document, int status = StatusCodes.Status200OK) => Results.Json(document, ApiJson.Options, statusCode: status);

    /// <summary>What a PUT made of a resource; its document and ETag only if the view shows this change.</summary>
    public static IResult Defined<T>(HttpContext http, Answer answer, EntityView? before, EntityView? now, Func<EntityView, T> render) =>
        now is not null && now.Sequence >= answer.Sequence
            ? Shown(http, now, render(now), before is null ? StatusCodes.Status201Created : StatusCodes.Status200OK)
            : Late(http);

    /// <summary>Stored, and the view is late: the client finds it at the location.</summary>
    public static IResult Late(HttpContext http)
    {
        http.Response.Headers.Location = http.Request.Path.Value;
        return Results.StatusCode(StatusCodes.Status202Accepted);
    }

    /// <summary>One page of things that are listed by their ids.</summary>
    public static IResult Page<T>(
        HttpContext http, Query query, PageTokens tokens, Func<string?, int, IReadOnlyList<T>> read, Func<T, string> keyOf, Func<T, object> render)
    {
        var limit = query.Limit;
        var items = read(tokens.Read(http, query), limit + 1);
        var more = items.Count > limit;
        var shown = more ? items.Take(limit).ToList() : items;
        return Results.Json(
            new Page<object>([.. shown.Select(render)], more ? tokens.Make(http, query, keyOf(shown[^1])) : null), ApiJson.Options);
    }

    /// <summary>Something as it is now, or as it was.</summary>
    public static EntityView? Find(Query query, ReadTables tables, PastViews past, EntityId id) =>
        query.Time("at") is { } time ? past.At(id, time) is { Gone: false } then ? then : null : tables.Present(id);

    public static IResult Absent(string kind, EntityId id) => Problem.NotFound($"{kind}.absent", $"There is no {id}.").Result();
}
