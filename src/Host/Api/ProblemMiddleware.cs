using System.Data.Common;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace ControlPlane.Host.Api;

/// <summary>The outermost part of the interface: every "no" leaves as a problem document, none with a stack trace.</summary>
sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> log)
{
    static readonly Problem Away = new(
        StatusCodes.Status503ServiceUnavailable, "read.unavailable", "The database is away.", "The read tables cannot be read now; try again later.")
    {
        RetryAfter = 1,
    };

    public async Task Invoke(HttpContext http)
    {
        try
        {
            if (Foreign(http) is { } foreign)
            {
                await foreign.Result().ExecuteAsync(http);
                return;
            }
            await next(http);
            if (!http.Response.HasStarted && http.Response.StatusCode >= 400 && http.Response.ContentType is null && Bare(http) is { } bare)
            {
                await bare.Result().ExecuteAsync(http);
            }
        }
        catch (BadInputException bad) when (!http.Response.HasStarted)
        {
            await bad.Problem.Result().ExecuteAsync(http);
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await Of(bad).Result().ExecuteAsync(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller went away; what it asked for goes on.
        }
        catch (DbException away) when (!http.Response.HasStarted)
        {
            // What became of a change that was asked for just before says the same key, when the database is back.
            LogAway(log, http.Request.Method, http.Request.Path.Value ?? "", away.Message);
            await Away.Result().ExecuteAsync(http);
        }
#pragma warning disable CA1031 // Logged, and answered without internals.
        catch (Exception defect) when (!http.Response.HasStarted)
#pragma warning restore CA1031
        {
            LogDefect(log, defect, http.Request.Method, http.Request.Path.Value ?? "");
            await new Problem(StatusCodes.Status500InternalServerError, "server.defect", "A defect of ours.", "The request failed; see the server's log.")
                .Result().ExecuteAsync(http);
        }
    }

    /// <summary>
    /// A page of another site that has its name resolve to this machine still says its own name (DNS rebinding); and dot
    /// segments never reach a route, so they are judged as what was sent.
    /// </summary>
    static Problem? Foreign(HttpContext http)
    {
        var host = http.Request.Host.Host;
        if (http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local)
            && !(host is "localhost" || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named))))
        {
            return Problem.Malformed("host.foreign", "The Host header names another server.");
        }
        var raw = http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var path = raw.Split('?')[0];
        return path.StartsWith("/v1/", StringComparison.Ordinal) && path.Split('/').Any(part => Uri.UnescapeDataString(part) is "." or "..")
            ? Problem.Wrong("name.wrong", "A name is not a dot segment.")
            : null;
    }

    static Problem? Bare(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Problem.NotFound("route.unknown", "There is nothing at this path."),
        StatusCodes.Status415UnsupportedMediaType => Requests.Body.WrongType,
        StatusCodes.Status405MethodNotAllowed => new Problem(
            StatusCodes.Status405MethodNotAllowed, "route.method", "The method is not for this path.", $"Allowed: {http.Response.Headers.Allow}."),
        _ => null,
    };

    static Problem Of(BadHttpRequestException bad) => bad.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => new Problem(bad.StatusCode, "body.large", "The body is too large.", $"At most {Requests.Body.BytesMax} bytes are taken."),
        StatusCodes.Status408RequestTimeout => new Problem(bad.StatusCode, "body.slow", "The body came too slowly.", $"At least {Requests.Body.BytesPerSecondMin} bytes per second are expected."),
        _ when bad.InnerException is JsonException => Problem.Malformed("json.broken", "The JSON does not parse."),
        _ => new Problem(bad.StatusCode, "http.malformed", "The request is malformed.", "This is no HTTP request to work with."),
    };

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    static partial void LogDefect(ILogger logger, Exception defect, string method, string path);

    [LoggerMessage(2, LogLevel.Warning, "{Method} {Path} was refused, the database is away: {Reason}")]
    static partial void LogAway(ILogger logger, string method, string path, string reason);
}
