using System.Globalization;
using System.Text;

namespace ControlPlane.Cli.Output;

/// <summary>
/// Makes a string from the server safe to show. Names come from guests and foreign hosts: an escape sequence in one
/// could repaint the terminal, a line break could forge a row, a direction mark could turn text around.
/// </summary>
static class Visible
{
    public static string Of(string text) => Escape(text, kept: null);

    /// <summary>
    /// The same for JSON that was written already: there a raw control can only be our own line break between two tokens,
    /// and anything else stands inside a string, where the escape is JSON's own.
    /// </summary>
    public static string OfJson(string json) => Escape(json, kept: '\n');

    static string Escape(string text, char? kept)
    {
        var safe = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            _ = text[i] != kept && Hides(text, i)
                ? safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}")
                : safe.Append(text[i]);
        }

        return safe.ToString();
    }

    // Judged unit by unit: of a well-formed pair both halves pass, except for the tags of plane 14, which show nothing.
    static bool Hides(string text, int at)
    {
        if (char.IsSurrogate(text[at]))
        {
            var start = char.IsLowSurrogate(text[at]) ? at - 1 : at;
            return start < 0 || start + 1 >= text.Length
                || !char.IsSurrogatePair(text[start], text[start + 1])
                || CharUnicodeInfo.GetUnicodeCategory(text, start) is UnicodeCategory.Format;
        }

        return CharUnicodeInfo.GetUnicodeCategory(text[at])
            is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
    }
}
