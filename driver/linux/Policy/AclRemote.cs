using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ControlPlane.DriverLinux;

/// <summary>The other side of an access rule, in the one form that the rule's text may contain.</summary>
sealed record AclRemote(string Family, string Address, int Prefix, int PrefixMax)
{
    public static AclRemote? Parse(string text)
    {
        if (MacText.Canonical(text) is { } mac)
        {
            return new AclRemote("ether", mac, 48, 48);
        }

        var parts = text.Split('/');
        if (parts.Length > 2 || parts[0].Contains('%') || !IPAddress.TryParse(parts[0], out var address))
        {
            return null;
        }

        var bytes = address.GetAddressBytes();
        var max = bytes.Length * 8;
        var prefix = max;
        if (address.AddressFamily == AddressFamily.InterNetwork && parts[0].Count(c => c == '.') != 3
            || parts.Length == 2 && (!int.TryParse(parts[1], CultureInfo.InvariantCulture, out prefix) || prefix < 0 || prefix > max))
        {
            return null;
        }

        for (var bit = prefix; bit < max; bit++)
        {
            bytes[bit / 8] &= (byte)(0xff ^ (0x80 >> (bit % 8)));
        }

        return new AclRemote(max == 32 ? "ip" : "ip6", new IPAddress(bytes).ToString(), prefix, max);
    }

    /// <summary>
    /// The protocol is asked for explicitly: what the library would ask compares bytes that hold a tag if there is one.
    /// </summary>
    public string Match(string field) => (Family, Prefix) switch
    {
        ("ether", _) => $"ether {field} {Address}",
        (_, 0) => $"meta protocol {Family}",
        _ when Prefix == PrefixMax => $"meta protocol {Family} {Family} {field} {Address}",
        _ => $"meta protocol {Family} {Family} {field} {Address}/{Prefix.ToString(CultureInfo.InvariantCulture)}",
    };
}
