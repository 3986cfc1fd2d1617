using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;

namespace ControlPlane.Host.Api.Resources;

/// <summary>What a 202 points at.</summary>
static class OperationsApi
{
    const int IdMax = 128;

    public static void Map(RouteGroupBuilder v1) =>
        v1.MapGet("/operations/{id}", Get).Produces<OperationDocument>().WithSummary("What a long work came to");

    static async Task<IResult> Get(HttpContext http, string id, Operations operations)
    {
        var query = new Query(http, "wait");
        return id.Length <= IdMax && await operations.Find(id, query.Wait, http.RequestAborted) is { } row
            ? Replies.Json(Render.Operation(row))
            : Problem.NotFound("operation.unknown", "There is no such operation.").Result();
    }
}

/// <summary>Waits for the ends of operations.</summary>
sealed class Operations(ReadTables tables, Positions positions, IHostApplicationLifetime life)
{
    const string Running = "running";

    /// <summary>200 with the ended operation, or 202 with where to look.</summary>
    public async Task<IResult> Answer(HttpContext http, string id, TimeSpan? wait)
    {
        var row = await Find(id, wait, http.RequestAborted);
        if (row is not null && wait is not null && row.Status != Running)
        {
            return Replies.Json(Render.Operation(row));
        }
        http.Response.Headers.Location = $"/v1/operations/{id}";
        return row is null
            ? Replies.Json(new AcceptedDocument(id, Running), StatusCodes.Status202Accepted)
            : Replies.Json(Render.Operation(row), StatusCodes.Status202Accepted);
    }

    /// <summary>The operation, after its end or after the wait, whichever is first. A server that stops waits for nobody.</summary>
    public async Task<OperationRow?> Find(string id, TimeSpan? wait, CancellationToken stop)
    {
        if (wait is not { } patience)
        {
            return tables.Operation(id);
        }
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, life.ApplicationStopping);
        try
        {
            await positions.Reached(
                $"operation/{id}", 1, () => tables.Operation(id) is { Status: not Running } ? 1 : 0, patience, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Stopping: the operation goes on at the next start.
        }
        return tables.Operation(id);
    }
}
