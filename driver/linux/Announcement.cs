using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Tells the network where a guest's address is (switch.md 4.5): a reverse ARP request in the guest's name, as QEMU sends
/// it, out of every port of its bridge but its own, and so out of the uplink. Other switches learn the source address from
/// it; nobody answers. The guest itself must not hear it: a switch inside it would take its own address to be outside, and
/// drop what is sent to it. The guest's own IP addresses are the guest's to announce: the host does not know them.
/// </summary>
static unsafe class Announcement
{
    const int AfPacket = 17;
    const int SocketRaw = 3;
    const ushort ReverseArp = 0x8035;
    const ushort Tag = 0x8100;
    const int FrameMin = 60;
    const int AddressBytes = 20;

    // Of a port that went, or went down, since it was looked up: nobody is behind it.
    const int NoSuchAddress = 6;
    const int NoSuchDevice = 19;
    const int NetworkDown = 100;

    /// <summary>A trunk is announced on its first ids only: each is a frame.</summary>
    const int TagsMax = 32;

    /// <summary>One round, out of each of the ports that is up when its turn comes.</summary>
    public static void Send(string networkNamespace, IEnumerable<LinkInfo> ports, string mac, VlanPolicy? vlan)
    {
        var frames = Tags(vlan).Select(tag => Frame(MacText.Bytes(mac), tag)).ToList();
        using var socket = NetworkNamespace.Run(networkNamespace, Open);
        foreach (var port in ports)
        {
            frames.ForEach(frame => Send(socket, port, frame, mac));
        }
    }

    static void Send(SafeSocketHandle socket, LinkInfo port, byte[] frame, string mac)
    {
        // struct sockaddr_ll: family, protocol, index, and what a sender need not say.
        var address = stackalloc byte[AddressBytes];
        new Span<byte>(address, AddressBytes).Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(new Span<byte>(address, 2), AfPacket);
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(address + 4, 4), port.Index);
        fixed (byte* bytes = frame)
        {
            if (Libc.SendTo(socket, bytes, frame.Length, 0, address, AddressBytes) < 0
                && Marshal.GetLastPInvokeError() is not (NoSuchDevice or NoSuchAddress or NetworkDown))
            {
                throw KernelException.Last($"announce {mac} out of {port.Name}");
            }
        }
    }

    /// <summary>The tags that the guest's frames have inside the switch; 0: none.</summary>
    public static IEnumerable<int> Tags(VlanPolicy? vlan) => vlan switch
    {
        VlanPolicy.Access(var id) => [id],
        VlanPolicy.Trunk(var native, var allowed) =>
            allowed.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1)).Prepend(native).Distinct().Take(TagsMax),
        VlanPolicy.Private(PrivateVlanMode.Promiscuous, var primary, _) => [primary],
        VlanPolicy.Private(_, _, [var secondary, ..]) => [secondary],
        _ => [0],
    };

    /// <summary>RFC 903: "who am I", from the address and for it, to everybody.</summary>
    public static byte[] Frame(byte[] mac, int tag)
    {
        var frame = new byte[FrameMin + (tag > 0 ? 4 : 0)];
        frame.AsSpan(0, 6).Fill(0xff);
        mac.CopyTo(frame, 6);
        var at = 12;
        if (tag > 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at), Tag);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at + 2), (ushort)tag);
            at += 4;
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at), ReverseArp);
        ReadOnlySpan<byte> request = [0, 1, 8, 0, 6, 4, 0, 3];
        request.CopyTo(frame.AsSpan(at + 2));
        mac.CopyTo(frame, at + 10);
        mac.CopyTo(frame, at + 20);
        return frame;
    }

    static SafeSocketHandle Open()
    {
        var handle = Libc.Socket(AfPacket, SocketRaw | Libc.CloseOnExec, 0);
        Libc.Check(handle, "open a packet socket");
        return new SafeSocketHandle(handle, ownsHandle: true);
    }
}
