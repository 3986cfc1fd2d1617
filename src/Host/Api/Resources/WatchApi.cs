using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Security;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ControlPlane.Host.Api.Resources;

/// <summary>
/// Events as they happen, as server-sent events. Nothing is queued for a subscriber: it has a place in the history and
/// reads on from there, so a slow one costs nothing but its connection, and that is closed when it falls too far behind.
/// </summary>
static class WatchApi
{
    public static void Map(RouteGroupBuilder v1) => v1.MapGet("/watch", Watch)
        .Produces<EventDocument>(StatusCodes.Status200OK, "text/event-stream").WithSummary("Events as they happen");

    static Task Watch(HttpContext http, Watchers watchers)
    {
        var query = new Query(http, "actor", "type", "after");
        return watchers.Serve(http, new EventFilter(query.Text("actor"), query.Text("type")), http.Request.Headers["Last-Event-ID"].FirstOrDefault() ?? query.Text("after"));
    }
}

/// <summary>The open streams of server-sent events.</summary>
sealed partial class Watchers(
    EventLog log, ReadTables tables, Positions positions, Projector projector, WatchLimits limits, TimeProvider time,
    IHostApplicationLifetime life, ILogger<Watchers> logger)
{
    /// <summary>Streams of one caller; the next is answered 429.</summary>
    const int StreamsPerCallerMax = 10;

    const int PageEvents = 200;

    static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(10);

    static readonly Problem TooMany = new(
        StatusCodes.Status429TooManyRequests, "watch.many", "Too many streams.", $"A caller has at most {StreamsPerCallerMax} streams.")
    {
        RetryAfter = 5,
    };

    readonly ConcurrentDictionary<string, int> _streams = new(StringComparer.Ordinal);

    public async Task Serve(HttpContext http, EventFilter filter, string? after)
    {
        var caller = http.Caller().Who;
        if (Start(after) is not { } start)
        {
            throw new BadInputException(Problem.Malformed("watch.cursor", "The cursor is the id of an event.", "after"));
        }
        if (start > tables.LastEvent())
        {
            throw new BadInputException(new Problem(
                StatusCodes.Status410Gone, "watch.gone", "The cursor is not of this history.", "Begin again without a cursor."));
        }
        if (_streams.AddOrUpdate(caller, 1, (_, open) => open + 1) > StreamsPerCallerMax)
        {
            Leave(caller);
            throw new BadInputException(TooMany);
        }
        // While events flow, WriteMax is the one bound on a reader: the server's own least rate would cut it off before, with nothing said.
        var least = http.Features.GetRequiredFeature<IHttpMinResponseDataRateFeature>();
        var rate = least.MinDataRate;
        least.MinDataRate = null;
        try
        {
            await Stream(http, filter, start);
        }
        finally
        {
            least.MinDataRate = rate;
            Leave(caller);
        }
    }

    async Task Stream(HttpContext http, EventFilter filter, long cursor)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, life.ApplicationStopping);
        var stop = either.Token;
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            await Write(http, $": watching after {Render.Text(cursor)}\n\n", stop);
            var live = false;
            while (true)
            {
                var head = projector.Position;
                var page = log.Read(filter, cursor, PageEvents);
                if (live && head - cursor > limits.BehindMax && page.Count == PageEvents)
                {
                    await Write(http, $"event: slow\ndata: {{\"cursor\":\"{Render.Text(cursor)}\"}}\n\n", stop);
                    return;
                }
                if (page.Count > 0)
                {
                    await Write(http, Text(page), stop);
                    cursor = long.Parse(page[^1].Cursor, CultureInfo.InvariantCulture);
                }
                if (page.Count == PageEvents)
                {
                    continue;
                }
                live = true;
                cursor = Math.Max(cursor, head);
                if (!await positions.Reached(Projector.Everything, cursor + 1, () => projector.Position, HeartbeatEvery, stop))
                {
                    await Write(http, ": still here\n\n", stop);
                }
            }
        }
        catch (OperationCanceledException) when (life.ApplicationStopping.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            await Write(http, "event: reconnect\ndata: {}\n\n", http.RequestAborted);
        }
        catch (TimeoutException)
        {
            // What it has read so far ends with the id from which it can go on.
            LogStuck(logger, http.Caller().Who, cursor);
            http.Abort();
        }
    }

    Task Write(HttpContext http, string text, CancellationToken stop) => Flushed(http, text, stop).WaitAsync(limits.WriteMax, time, stop);

    static async Task Flushed(HttpContext http, string text, CancellationToken stop)
    {
        await http.Response.WriteAsync(text, stop);
        await http.Response.Body.FlushAsync(stop);
    }

    static string Text(IReadOnlyList<EventDocument> page)
    {
        var text = new StringBuilder();
        foreach (var happened in page)
        {
            // JSON has no line breaks, so one data line is enough.
            text.Append("id: ").Append(happened.Cursor).Append("\ndata: ").Append(JsonSerializer.Serialize(happened, ApiJson.Options)).Append("\n\n");
        }
        return text.ToString();
    }

    /// <summary>Without a cursor a stream begins now.</summary>
    long? Start(string? after) => after is null ? projector.Position
        : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor) ? cursor
        : null;

    [LoggerMessage(1, LogLevel.Information, "A stream of {Caller} was closed after event {Cursor}: its subscriber does not read")]
    static partial void LogStuck(ILogger logger, string caller, long cursor);

    void Leave(string caller)
    {
        // Down to nothing the entry goes, so that the table is as large as the number of open streams.
        if (_streams.AddOrUpdate(caller, 0, (_, open) => open - 1) <= 0)
        {
            _streams.TryRemove(KeyValuePair.Create(caller, 0));
        }
    }
}
