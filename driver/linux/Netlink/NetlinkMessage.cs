using System.Buffers.Binary;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>
/// One netlink request being written: header, fixed part, attributes. Native byte order is little-endian on every
/// machine that this driver runs on (x64, arm64).
/// </summary>
sealed class NetlinkMessage
{
    const int HeaderBytes = 16;
    const int Nested = 0x8000;

    // The longest request is a link with an alias of 255 bytes or a filter with its name, less than half of it.
    readonly byte[] _bytes = new byte[1024];
    int _length = HeaderBytes;

    public NetlinkMessage(ushort type, ushort flags, string what)
    {
        What = what;
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(6), flags);
    }

    /// <summary>For error texts: what this request wanted.</summary>
    public string What { get; }

    public NetlinkMessage Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
        _length = (_length + 3) & ~3;
        return this;
    }

    public NetlinkMessage LinkHeader(int index = 0, uint flags = 0, uint change = 0, byte family = 0)
    {
        Span<byte> header = stackalloc byte[16];
        header.Clear();
        header[0] = family;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], index);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], flags);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], change);
        return Append(header);
    }

    public NetlinkMessage Add(int type, ReadOnlySpan<byte> value)
    {
        Span<byte> header = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)(value.Length + 4));
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], (ushort)type);
        return Append(header).Append(value);
    }

    public NetlinkMessage Add(int type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Add(type, bytes);
    }

    public NetlinkMessage Add(int type, string text) => Add(type, Encoding.UTF8.GetBytes(text + '\0'));

    /// <summary>An attribute that holds attributes.</summary>
    public NetlinkMessage AddNested(int type, Action<NetlinkMessage> content)
    {
        var start = _length;
        Add(type | Nested, []);
        content(this);
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(start), (ushort)(_length - start));
        return this;
    }

    /// <param name="acknowledged">Asks for an answer, beside what the request already asks for.</param>
    public ReadOnlySpan<byte> Finish(uint sequence, bool acknowledged = false)
    {
        if (acknowledged)
        {
            _bytes[6] |= (byte)NetlinkFlags.Ack;
        }

        BinaryPrimitives.WriteInt32LittleEndian(_bytes, _length);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(8), sequence);
        return _bytes.AsSpan(0, _length);
    }
}

static class NetlinkFlags
{
    public const ushort Request = 0x1;
    public const ushort Ack = 0x4;
    public const ushort Echo = 0x8;
    public const ushort DumpInterrupted = 0x10;
    public const ushort AckCapped = 0x100;
    public const ushort AckAttributes = 0x200;
    public const ushort Exclusive = 0x200;
    public const ushort Replace = 0x100;
    public const ushort Dump = 0x300;
    public const ushort Create = 0x400;
}
