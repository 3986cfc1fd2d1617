using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using ControlPlane.Messages;
using static ControlPlane.Actors.Entities.JsonParts;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// Rows as bytes. A row is one JSON object around the event's body; body and answers are written and read
/// as the very bytes that were hashed, never parsed and printed again. Unknown fields are passed over: a newer release
/// may add some.
/// </summary>
public static class StoredJson
{
    public static byte[] Write(StoredEvent row)
    {
        var buffer = new ArrayBufferWriter<byte>(row.Body.Length + 512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("entity", row.Entity.Text);
            json.WriteNumber("seq", row.Sequence);
            json.WriteString("at", row.At);
            json.WriteString("who", row.Who);
            WriteOptional(json, "cause", row.Cause);
            json.WriteString("corr", row.Correlation);
            WriteOptional(json, "op", row.OperationId);
            WriteOptional(json, "msg", row.MessageId);
            WriteOptional(json, "bodyHash", row.BodyHash);
            if (row.Answers.Length > 0)
            {
                json.WriteStartArray("answers");
                foreach (var answer in row.Answers)
                {
                    WriteAnswer(json, answer);
                }
                json.WriteEndArray();
            }
            json.WriteBase64String("prev", row.PreviousHash.Span);
            json.WriteBase64String("hash", row.Hash.Span);
            json.WritePropertyName("body");
            json.WriteRawValue(row.Body.Span, skipInputValidation: true);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Reads a row. A name that this release does not know is an <see cref="UnknownWordException"/>; bytes that are no
    /// row are a <see cref="CorruptHistoryException"/>. Whether the content is what was hashed is the reader's to ask.
    /// </summary>
    public static StoredEvent Read(string name, ReadOnlyMemory<byte> bytes)
    {
        if (StoredNames.TypeOf(name) is null)
        {
            throw new UnknownWordException($"the event {name} is not known to this release: a newer node wrote it");
        }
        try
        {
            return ReadRow(name, bytes);
        }
        catch (Exception damage) when (damage is JsonException or FormatException or InvalidOperationException)
        {
            throw new CorruptHistoryException($"a stored {name} cannot be read: {damage.Message}");
        }
    }

    static StoredEvent ReadRow(string name, ReadOnlyMemory<byte> bytes)
    {
        EntityId? entity = null;
        long? sequence = null;
        DateTimeOffset? at = null;
        string? who = null, cause = null, correlation = null, operation = null, message = null, bodyHash = null;
        ImmutableArray<StoredAnswer> answers = [];
        ReadOnlyMemory<byte>? previous = null, hash = null, body = null;
        var json = new Utf8JsonReader(bytes.Span);
        Expect(ref json, JsonTokenType.StartObject);
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "entity": entity = EntityId.Parse(json.GetString()); break;
                case "seq": sequence = json.GetInt64(); break;
                case "at": at = json.GetDateTimeOffset(); break;
                case "who": who = json.GetString(); break;
                case "cause": cause = json.GetString(); break;
                case "corr": correlation = json.GetString(); break;
                case "op": operation = json.GetString(); break;
                case "msg": message = json.GetString(); break;
                case "bodyHash": bodyHash = json.GetString(); break;
                case "answers": answers = ReadArray(ref json, bytes, ReadAnswer); break;
                case "prev": previous = json.GetBytesFromBase64(); break;
                case "hash": hash = json.GetBytesFromBase64(); break;
                case "body": body = Raw(ref json, bytes); break;
                default: json.Skip(); break;
            }
        }
        return new StoredEvent(
            entity ?? throw Missing("entity"), sequence ?? throw Missing("seq"), at ?? throw Missing("at"), who ?? throw Missing("who"), cause,
            correlation ?? throw Missing("corr"), operation, message, bodyHash, answers, name, body ?? throw Missing("body"),
            previous ?? throw Missing("prev"), hash ?? throw Missing("hash"));
    }
}
