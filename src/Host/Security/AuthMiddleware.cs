using System.Collections.Concurrent;
using System.Net;
using ControlPlane.Host.Api;

namespace ControlPlane.Host.Security;

/// <summary>
/// Deny by default: reads are open to callers of this machine, every change needs a token whose role allows it. A wrong
/// token is refused everywhere, always with the same words.
/// </summary>
sealed class AuthMiddleware(RequestDelegate next, TokenBook tokens, FailedLogins failures, ILogger<AuthMiddleware> log)
{
    static readonly Problem Unauthorized = new(
        StatusCodes.Status401Unauthorized, "auth.token", "A valid token is needed.", "Send Authorization: Bearer with a valid token.");

    static readonly Problem TooMany = new(
        StatusCodes.Status429TooManyRequests, "auth.attempts", "Too many failed attempts.", "Wait a minute.")
    {
        RetryAfter = 60,
    };

    public Task Invoke(HttpContext http)
    {
        var source = http.Connection.RemoteIpAddress ?? IPAddress.None;
        var header = http.Request.Headers.Authorization;
        var changes = !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method);
        Caller? caller;
        if (header.Count == 0)
        {
            caller = !changes && IPAddress.IsLoopback(source) ? Caller.Anonymous : null;
        }
        else if (failures.Exhausted(source))
        {
            return TooMany.Result().ExecuteAsync(http);
        }
        else
        {
            const string scheme = "Bearer ";
            var text = header.ToString();
            caller = text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? tokens.Find(text[scheme.Length..].Trim()) : null;
            if (caller is null)
            {
                failures.Count(source);
            }
        }
        if (caller is null)
        {
            AuthLog.Denied(log, source, http.Request.Method, http.Request.Path.Value ?? "");
            return Unauthorized.Result().ExecuteAsync(http);
        }
        if (changes && caller.Role < (http.GetEndpoint()?.Metadata.GetMetadata<ChangeNeeds>()?.Role ?? Role.Operator))
        {
            AuthLog.Denied(log, source, http.Request.Method, http.Request.Path.Value ?? "");
            return new Problem(StatusCodes.Status403Forbidden, "auth.role", "This is not yours to do.",
                caller.Role == Role.Viewer ? "Your role only reads." : "Your role only moves VMs.").Result().ExecuteAsync(http);
        }
        http.Items[typeof(Caller)] = caller;
        return next(http);
    }
}

/// <summary>Counts wrong tokens per source in a minute; the number of sources has a bound.</summary>
sealed class FailedLogins(TimeProvider time)
{
    const int FailuresMax = 100;
    const int SourcesMax = 10_000;
    static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    readonly ConcurrentDictionary<IPAddress, (int Count, long Since)> _sources = new();

    public bool Exhausted(IPAddress source) =>
        _sources.TryGetValue(source, out var known) && known.Count >= FailuresMax && time.GetElapsedTime(known.Since) < Window;

    public void Count(IPAddress source)
    {
        var now = time.GetTimestamp(); // not the wall clock, which may be set back
        if (_sources.Count >= SourcesMax)
        {
            _sources.Clear();
        }
        _sources.AddOrUpdate(source, (1, now), (_, known) => time.GetElapsedTime(known.Since, now) < Window ? (known.Count + 1, known.Since) : (1, now));
    }
}

static class CallerOfRequest
{
    public static Caller Caller(this HttpContext http) => http.Items[typeof(Caller)] as Caller ?? Security.Caller.Anonymous;
}

static partial class AuthLog
{
    [LoggerMessage(1, LogLevel.Warning, "Denied to {Source}: {Method} {Path}")]
    public static partial void Denied(ILogger logger, IPAddress source, string method, string path);
}
