using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Cli.Http;

/// <summary>A refusal as the server describes it (RFC 9457), or one of our own in the same form.</summary>
sealed record Problem(int Status, JsonElement Body)
{
    public string? Code => Text("code");
    public string? Title => Text("title");
    public string? Detail => Text("detail");
    public string? Rule => Text("rule");
    public string? State => Text("state");

    public int ExitCode => Status switch
    {
        (int)HttpStatusCode.ServiceUnavailable or (int)HttpStatusCode.BadGateway => Cli.ExitCode.NotReachable,
        (int)HttpStatusCode.GatewayTimeout => Cli.ExitCode.TimedOut,
        _ => Cli.ExitCode.Refused,
    };

    /// <summary>A body that is not a problem (a proxy's page, nothing at all) is told by its status alone.</summary>
    public static Problem From(int status, JsonElement? body) =>
        body is { ValueKind: JsonValueKind.Object } told
            ? new Problem(status, told)
            : Own(status, $"http.{status}", ((HttpStatusCode)status).ToString(), "The server gave no further reason.");

    /// <summary>A problem that cpctl itself reports; its code starts with the part that saw it.</summary>
    public static Problem Own(int status, string code, string title, string detail) => new(
        status,
        JsonSerializer.SerializeToElement(new JsonObject
        {
            ["type"] = "about:blank",
            ["title"] = title,
            ["status"] = status,
            ["detail"] = detail,
            ["code"] = code,
        }));

    string? Text(string name) =>
        Body.TryGetProperty(name, out var value)
            ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()
            : null;
}
