namespace ControlPlane.DriverLinux;

/// <summary>What a rule does with a frame that it matches, as the kernel numbers it.</summary>
enum RuleVerdict
{
    Continue = -1,
    Drop = 0,
    Accept = 1,
}

/// <summary>Where a field is: what the kernel knows of a frame, or which of its headers.</summary>
enum FieldBase
{
    Meta = -1,
    Link = 0,
    Network = 1,
    Transport = 2,
}

/// <summary>A value of a frame: its place is a key of what the kernel knows, or bytes from the start of the header.</summary>
readonly record struct PacketField(FieldBase Base, uint Place, int Bytes)
{
    /// <summary>The type of frame below tags that the kernel took off: bytes in the frame would hold the tag.</summary>
    public static readonly PacketField Protocol = new(FieldBase.Meta, 1, 2);
    public static readonly PacketField InDeviceType = new(FieldBase.Meta, 8, 2);
    public static readonly PacketField TransportProtocol = new(FieldBase.Meta, 16, 1);
    public static readonly PacketField ArpSender = new(FieldBase.Network, 8, 6);

    public static PacketField Mac(bool source) => new(FieldBase.Link, source ? 6u : 0u, 6);

    public static PacketField Ip4(bool source) => new(FieldBase.Network, source ? 12u : 16u, 4);

    public static PacketField Ip6(bool source) => new(FieldBase.Network, source ? 8u : 24u, 16);

    public static PacketField Port(bool source) => new(FieldBase.Transport, source ? 0u : 2u, 2);
}

/// <summary>One condition: the field, with the mask on it if there is one, is the value (or is not).</summary>
sealed record FieldMatch(PacketField Field, byte[] Value, byte[]? Mask = null, bool Not = false)
{
    /// <summary>Numbers of two bytes stand in a frame with the higher one first.</summary>
    public static FieldMatch Of(PacketField field, int number) => new(field, [(byte)(number >> 8), (byte)(number & 0xff)]);
}

/// <summary>One rule: all conditions hold, then it is counted (if it has a counter, which starts at a number) and decided.</summary>
sealed record PacketRule(string Comment, IReadOnlyList<FieldMatch> Matches, RuleVerdict Verdict, long? Packets);
