using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>A link as the kernel tells it.</summary>
sealed record LinkInfo(int Index, string Name, bool Up, int Master, string Alias, string Kind, int Mtu = 0);

/// <summary>The far end of a veth pair: its name, the open namespace that it is born in, its MAC (or null).</summary>
readonly record struct VethPeer(string Name, SafeHandle Namespace, byte[]? Mac = null);

/// <summary>
/// What one request changes of a link; null leaves a thing as it is. Master 0 takes it off its bridge.
/// </summary>
readonly record struct LinkChange(
    bool? Up = null, int? Master = null, string? Alias = null, int? Mtu = null, int? Group = null);

/// <summary>Requests about links in the kernel's encoding (linux/if_link.h), and the reading of its answers.</summary>
static class LinkMessages
{
    public const ushort NewLink = 16;
    public const ushort DeleteLink = 17;
    const ushort GetLink = 18;
    const ushort SetLink = 19;
    const ushort NewAddress = 20;

    const int HeaderBytes = 16;
    const int LinkHeaderBytes = 16;
    const byte FamilyBridge = 7;
    const uint FlagUp = 1;

    const int Address = 1;
    const int Name = 3;
    const int Mtu = 4;
    const int Master = 10;
    const int PortInfo = 12;
    const int LinkInfoAttribute = 18;
    const int Alias = 20;
    const int Group = 27;
    const int NamespaceDescriptor = 28;
    const int ExtendedMask = 29;

    const ushort Acknowledged = NetlinkFlags.Request | NetlinkFlags.Ack;
    const ushort Fresh = Acknowledged | NetlinkFlags.Create | NetlinkFlags.Exclusive;

    public static NetlinkMessage Get(string name) =>
        new NetlinkMessage(GetLink, Acknowledged, "get link " + name).LinkHeader().Add(Name, name);

    public static NetlinkMessage Get(int index) =>
        new NetlinkMessage(GetLink, Acknowledged, "get link " + index).LinkHeader(index);

    public static NetlinkMessage All(int master)
    {
        const uint withoutStatistics = 8;
        var message = new NetlinkMessage(GetLink, NetlinkFlags.Request | NetlinkFlags.Dump, "list links")
            .LinkHeader().Add(ExtendedMask, withoutStatistics);
        return master == 0 ? message : message.Add(Master, (uint)master);
    }

    /// <param name="silent">One that only joins two wires: without multicast snooping it sends no frames of its own.</param>
    public static NetlinkMessage AddBridge(string name, bool silent)
    {
        const int multicastSnooping = 23;
        return new NetlinkMessage(NewLink, Fresh, "add bridge " + name).LinkHeader().Add(Name, name)
            .AddNested(LinkInfoAttribute, info =>
            {
                info.Add(1, "bridge");
                if (silent)
                {
                    info.AddNested(2, data => data.Add(multicastSnooping, [0]));
                }
            });
    }

    /// <summary>Both ends are born down.</summary>
    public static NetlinkMessage AddVeth(string name, VethPeer peer, int mtu) =>
        new NetlinkMessage(NewLink, Fresh, "add veth " + name).LinkHeader().Add(Name, name).Add(Mtu, (uint)mtu)
            .AddNested(LinkInfoAttribute, info => info.Add(1, "veth").AddNested(2, data => data.AddNested(1, far =>
            {
                far.LinkHeader().Add(Name, peer.Name).Add(Mtu, (uint)mtu)
                    .Add(NamespaceDescriptor, (uint)peer.Namespace.DangerousGetHandle());
                if (peer.Mac is not null)
                {
                    far.Add(Address, peer.Mac);
                }
            })));

    public static NetlinkMessage Change(LinkInfo link, LinkChange change)
    {
        var message = new NetlinkMessage(NewLink, Acknowledged, "change link " + link.Name)
            .LinkHeader(link.Index, change.Up is true ? FlagUp : 0, change.Up is null ? 0 : FlagUp);
        if (change.Mtu is { } mtu)
        {
            message.Add(Mtu, (uint)mtu);
        }

        if (change.Group is { } group)
        {
            message.Add(Group, (uint)group);
        }

        if (change.Alias is { } alias)
        {
            // Without the closing zero: the kernel counts it into the 255.
            message.Add(Alias, Encoding.UTF8.GetBytes(alias));
        }

        return change.Master is { } master ? message.Add(Master, (uint)master) : message;
    }

    /// <summary>An isolated port of a bridge exchanges frames with the ports that are not isolated only.</summary>
    public static NetlinkMessage Isolate(LinkInfo port)
    {
        const int isolated = 33;
        return new NetlinkMessage(SetLink, Acknowledged, "isolate port " + port.Name)
            .LinkHeader(port.Index, family: FamilyBridge)
            .AddNested(PortInfo, info => info.Add(isolated, [1]));
    }

    public static NetlinkMessage Delete(LinkInfo link) =>
        new NetlinkMessage(DeleteLink, Acknowledged, "delete link " + link.Name).LinkHeader(link.Index);

    public static NetlinkMessage DeleteGroup(int group) =>
        new NetlinkMessage(DeleteLink, Acknowledged, "delete link group " + group).LinkHeader().Add(Group, (uint)group);

    public static NetlinkMessage AddAddress(LinkInfo link, byte[] address, byte prefixLength)
    {
        const byte inet = 2;
        Span<byte> header = stackalloc byte[8];
        header.Clear();
        header[0] = inet;
        header[1] = prefixLength;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], link.Index);
        return new NetlinkMessage(NewAddress, Fresh, "add address to " + link.Name)
            .Append(header).Add(1, address).Add(2, address);
    }

    /// <summary>Of a message with header: the link that it is about.</summary>
    public static LinkInfo Read(ReadOnlySpan<byte> message)
    {
        var body = message[HeaderBytes..];
        var link = new LinkInfo(
            BinaryPrimitives.ReadInt32LittleEndian(body[4..]), "",
            (BinaryPrimitives.ReadUInt32LittleEndian(body[8..]) & FlagUp) != 0, 0, "", "");
        foreach (var attribute in new NetlinkAttributes(body[LinkHeaderBytes..]))
        {
            link = attribute.Type switch
            {
                Name => link with { Name = Text(attribute.Value) },
                Mtu => link with { Mtu = BinaryPrimitives.ReadInt32LittleEndian(attribute.Value) },
                Master => link with { Master = BinaryPrimitives.ReadInt32LittleEndian(attribute.Value) },
                Alias => link with { Alias = Text(attribute.Value) },
                LinkInfoAttribute => link with { Kind = Kind(attribute.Value) },
                _ => link,
            };
        }

        return link;
    }

    static string Kind(ReadOnlySpan<byte> linkInfo)
    {
        foreach (var attribute in new NetlinkAttributes(linkInfo))
        {
            if (attribute.Type == 1)
            {
                return Text(attribute.Value);
            }
        }

        return "";
    }

    static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value).TrimEnd('\0');
}
