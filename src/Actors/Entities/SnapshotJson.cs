using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using ControlPlane.Messages;
using static ControlPlane.Actors.Entities.JsonParts;

namespace ControlPlane.Actors.Entities;

/// <summary>Snapshots as bytes. They are a short cut only: what cannot be read is left aside.</summary>
public static class SnapshotJson
{
    public static byte[] Write(CoreSnapshot snapshot)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("entity", snapshot.Entity.Text);
            json.WriteNumber("seq", snapshot.Sequence);
            json.WriteNumber("rev", snapshot.Revision);
            json.WriteBase64String("hash", snapshot.Hash.Span);
            json.WriteStartArray("executed");
            foreach (var executed in snapshot.Executed)
            {
                json.WriteStartObject();
                json.WriteString("msg", executed.MessageId);
                WriteOptional(json, "bodyHash", executed.BodyHash);
                json.WriteString("who", executed.Who);
                json.WriteString("corr", executed.Correlation);
                if (executed.Answer is { } answer)
                {
                    json.WritePropertyName("answer");
                    WriteAnswer(json, answer);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (snapshot.Forgotten.Length > 0)
            {
                json.WriteBase64String("forgotten", Bytes(snapshot.Forgotten));
            }
            json.WriteStartArray("origins");
            foreach (var (effect, origin) in snapshot.Origins)
            {
                json.WriteStartObject();
                json.WriteString("effect", effect);
                json.WriteString("who", origin.Who);
                json.WriteString("corr", origin.Correlation);
                json.WriteString("cause", origin.Cause);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (snapshot.Poison is { } poison)
            {
                json.WriteStartObject("poison");
                json.WriteString("msg", poison.MessageId);
                json.WriteString("error", poison.Error);
                json.WriteEndObject();
            }
            json.WritePropertyName("state");
            json.WriteRawValue(StateNames.Encode(snapshot.Entity, snapshot.State), skipInputValidation: true);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a snapshot; any exception means that the events have to be read instead.</summary>
    public static CoreSnapshot Read(string name, ReadOnlyMemory<byte> bytes)
    {
        EntityId? entity = null;
        long? sequence = null, revision = null;
        ReadOnlyMemory<byte>? hash = null;
        ReadOnlyMemory<byte>? state = null;
        ImmutableArray<Executed> executed = [];
        ImmutableArray<ulong> forgotten = [];
        ImmutableArray<(string Effect, Origin Origin)> origins = [];
        Poison? poison = null;
        var json = new Utf8JsonReader(bytes.Span);
        Expect(ref json, JsonTokenType.StartObject);
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "entity": entity = EntityId.Parse(json.GetString()); break;
                case "seq": sequence = json.GetInt64(); break;
                case "rev": revision = json.GetInt64(); break;
                case "hash": hash = json.GetBytesFromBase64(); break;
                case "executed": executed = ReadArray(ref json, bytes, ReadExecuted); break;
                case "forgotten": forgotten = Hashes(json.GetBytesFromBase64()); break;
                case "origins": origins = ReadArray(ref json, bytes, ReadOrigin); break;
                case "poison": poison = ReadPoison(ref json); break;
                case "state": state = Raw(ref json, bytes); break;
                default: json.Skip(); break;
            }
        }
        var owner = entity ?? throw Missing("entity");
        return new CoreSnapshot(
            owner, sequence ?? throw Missing("seq"), revision ?? throw Missing("rev"), hash ?? throw Missing("hash"),
            StateNames.Decode(owner, name, (state ?? throw Missing("state")).Span), executed, forgotten,
            origins.ToImmutableSortedDictionary(pair => pair.Effect, pair => pair.Origin, StringComparer.Ordinal), poison);
    }

    /// <summary>Eight bytes each, the lowest first.</summary>
    static byte[] Bytes(ImmutableArray<ulong> hashes)
    {
        var bytes = new byte[hashes.Length * sizeof(ulong)];
        for (var i = 0; i < hashes.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)), hashes[i]);
        }
        return bytes;
    }

    static ImmutableArray<ulong> Hashes(byte[] bytes) =>
        [.. bytes.Chunk(sizeof(ulong)).Select(hash => BinaryPrimitives.ReadUInt64LittleEndian(hash))];

    static Executed ReadExecuted(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes)
    {
        string? message = null, bodyHash = null, who = null, correlation = null;
        StoredAnswer? answer = null;
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "msg": message = json.GetString(); break;
                case "bodyHash": bodyHash = json.GetString(); break;
                case "answer": answer = ReadAnswer(ref json, bytes); break;
                case "who": who = json.GetString(); break;
                case "corr": correlation = json.GetString(); break;
                default: json.Skip(); break;
            }
        }
        return new Executed(message ?? throw Missing("msg"), bodyHash, answer, who ?? throw Missing("who"), correlation ?? throw Missing("corr"));
    }

    static (string, Origin) ReadOrigin(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes)
    {
        string? effect = null, who = null, correlation = null, cause = null;
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "effect": effect = json.GetString(); break;
                case "who": who = json.GetString(); break;
                case "corr": correlation = json.GetString(); break;
                case "cause": cause = json.GetString(); break;
                default: json.Skip(); break;
            }
        }
        return (effect ?? throw Missing("effect"),
            new Origin(who ?? throw Missing("who"), correlation ?? throw Missing("corr"), cause ?? throw Missing("cause")));
    }

    static Poison ReadPoison(ref Utf8JsonReader json)
    {
        string? message = null, error = null;
        while (NextProperty(ref json) is { } property)
        {
            switch (property)
            {
                case "msg": message = json.GetString(); break;
                case "error": error = json.GetString(); break;
                default: json.Skip(); break;
            }
        }
        return new Poison(message ?? throw Missing("msg"), error ?? throw Missing("error"));
    }
}
