using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Cli.Http;

/// <summary>One request to the API, before it knows its server: path segments and query values are escaped here, once.</summary>
sealed record Request(HttpMethod Method, string Path)
{
    public JsonNode? Body { get; init; }
    public string? IfMatch { get; init; }
    public Guid? IdempotencyKey { get; init; }

    /// <summary>How much longer than usual the server was asked to hold its answer.</summary>
    public TimeSpan Wait { get; init; }
    public IReadOnlyList<(string Name, string Value)> Query { get; init; } = [];

    public static Request Get(params ReadOnlySpan<string> segments) => new(HttpMethod.Get, Join(segments));
    public static Request Put(params ReadOnlySpan<string> segments) => new(HttpMethod.Put, Join(segments));
    public static Request Post(params ReadOnlySpan<string> segments) => new(HttpMethod.Post, Join(segments));
    public static Request Delete(params ReadOnlySpan<string> segments) => new(HttpMethod.Delete, Join(segments));

    /// <summary>Adds a query value; one that was not given is left out.</summary>
    public Request With(string name, string? value) => value is null ? this : this with { Query = [.. Query, (name, value)] };

    public Request With(string name, int? value) => With(name, value?.ToString(CultureInfo.InvariantCulture));

    public string PathAndQuery()
    {
        var text = new StringBuilder(Path);
        var separator = '?';
        foreach (var (name, value) in Query)
        {
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return text.ToString();
    }

    static string Join(ReadOnlySpan<string> segments)
    {
        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            text.Append(text.Length > 0 ? "/" : "").Append(Uri.EscapeDataString(segment));
        }

        return text.ToString();
    }
}
