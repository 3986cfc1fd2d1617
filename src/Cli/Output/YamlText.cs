using System.Text;
using System.Text.Json;

namespace ControlPlane.Cli.Output;

/// <summary>
/// JSON as block YAML 1.2. A string that any YAML reader could take for something else is written as a JSON string, which
/// is also a YAML one (docs/decisions/0002-yaml-without-a-library.md).
/// </summary>
static class YamlText
{
    static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n",
    };

    public static string Of(JsonElement value)
    {
        var text = new StringBuilder();
        Write(text, value, 0, midLine: false);
        return text.ToString().TrimEnd('\n');
    }

    // midLine: something ("- ") already stands on this line at the given indent; the first entry continues it.
    static void Write(StringBuilder text, JsonElement value, int indent, bool midLine)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when value.EnumerateObject().Any():
                foreach (var property in value.EnumerateObject())
                {
                    Indent(text, indent, ref midLine).Append(Scalar(property.Name)).Append(':');
                    Child(text, property.Value, indent + 2);
                }

                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                foreach (var item in value.EnumerateArray())
                {
                    Indent(text, indent, ref midLine).Append("- ");
                    Write(text, item, indent + 2, midLine: true);
                }

                break;
            default:
                Indent(text, indent, ref midLine).Append(Leaf(value)).Append('\n');
                break;
        }
    }

    static void Child(StringBuilder text, JsonElement value, int indent)
    {
        if (IsLeaf(value))
        {
            text.Append(' ').Append(Leaf(value)).Append('\n');
            return;
        }

        text.Append('\n');
        Write(text, value, indent, midLine: false);
    }

    static StringBuilder Indent(StringBuilder text, int indent, ref bool midLine)
    {
        if (!midLine)
        {
            text.Append(' ', indent);
        }

        midLine = false;
        return text;
    }

    static bool IsLeaf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => true,
    };

    static string Leaf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{}",
        JsonValueKind.Array => "[]",
        JsonValueKind.String => Scalar(value.GetString()!),
        _ => value.GetRawText(),
    };

    static string Scalar(string text) => Plain(text) ? text : JsonText.Line(JsonSerializer.SerializeToElement(text));

    static bool Plain(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && !Words.Contains(text)
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/');
}
