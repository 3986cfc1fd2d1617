using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ControlPlane.Host.Projections;

namespace ControlPlane.Host.Api.Requests;

/// <summary>What names a change for ever: a repeat under the same id is answered from the record.</summary>
/// <param name="Id">The plain id: of a hold, an operation, a correlation.</param>
sealed record RequestKey(string MessageId, string Id, string? BodyHash)
{
    const string Header = "Idempotency-Key";

    /// <summary>POST needs a key (reliability.md 11.1 B25).</summary>
    public static RequestKey Required(HttpContext http, Body? body) => Given(http, body)
        ?? throw new BadInputException(Problem.Malformed("idempotency.missing", $"{Header} is needed: a UUID of yours for this change.", Header));

    /// <summary>PUT and DELETE may be repeated as they are; a key makes the repeat's answer the same.</summary>
    public static RequestKey Optional(HttpContext http, Body? body)
    {
        if (Given(http, body) is { } given)
        {
            return given;
        }
        var id = http.RequestServices.GetRequiredService<NewId>()().ToString("D", CultureInfo.InvariantCulture);
        return new RequestKey(RequestIds.Once + id, id, null);
    }

    static RequestKey? Given(HttpContext http, Body? body)
    {
        var values = http.Request.Headers[Header];
        if (values.Count == 0)
        {
            return null;
        }
        if (values.Count > 1 || !Guid.TryParseExact(values[0], "D", out var key))
        {
            throw new BadInputException(Problem.Malformed("idempotency.key", $"{Header} is one UUID.", Header));
        }
        var id = key.ToString("D", CultureInfo.InvariantCulture);
        return new RequestKey(RequestIds.Key + id, id, Hash(http, body));
    }

    /// <summary>SHA-256 of method, path and the body in a canonical form: the order of fields and white space do not matter.</summary>
    public static string Hash(HttpContext http, Body? body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(Encoding.UTF8.GetBytes($"{http.Request.Method} {http.Request.Path}\n"));
        if (body is not null)
        {
            using var writer = new Utf8JsonWriter(buffer);
            Write(writer, body.Json);
        }
        return Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
    }

    static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(writer, item);
                }
                writer.WriteEndArray();
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }
}

/// <summary>Where ids come from.</summary>
delegate Guid NewId();
