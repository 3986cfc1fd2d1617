using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>
/// What a NIC's device says about itself in its kernel alias: "nicKey|switch|port|epoch|revision|checksum". The alias is
/// the read-back of a command, and it outlives this process. It has at most 255 bytes; names that do not fit are
/// written as "#" and their hash, longest first, and looked up in the device records.
/// </summary>
sealed record DeviceAlias(string NicKey, string Switch, string Port, long Epoch, long Revision)
{
    const int BytesMax = 255;
    const int ChecksumDigits = 8;
    const char Separator = '|';
    const char HashMark = '#';

    public string Write()
    {
        string[] names = [Escape(NicKey), Escape(Switch), Escape(Port)];
        var text = Text(names);
        while (Encoding.UTF8.GetByteCount(text) > BytesMax)
        {
            var longest = Array.IndexOf(names, names.MaxBy(name => name.Length));
            names[longest] = HashMark + DeviceNames.Hash(longest switch { 0 => NicKey, 1 => Switch, _ => Port });
            text = Text(names);
        }

        return text;
    }

    /// <summary>Null for text that is not ours or was changed by another hand.</summary>
    public static DeviceAlias? Parse(string text)
    {
        var parts = text.Split(Separator);
        if (parts.Length != 6
            || parts[5] != Checksum(text[..^(parts[5].Length + 1)])
            || !long.TryParse(parts[3], CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(parts[4], CultureInfo.InvariantCulture, out var revision))
        {
            return null;
        }

        return new DeviceAlias(Unescape(parts[0]), Unescape(parts[1]), Unescape(parts[2]), epoch, revision);
    }

    /// <summary>Replaces hashed names by those of the record, if it is the record of this device.</summary>
    public DeviceAlias Resolve(DeviceRecord? record) => record is null ? this : this with
    {
        NicKey = Resolve(NicKey, record.NicKey),
        Switch = Resolve(Switch, record.Switch),
        Port = Resolve(Port, record.Port),
    };

    static string Resolve(string written, string recorded) =>
        written.StartsWith(HashMark) && written[1..] == DeviceNames.Hash(recorded) ? recorded : written;

    string Text(string[] names)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{string.Join(Separator, names)}|{Epoch}|{Revision}");
        return text + Separator + Checksum(text);
    }

    static string Checksum(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..ChecksumDigits];

    static string Escape(string name) => name
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("|", "%7C", StringComparison.Ordinal);

    static string Unescape(string name) => name
        .Replace("%7C", "|", StringComparison.Ordinal)
        .Replace("%25", "%", StringComparison.Ordinal);
}

/// <summary>What a bridge or an uplink says about itself: a word and the name of its switch.</summary>
static class SwitchAlias
{
    const string Switch = "switch|";
    const string Uplink = "uplink|";
    const string Joint = "joint|";

    /// <summary>Switch names have at most 64 characters (switch.md), so they always fit.</summary>
    public static string ForBridge(string switchName) => Switch + switchName;

    public static string ForUplink(string switchName) => Uplink + switchName;

    public static string? OfBridge(string alias) =>
        alias.StartsWith(Switch, StringComparison.Ordinal) ? alias[Switch.Length..] : null;

    public static string ForJoint(string switchName) => Joint + switchName;

    /// <summary>A device of the switch itself: an uplink, or what joins two of its bridges.</summary>
    public static bool IsInner(string alias) =>
        alias.StartsWith(Uplink, StringComparison.Ordinal) || alias.StartsWith(Joint, StringComparison.Ordinal);
}
