using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>The other side of an access rule: a MAC or an IP address, or the first bits of one.</summary>
sealed record AclRemote(RemoteKind Kind, byte[] Address, int Prefix)
{
    const int Ip4Type = 0x0800;
    const int Ip6Type = 0x86dd;

    // ARPHRD_ETHER, in the machine's byte order.
    static readonly FieldMatch FromEthernet = new(PacketField.InDeviceType, [1, 0]);

    public static AclRemote? Parse(string text) =>
        RemoteAddress.Parse(text) is { } remote ? new AclRemote(remote.Kind, [.. remote.Bytes], remote.Prefix) : null;

    /// <param name="entering">From the guest: the remote is where the frame goes to, else where it comes from.</param>
    public IEnumerable<FieldMatch> Match(bool entering)
    {
        var source = !entering;
        if (Kind == RemoteKind.Mac)
        {
            return Mac(entering, source, Address);
        }

        var v4 = Kind == RemoteKind.Ip4;
        var type = OfType(v4 ? Ip4Type : Ip6Type);
        return Prefix == 0
            ? [type]
            : [type, new FieldMatch(
                v4 ? PacketField.Ip4(source) : PacketField.Ip6(source), Address,
                Prefix == Address.Length * 8 ? null : MaskOf(Prefix, Address.Length))];
    }

    /// <summary>
    /// The type of the device is asked for where the kernel knows one, which is where a frame comes in: with it
    /// a listing of the rules shows the address as one.
    /// </summary>
    public static IEnumerable<FieldMatch> Mac(bool entering, bool source, byte[] address, bool not = false)
    {
        var match = new FieldMatch(PacketField.Mac(source), address, Not: not);
        return entering ? [FromEthernet, match] : [match];
    }

    public static FieldMatch OfType(int type) => FieldMatch.Of(PacketField.Protocol, type);

    static byte[] MaskOf(int prefix, int bytes)
    {
        var mask = new byte[bytes];
        for (var bit = 0; bit < prefix; bit++)
        {
            mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return mask;
    }
}
