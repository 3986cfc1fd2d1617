using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>
/// The name of one persistent actor; also its persistence id. The forms are those of design.md 3, fixed for ever:
/// bridge/HOST, switch/HOST/SWITCH, port/HOST/SWITCH/PORT, nic/VM/NIC, nic/HOST/SWITCH/PORT/INDEX, vm/VM, migration/VM/NUMBER.
/// </summary>
[JsonConverter(typeof(EntityIdJson))]
public readonly record struct EntityId : IComparable<EntityId>
{
    readonly string? _text;

    EntityId(string text) => _text = text;

    public string Text => _text ?? throw new InvalidOperationException("an EntityId was never given");

    public static EntityId Bridge(string host) => new($"bridge/{host}");
    public static EntityId Switch(string host, string name) => new($"switch/{host}/{name}");
    public static EntityId Port(string host, string name, string port) => new($"port/{host}/{name}/{port}");
    public static EntityId Nic(string vm, string nic) => new($"nic/{vm}/{nic}");
    public static EntityId HostNic(string host, string name, string port, int index) =>
        new(string.Create(CultureInfo.InvariantCulture, $"nic/{host}/{name}/{port}/{index}"));
    public static EntityId Vm(string vm) => new($"vm/{vm}");
    public static EntityId Migration(string vm, long number) => new(string.Create(CultureInfo.InvariantCulture, $"migration/{vm}/{number}"));

    /// <summary>bridge, switch, port, nic, vm or migration.</summary>
    public string Kind => Text[..Text.IndexOf('/')];

    /// <summary>The parts after the kind.</summary>
    public string[] Parts => Text.Split('/')[1..];

    /// <summary>What the shard id is computed from: the host's or the VM's name.</summary>
    public string ShardKey => Parts[0];

    /// <summary>The sharding region: "vm" for what moves with a VM, "host" for what stays on a host.</summary>
    public string Region => Kind is "vm" or "migration" || (Kind == "nic" && Parts.Length == 2) ? "vm" : "host";

    /// <summary>Reads an id; null if the text is no id of a known kind with well-formed names.</summary>
    public static EntityId? Parse(string? text)
    {
        if (text is null)
        {
            return null;
        }
        var parts = text.Split('/');
        var shape = (parts[0], parts.Length) is ("bridge", 2) or ("switch", 3) or ("port", 4) or ("nic", 3) or ("nic", 5) or ("vm", 2) or ("migration", 3);
        return shape && parts.Skip(1).All(part => Names.IsName(part, Names.PortMax)) ? new EntityId(text) : null;
    }

    public int CompareTo(EntityId other) => string.CompareOrdinal(Text, other.Text);
    public static bool operator <(EntityId left, EntityId right) => left.CompareTo(right) < 0;
    public static bool operator >(EntityId left, EntityId right) => left.CompareTo(right) > 0;
    public static bool operator <=(EntityId left, EntityId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(EntityId left, EntityId right) => left.CompareTo(right) >= 0;
    public override string ToString() => Text;
}

/// <summary>Entity ids are written as their text, also where they are keys of a map.</summary>
public sealed class EntityIdJson : JsonConverter<EntityId>
{
    public override EntityId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        EntityId.Parse(reader.GetString()) ?? throw new JsonException("not an entity id");

    public override void Write(Utf8JsonWriter writer, EntityId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Text);

    public override EntityId ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, EntityId value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.Text);
}

/// <summary>The rule for names (api.md 2): ASCII, lower case, [a-z0-9][a-z0-9._-]*, bounded.</summary>
public static class Names
{
    public const int NameMax = 63;
    public const int PortMax = 127;

    /// <summary>True if the text is a name of at most <paramref name="max"/> characters.</summary>
    public static bool IsName(string? text, int max = NameMax)
    {
        if (string.IsNullOrEmpty(text) || text.Length > max || !IsStart(text[0]))
        {
            return false;
        }
        foreach (var c in text)
        {
            if (!IsStart(c) && c is not ('.' or '_' or '-'))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>
    /// The key of a name that a peer edge brought: itself if it is a name, else "x-" and the lower-case base32 of its
    /// SHA-256 (api.md 2), so that GUIDs, capitals and any counted string have a stable key.
    /// </summary>
    public static string Key(string peerName, int max = NameMax) =>
        IsName(peerName, max) && !peerName.StartsWith("x-", StringComparison.Ordinal)
            ? peerName
            : "x-" + Base32(SHA256.HashData(Encoding.UTF8.GetBytes(peerName)));

    /// <summary>The key of the port that a VM makes for its NIC.</summary>
    public static string PortOf(string vm, string nic) => Key($"{vm}--{nic}", PortMax);

    static bool IsStart(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);

    static string Base32(ReadOnlySpan<byte> bytes)
    {
        const string alphabet = "abcdefghijklmnopqrstuvwxyz234567";
        var text = new StringBuilder(52);
        var (buffer, bits) = (0, 0);
        foreach (var b in bytes)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                text.Append(alphabet[(buffer >> bits) & 31]);
            }
            buffer &= (1 << bits) - 1;
        }
        if (bits > 0)
        {
            text.Append(alphabet[(buffer << (5 - bits)) & 31]);
        }
        return text.ToString();
    }
}

/// <summary>A 48-bit Ethernet address; read with colons or dashes, written in lower case with colons (api.md 2).</summary>
public static class MacAddress
{
    /// <summary>The canonical form, or null if the text is not six hexadecimal bytes separated by ':' or '-'.</summary>
    public static string? Canonical(string? text)
    {
        if (text is not { Length: 17 } || text[2] is not (':' or '-'))
        {
            return null;
        }
        var separator = text[2];
        for (var i = 0; i < 17; i++)
        {
            if (i % 3 == 2 ? text[i] != separator : !char.IsAsciiHexDigit(text[i]))
            {
                return null;
            }
        }
        return text.Replace('-', ':').ToLowerInvariant();
    }

    /// <summary>
    /// The address that a NIC without one gets: in Hyper-V's own range 00:15:5d, the rest from a hash of the NIC's
    /// name, so that the same VM keeps its address over every restart.
    /// </summary>
    public static string ForNic(string vm, string nic)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{vm}/{nic}"));
        return string.Create(CultureInfo.InvariantCulture, $"00:15:5d:{hash[0]:x2}:{hash[1]:x2}:{hash[2]:x2}");
    }
}
