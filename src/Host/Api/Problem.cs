using System.Diagnostics;
using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api;

/// <summary>A "no" as clients see it (RFC 9457, api.md 2).</summary>
sealed record Problem(int Status, string Code, string Title, string Detail)
{
    public string? Rule { get; init; }
    public string? State { get; init; }
    public string? Field { get; init; }
    public DrainReport? Holds { get; init; }

    /// <summary>Seconds after which another try makes sense.</summary>
    public int? RetryAfter { get; init; }

    public static Problem Malformed(string code, string detail, string? field = null) =>
        new(StatusCodes.Status400BadRequest, code, "The request is malformed.", detail) { Field = field };

    public static Problem Wrong(string code, string detail, string? field = null) =>
        new(StatusCodes.Status422UnprocessableEntity, code, "The request is well formed but wrong.", detail) { Field = field };

    public static Problem NotFound(string code, string detail) =>
        new(StatusCodes.Status404NotFound, code, "There is no such thing.", detail);

    /// <summary>The one place where kinds of refusals become HTTP statuses.</summary>
    public static Problem Of(Refusal refusal)
    {
        var (status, title) = refusal.Kind switch
        {
            RefusalKind.Malformed => (StatusCodes.Status400BadRequest, "The request is malformed."),
            RefusalKind.Forbidden => (StatusCodes.Status403Forbidden, "This is not yours to do."),
            RefusalKind.NotFound => (StatusCodes.Status404NotFound, "There is no such thing."),
            RefusalKind.Conflict => (StatusCodes.Status409Conflict, "This is illegal in the present state."),
            RefusalKind.Stale => (StatusCodes.Status412PreconditionFailed, "The resource has changed."),
            RefusalKind.Unprocessable => (StatusCodes.Status422UnprocessableEntity, "The request is well formed but wrong."),
            RefusalKind.Overloaded => (StatusCodes.Status503ServiceUnavailable, "Too much is asked at once."),
            RefusalKind.Unavailable => (StatusCodes.Status503ServiceUnavailable, "A part that is needed is away."),
            RefusalKind.Offline => (StatusCodes.Status503ServiceUnavailable, "The host is offline."),
            RefusalKind.Unknown => (StatusCodes.Status503ServiceUnavailable, "The outcome is not known; ask again with the same key."),
            RefusalKind.Expired => (StatusCodes.Status504GatewayTimeout, "The deadline passed."),
            RefusalKind.Defect => (StatusCodes.Status500InternalServerError, "A defect of ours; nothing was changed."),
            _ => throw new UnreachableException(refusal.ToString()),
        };
        return new Problem(status, refusal.Code, title, refusal.Kind == RefusalKind.Defect ? "The request failed; see the server's log." : refusal.Detail)
        {
            Rule = refusal.Rule,
            State = refusal.State,
            Field = refusal.Field,
            Holds = refusal.Holds,
            RetryAfter = status == StatusCodes.Status503ServiceUnavailable ? 1 : null,
        };
    }

    /// <summary>As it is written, also inside an operation.</summary>
    public ProblemDocument Document() =>
        new($"urn:controlplane:problem:{Code}", Title, Status, Detail, Code, Rule, State, Field, Holds);

    public IResult Result() => new Written(this);

    sealed class Written(Problem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = problem.Status;
            if (problem.RetryAfter is { } seconds)
            {
                response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            }
            if (problem.Status == StatusCodes.Status401Unauthorized)
            {
                response.Headers.WWWAuthenticate = "Bearer";
            }
            return response.WriteAsJsonAsync(problem.Document(), ApiJson.Options, "application/problem+json", httpContext.RequestAborted);
        }
    }
}

/// <summary>The JSON of a problem.</summary>
sealed record ProblemDocument(
    string Type, string Title, int Status, string Detail, string Code, string? Rule, string? State, string? Field, DrainReport? Holds);

/// <summary>Input that does not parse. Thrown while reading a request, caught in one place: <see cref="ProblemMiddleware"/>.</summary>
sealed class BadInputException(Problem problem) : Exception(problem.Detail)
{
    public Problem Problem { get; } = problem;
}
