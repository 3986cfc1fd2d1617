using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ControlPlane.Cli.Output;

/// <summary>The server's JSON, indented: same fields, same order, same digits.</summary>
static class JsonText
{
    // Relaxed, because this goes to a terminal or a file and not into a page: names stay readable in every script.
    static readonly JsonWriterOptions Pretty = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Indented(JsonElement value) => Write(value, Pretty);

    public static string Line(JsonElement value) => Write(value, OneLine);

    static string Write(JsonElement value, JsonWriterOptions options)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, options))
        {
            value.WriteTo(writer);
        }

        return Visible.OfJson(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
    }
}
