using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using ControlPlane.DriverLinux;
using Microsoft.Win32.SafeHandles;

namespace ControlPlane.Kernel.Tests;

/// <summary>A frame as it was on the wire; <see cref="Tag"/> is its VLAN id, 0 without a tag.</summary>
sealed record Frame(int Tag, string Source, ushort Type, byte[] Payload)
{
    public string Text => Encoding.ASCII.GetString(Payload).TrimEnd('\0');

    public static Frame Parse(ReadOnlySpan<byte> bytes)
    {
        var type = BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]);
        var source = MacText.Of(bytes[6..12]);
        return type == Wire.TagType
            ? new Frame(BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]) & 0xfff, source, BinaryPrimitives.ReadUInt16BigEndian(bytes[16..]), bytes[18..].ToArray())
            : new Frame(0, source, type, bytes[14..].ToArray());
    }
}

/// <summary>
/// The device of a guest seen from within: sends any frame and keeps all that arrive. The kernel takes a tag off before
/// it shows a frame and tells it beside; here it is put back where it was.
/// </summary>
sealed unsafe partial class Wire : IDisposable
{
    public const ushort TagType = 0x8100;
    public const ushort IpType = 0x0800;
    public const ushort Ip6Type = 0x86dd;
    public const ushort ArpType = 0x0806;

    /// <summary>For local experiments: no stack answers it.</summary>
    public const ushort ProbeType = 0x88b5;
    public const string Everybody = "ff:ff:ff:ff:ff:ff";

    const int AllProtocols = 0x0300;
    const int SolPacket = 263;

    readonly SafeFileHandle _socket;
    readonly string _mac;
    readonly byte[] _buffer = new byte[70_000];

    public Wire(string networkNamespace, string device, string mac)
    {
        _mac = mac;
        _socket = NetworkNamespace.Run(networkNamespace, () => Open(device));
    }

    public List<Frame> Heard { get; } = [];

    public void Send(string text, int tag = 0, string to = Everybody, string? from = null) =>
        Send(ProbeType, Encoding.ASCII.GetBytes(text), tag, to, from);

    public void Send(ushort type, byte[] payload, int tag = 0, string to = Everybody, string? from = null)
    {
        List<byte> bytes = [.. MacText.Bytes(to), .. MacText.Bytes(from ?? _mac)];
        if (tag != 0)
        {
            bytes.AddRange([0x81, 0x00, (byte)(tag >> 8), (byte)(tag & 0xff)]);
        }

        bytes.AddRange([(byte)(type >> 8), (byte)(type & 0xff), .. payload]);
        while (bytes.Count < 60)
        {
            bytes.Add(0);
        }

        var frame = bytes.ToArray();
        fixed (byte* start = frame)
        {
            Assert.Equal(frame.Length, (int)Libc.Send(_socket, start, frame.Length, 0));
        }
    }

    /// <summary>All that has arrived by now, and what came before.</summary>
    public List<Frame> Hear()
    {
        while (Receive() is { } frame)
        {
            Heard.Add(frame);
        }

        return Heard;
    }

    /// <summary>Probes that arrived, as "text" or "text@tag".</summary>
    public string[] Probes() =>
    [
        .. Hear().Where(frame => frame.Type == ProbeType)
            .Select(frame => frame.Tag == 0 ? frame.Text : $"{frame.Text}@{frame.Tag}").Distinct(),
    ];

    /// <summary>A UDP packet, without a checksum.</summary>
    public static byte[] Udp(string from, string to, int fromPort, int toPort, string text)
    {
        var content = Encoding.ASCII.GetBytes(text);
        var packet = new byte[28 + content.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        packet[8] = 64;
        packet[9] = 17;
        IPAddress.Parse(from).GetAddressBytes().CopyTo(packet, 12);
        IPAddress.Parse(to).GetAddressBytes().CopyTo(packet, 16);
        var sum = 0u;
        for (var place = 0; place < 20; place += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(place));
        }

        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), (ushort)(0xffff ^ ((sum & 0xffff) + (sum >> 16))));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(20), (ushort)fromPort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(22), (ushort)toPort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(24), (ushort)(8 + content.Length));
        content.CopyTo(packet, 28);
        return packet;
    }

    /// <summary>A UDP packet to an IPv6 address.</summary>
    public static byte[] Udp6(string to, int toPort, string text) =>
    [
        0x60, 0, 0, 0, 0, (byte)(8 + text.Length), 17, 64,
        .. IPAddress.Parse("2001:db8::99").GetAddressBytes(), .. IPAddress.Parse(to).GetAddressBytes(),
        0, 9, (byte)(toPort >> 8), (byte)(toPort & 0xff), 0, (byte)(8 + text.Length), 0, 0, .. Encoding.ASCII.GetBytes(text),
    ];

    /// <summary>"Who has that address? Tell me", in the name of any MAC.</summary>
    public static byte[] Arp(string senderMac, string senderAddress, string asked) =>
    [
        0, 1, 8, 0, 6, 4, 0, 1, .. MacText.Bytes(senderMac), .. IPAddress.Parse(senderAddress).GetAddressBytes(),
        0, 0, 0, 0, 0, 0, .. IPAddress.Parse(asked).GetAddressBytes(),
    ];

    public void Dispose() => _socket.Dispose();

    static SafeFileHandle Open(string device)
    {
        const int auxiliaryData = 8;
        const int ignoreOutgoing = 23;
        const int receiveBufferForce = 33;
        var descriptor = Libc.Socket(17, 3, AllProtocols);
        Libc.Check(descriptor, "socket of packets");
        var address = stackalloc byte[20];
        new Span<byte>(address, 20).Clear();
        address[0] = 17;
        *(ushort*)(address + 2) = AllProtocols;
        *(int*)(address + 4) = IndexOf(device);
        Libc.Check(Libc.Bind(descriptor, address, 20), "bind to " + device);
        var (on, bytes) = (1, 64 << 20);
        Libc.Check(Libc.SetSocketOption(descriptor, SolPacket, auxiliaryData, &on, 4), "ask for tags");
        Libc.Check(Libc.SetSocketOption(descriptor, SolPacket, ignoreOutgoing, &on, 4), "ignore our own");
        Libc.Check(Libc.SetSocketOption(descriptor, 1, receiveBufferForce, &bytes, 4), "set the buffer");
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    Frame? Receive()
    {
        const int doNotWait = 0x40;
        var control = stackalloc byte[128];
        fixed (byte* start = _buffer)
        {
            Vector vector = new() { Start = start, Length = (nuint)_buffer.Length };
            Message message = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 128 };
            var length = (int)ReceiveMessage(_socket, &message, doNotWait);
            return length < 14 ? null : Restore(_buffer.AsSpan(0, length), message);
        }
    }

    static Frame Restore(ReadOnlySpan<byte> bytes, Message message)
    {
        const int headerBytes = 16;
        const uint tagIsValid = 0x10;
        var frame = Frame.Parse(bytes);
        var auxiliary = new ReadOnlySpan<byte>(message.Control + headerBytes, 20);
        return message.ControlLength > headerBytes && (BinaryPrimitives.ReadUInt32LittleEndian(auxiliary) & tagIsValid) != 0
            ? frame with { Tag = BinaryPrimitives.ReadUInt16LittleEndian(auxiliary[16..]) & 0xfff }
            : frame;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Vector
    {
        public byte* Start;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(SafeHandle socket, Message* message, int flags);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int IndexOf(string device);
}
