using ControlPlane.Host.Agents;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Projections;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Is the process alive; may it be sent work.</summary>
static class HealthApi
{
    /// <summary>Events that the read tables may be behind and still count as ready.</summary>
    const int BehindMax = 10_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", (NodeOptions options) => Replies.Json(new HealthDocument("ok", Release.Version, options.Driver)))
            .Produces<HealthDocument>().WithSummary("The process is alive");
        routes.MapGet("/readyz", Ready).Produces<ReadyDocument>().WithSummary("The process takes work");
    }

    static IResult Ready(Projector projector, JournalHealth journal, IHostApplicationLifetime life, IServiceProvider services)
    {
        var (position, head) = (projector.Position, projector.Head);
        var behind = head - position;
        List<string> reasons = [];
        if (life.ApplicationStopping.IsCancellationRequested)
        {
            reasons.Add("the node is stopping");
        }
        if (!journal.IsOpen)
        {
            reasons.Add($"the journal is away: {journal.LastFailure?.Reason}");
        }
        if (services.GetService<Membership>() is { Joined: false })
        {
            reasons.Add("this node is not a member of its cluster yet");
        }
        if (services.GetService<LocalAgents>() is { Offline: { Count: > 0 } offline })
        {
            reasons.Add($"no session yet of {string.Join(", ", offline)}");
        }
        if (projector.Failure is { } failure)
        {
            reasons.Add($"the read tables cannot be reached: {failure}");
        }
        if (!projector.Begun)
        {
            reasons.Add("the read tables are being filled from the journal");
        }
        else if (behind > BehindMax)
        {
            reasons.Add($"the read tables are {behind} events behind");
        }
        return Replies.Json(
            new ReadyDocument(reasons.Count == 0 ? "ready" : "not ready", journal.IsOpen, projector.CaughtUp, Render.Text(position), Render.Text(head), reasons),
            reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }
}
