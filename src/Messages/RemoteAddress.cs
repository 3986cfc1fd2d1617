using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Messages;

/// <summary>
/// The other side of an access rule (<see cref="AclRule.Remote"/>): a MAC, an IP address, or a prefix. It has one meaning
/// for whoever takes a rule in and for every data path that enforces it.
/// </summary>
public sealed class RemoteAddress
{
    const int MacBits = 48;

    readonly byte[] _bytes;

    RemoteAddress(RemoteKind kind, byte[] bytes, int prefix, string text)
    {
        (Kind, _bytes, Prefix, Text) = (kind, bytes, prefix, text);
    }

    public RemoteKind Kind { get; }

    /// <summary>In network order; none is set beyond <see cref="Prefix"/>.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Leading bits that count; all of them for a MAC or a single address.</summary>
    public int Prefix { get; }

    /// <summary>The canonical form.</summary>
    public string Text { get; }

    /// <summary>
    /// Null when the text is none of them. A prefix with bits outside of it is none: it says two things. Nor is an
    /// IPv4 address in another form than four decimal numbers, which some readers take for another address.
    /// </summary>
    public static RemoteAddress? Parse(string text)
    {
        if (MacAddress.Canonical(text) is { } mac)
        {
            return new RemoteAddress(RemoteKind.Mac, Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal)), MacBits, mac);
        }
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text : text[..slash];
        if (address.Contains('%', StringComparison.Ordinal) || !IPAddress.TryParse(address, out var ip))
        {
            return null;
        }
        var (bytes, v4) = (ip.GetAddressBytes(), ip.AddressFamily == AddressFamily.InterNetwork);
        if (v4 && address != ip.ToString())
        {
            return null;
        }
        var kind = v4 ? RemoteKind.Ip4 : RemoteKind.Ip6;
        if (slash < 0)
        {
            return new RemoteAddress(kind, bytes, bytes.Length * 8, ip.ToString());
        }
        return int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)
            && prefix <= bytes.Length * 8 && IsPrefix(bytes, prefix)
            ? new RemoteAddress(kind, bytes, prefix, string.Create(CultureInfo.InvariantCulture, $"{ip}/{prefix}"))
            : null;
    }

    /// <param name="mac">In canonical form.</param>
    public bool Is(string mac) => Kind == RemoteKind.Mac && Text == mac;

    /// <summary>The address is it, or within the prefix. An IPv4 address is within no IPv6 prefix.</summary>
    public bool Contains(IPAddress address)
    {
        var other = address.GetAddressBytes();
        if (Kind == RemoteKind.Mac || other.Length != _bytes.Length)
        {
            return false;
        }
        for (var bit = 0; bit < Prefix; bit++)
        {
            if (((other[bit / 8] ^ _bytes[bit / 8]) & (0x80 >> (bit % 8))) != 0)
            {
                return false;
            }
        }
        return true;
    }

    static bool IsPrefix(byte[] address, int bits)
    {
        for (var bit = bits; bit < address.Length * 8; bit++)
        {
            if ((address[bit / 8] & (0x80 >> (bit % 8))) != 0)
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary>What a <see cref="RemoteAddress"/> is compared with.</summary>
public enum RemoteKind
{
    Mac = 1,
    Ip4,
    Ip6,
}
