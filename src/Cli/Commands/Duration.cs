using System.CommandLine.Parsing;
using System.Globalization;

namespace ControlPlane.Cli.Commands;

/// <summary>A span of time as people write it and the API takes it: 500ms, 30s, 2m.</summary>
static class Duration
{
    static readonly TimeSpan Max = TimeSpan.FromHours(1);

    public static TimeSpan Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        if (digits is > 0 and < 9 && Unit(text[digits..]) is { } unit)
        {
            var span = unit * int.Parse(text.AsSpan(0, digits), CultureInfo.InvariantCulture);
            if (span <= Max)
            {
                return span;
            }
        }

        result.AddError($"'{text}' is not a duration like 500ms, 30s or 2m, up to one hour");
        return default;
    }

    /// <summary>In the words of the API.</summary>
    public static string Of(TimeSpan span) => span.Ticks % TimeSpan.TicksPerSecond == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalSeconds}s")
        : string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds}ms");

    static TimeSpan? Unit(string text) => text switch
    {
        "ms" => TimeSpan.FromMilliseconds(1),
        "s" => TimeSpan.FromSeconds(1),
        "m" => TimeSpan.FromMinutes(1),
        _ => null,
    };
}
