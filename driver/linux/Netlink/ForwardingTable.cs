using System.Buffers.Binary;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>What a bridge has learned: which source addresses are behind which of its ports.</summary>
sealed class ForwardingTable(NetlinkSocket socket) : IDisposable
{
    const ushort NewNeighbour = 28;
    const ushort GetNeighbour = 30;
    const byte FamilyBridge = 7;
    const byte AtMaster = 4;
    const ushort Reachable = 0x02;
    const ushort Static = 0x40;
    const ushort Permanent = 0x80;
    const int HeaderBytes = 16;
    const int NeighbourHeaderBytes = 12;
    const int LinkAddress = 2;
    const int MasterAttribute = 10;

    public static ForwardingTable Open(string networkNamespace) => new(NetlinkSocket.Open(networkNamespace));

    /// <summary>Learned addresses in order, at most <see cref="NicRuntime.LearnedMax"/>: none that the bridge or an operator put there.</summary>
    public List<string> Learned(LinkInfo port)
    {
        var entries = socket.Collect(
            () => new NetlinkMessage(GetNeighbour, NetlinkFlags.Request | NetlinkFlags.Dump, "list addresses behind " + port.Name)
                .LinkHeader(port.Index, family: FamilyBridge).Add(MasterAttribute, (uint)port.Master),
            bytes => Read(bytes));
        return
        [
            .. entries.Where(entry => entry.Port == port.Index && entry.Address.Length > 0
                    && (entry.State & (Static | Permanent)) == 0)
                .Select(entry => entry.Address).Distinct().Order(StringComparer.Ordinal).Take(NicRuntime.LearnedMax),
        ];
    }

    /// <summary>As if a frame with that source had come in; it ages like any other.</summary>
    public void Learn(LinkInfo port, string address)
    {
        Span<byte> header = stackalloc byte[NeighbourHeaderBytes];
        header.Clear();
        header[0] = FamilyBridge;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], port.Index);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], Reachable);
        header[10] = AtMaster;
        socket.Request(new NetlinkMessage(
                NewNeighbour, NetlinkFlags.Request | NetlinkFlags.Ack | NetlinkFlags.Create | NetlinkFlags.Replace,
                $"learn {address} behind {port.Name}")
            .Append(header).Add(LinkAddress, MacText.Bytes(address)));
    }

    public void Dispose() => socket.Dispose();

    static (int Port, ushort State, string Address) Read(ReadOnlySpan<byte> message)
    {
        var body = message[HeaderBytes..];
        var address = "";
        foreach (var attribute in new NetlinkAttributes(body[NeighbourHeaderBytes..]))
        {
            address = attribute.Type == LinkAddress ? MacText.Of(attribute.Value) : address;
        }

        return (
            BinaryPrimitives.ReadInt32LittleEndian(body[4..]), BinaryPrimitives.ReadUInt16LittleEndian(body[8..]), address);
    }
}
