using System.Collections.Immutable;
using System.Text.Json;

namespace ControlPlane.Actors.Entities;

/// <summary>What rows and snapshots have in common as JSON: the walk over an object, raw values, answers.</summary>
static class JsonParts
{
    public static void WriteAnswer(Utf8JsonWriter json, StoredAnswer answer)
    {
        json.WriteStartObject();
        json.WriteString("msg", answer.MessageId);
        WriteOptional(json, "reply", answer.ReplyName);
        json.WritePropertyName("payload");
        json.WriteRawValue(answer.Payload.Span, skipInputValidation: true);
        json.WriteEndObject();
    }

    public static StoredAnswer ReadAnswer(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes)
    {
        string? message = null, reply = null;
        ReadOnlyMemory<byte>? payload = null;
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "msg": message = json.GetString(); break;
                case "reply": reply = json.GetString(); break;
                case "payload": payload = Raw(ref json, bytes); break;
                default: json.Skip(); break;
            }
        }
        return new StoredAnswer(message ?? throw Missing("msg"), reply, payload ?? throw Missing("payload"));
    }

    public delegate T ReadObject<T>(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes);

    public static ImmutableArray<T> ReadArray<T>(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes, ReadObject<T> read)
    {
        if (json.TokenType is not JsonTokenType.StartArray)
        {
            throw new JsonException("an array was expected");
        }
        var all = ImmutableArray.CreateBuilder<T>();
        while (json.Read() && json.TokenType is JsonTokenType.StartObject)
        {
            all.Add(read(ref json, bytes));
        }
        return all.DrainToImmutable();
    }

    /// <summary>The next property's name, with the reader on its value; null at the end of the object.</summary>
    public static string? NextProperty(ref Utf8JsonReader json)
    {
        if (!json.Read() || json.TokenType is JsonTokenType.EndObject)
        {
            return null;
        }
        var name = json.TokenType is JsonTokenType.PropertyName ? json.GetString() : throw new JsonException("a property was expected");
        json.Read();
        return name;
    }

    /// <summary>The bytes of the value at which the reader is, as they are.</summary>
    public static ReadOnlyMemory<byte> Raw(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes)
    {
        var start = (int)json.TokenStartIndex;
        json.Skip();
        return bytes[start..(int)json.BytesConsumed];
    }

    public static void Expect(ref Utf8JsonReader json, JsonTokenType token)
    {
        if (!json.Read() || json.TokenType != token)
        {
            throw new JsonException($"{token} was expected");
        }
    }

    public static void WriteOptional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    public static JsonException Missing(string field) => new($"the field {field} is missing");
}
