using System.Buffers.Binary;

namespace ControlPlane.Messages;

/// <summary>
/// The counted strings of the switch's structures (switch.md 1.4): a little-endian USHORT length in bytes, then UTF-16.
/// They end where the length says, at no NUL; one within the length belongs to the text.
/// </summary>
public static class CountedString
{
    /// <summary>UTF-16 units that fit.</summary>
    public const int UnitsMax = 256;

    /// <summary>The text at the start of the bytes, or null if the length is odd, too large, or more than is there.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return null;
        }
        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        if (length % 2 != 0 || length > 2 * UnitsMax || length > bytes.Length - 2)
        {
            return null;
        }
        var units = new char[length / 2];
        for (var i = 0; i < units.Length; i++)
        {
            units[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 + 2 * i)..]);
        }
        return new string(units);
    }
}
