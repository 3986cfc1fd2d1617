using System.Globalization;

namespace ControlPlane.Host.Api.Requests;

/// <summary>The query of a request: only known names, each once.</summary>
sealed class Query
{
    public const int LimitMax = 1_000;
    const int LimitDefault = 100;
    const int ValueMax = 512;
    static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Query(HttpContext http, params ReadOnlySpan<string> known)
    {
        foreach (var (name, values) in http.Request.Query)
        {
            if (!known.Contains(name))
            {
                throw Malformed("query.unknown", $"There is no query parameter {name} here.", name);
            }
            if (values.Count != 1 || values[0] is not { } value || value.Length > ValueMax)
            {
                throw Malformed("query.twice", $"{name} is given once, with at most {ValueMax} characters.", name);
            }
            _values[name] = value;
        }
    }

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public int Limit => Text("limit") is not { } text ? LimitDefault
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= LimitMax ? limit
        : throw Malformed("query.limit", $"limit is from 1 to {LimitMax}.", "limit");

    public bool DryRun => Truth("dryRun");

    public bool Truth(string name) => Text(name) switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw Malformed($"query.{name}", $"{name} is true or false.", name),
    };

    /// <summary>How long to wait for the end of a long work; null: not at all.</summary>
    public TimeSpan? Wait => Text("wait") is not { } text ? null
        : Duration(text) is { } span && span <= WaitMax ? span
        : throw Malformed("query.wait", "wait is a time such as 500ms, 30s or 2m, at most 5m.", "wait");

    public DateTimeOffset? Time(string name) => Text(name) is not { } text ? null
        : Times.Parse(text) ?? throw Malformed("query.time", $"{name} is a time such as 2026-11-22T10:00:00Z.", name);

    /// <summary>What a page token is bound to: everything that chooses what is listed.</summary>
    public string Selection => string.Join('&', _values.Where(pair => pair.Key is not ("limit" or "pageToken"))
        .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    static TimeSpan? Duration(string text)
    {
        var (digits, unit) = text switch
        {
            [.. var d, 'm', 's'] => (d, TimeSpan.TicksPerMillisecond),
            [.. var d, 's'] => (d, TimeSpan.TicksPerSecond),
            [.. var d, 'm'] => (d, TimeSpan.TicksPerMinute),
            _ => ("", 0L),
        };
        return digits.Length <= 9 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? TimeSpan.FromTicks(number * unit)
            : null;
    }

    static BadInputException Malformed(string code, string detail, string field) => new(Problem.Malformed(code, detail, field));
}
