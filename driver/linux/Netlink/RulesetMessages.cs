using System.Buffers.Binary;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>A packet rule as the kernel tells it.</summary>
/// <param name="Packets">Of its counter; 0 without one.</param>
/// <param name="Digest">Of what it does, its counter's state aside: another digest is another rule.</param>
readonly record struct RuleInfo(string Table, string Chain, string Comment, long Packets, string Digest);

/// <summary>Where the kernel calls a chain: for which device's frames, in which turn, and what becomes of those that no rule decides.</summary>
readonly record struct HookInfo(uint Number, int Priority, string Device, uint Policy)
{
    const uint Ingress = 0;
    const uint Egress = 1;
    const int Early = -200;
    const uint Accept = 1;

    /// <summary>Frames from the guest.</summary>
    public static HookInfo Outbound(string device) => new(Ingress, Early, device, Accept);

    /// <summary>Frames to the guest.</summary>
    public static HookInfo Inbound(string device) => new(Egress, Early, device, Accept);
}

/// <summary>Without a hook: the kernel does not call it by itself.</summary>
readonly record struct ChainInfo(string Table, string Name, HookInfo? Hook);

/// <summary>
/// Questions about the packet rules of devices (family netdev) in the kernel's encoding (linux/netfilter/nf_tables.h), and
/// the reading of its answers.
/// </summary>
static class RulesetMessages
{
    public const ushort Subsystem = 10 << 8;
    public const byte Devices = 5;
    public const int TableName = 1;
    public const int TableFlags = 2;
    public const int ChainName = 3;
    public const int ChainHook = 4;
    public const int ChainPolicy = 5;
    public const int ChainType = 7;
    public const int HookNumber = 1;
    public const int HookPriority = 2;
    public const int HookDevice = 3;
    public const int RuleChain = 2;
    public const int RuleExpressions = 4;
    public const int RuleUserData = 7;

    const ushort GetTableType = Subsystem | 1;
    const ushort GetChainType = Subsystem | 4;
    const ushort GetRuleType = Subsystem | 7;
    const ushort GetGenerationType = Subsystem | 16;
    const int HeaderBytes = 16 + 4;

    const ushort Acknowledged = NetlinkFlags.Request | NetlinkFlags.Ack;
    const ushort Dump = NetlinkFlags.Request | NetlinkFlags.Dump;

    /// <summary>The number of the last transaction in this namespace.</summary>
    public static NetlinkMessage Generation() => Message(GetGenerationType, Acknowledged, "get ruleset generation");

    public static NetlinkMessage Tables() => Message(GetTableType, Dump, "list tables");

    public static NetlinkMessage Table(string table) =>
        Message(GetTableType, Acknowledged, "get table " + table).Add(TableName, table);

    public static NetlinkMessage Chains() => Message(GetChainType, Dump, "list chains");

    public static NetlinkMessage Chain(string table, string chain) =>
        Message(GetChainType, Acknowledged, "get chain " + chain).Add(TableName, table).Add(ChainName, chain);

    /// <summary>Of one chain, or of all.</summary>
    public static NetlinkMessage Rules(string? table, string? chain)
    {
        var message = Message(GetRuleType, Dump, "list rules of " + (chain ?? "all devices"));
        return table is null || chain is null ? message : message.Add(TableName, table).Add(RuleChain, chain);
    }

    public static uint ReadGeneration(ReadOnlySpan<byte> message)
    {
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            if (attribute.Type == 1)
            {
                return BinaryPrimitives.ReadUInt32BigEndian(attribute.Value);
            }
        }

        return 0;
    }

    public static (string Name, uint Flags) ReadTable(ReadOnlySpan<byte> message)
    {
        var (name, flags) = ("", 0u);
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            name = attribute.Type == TableName ? Text(attribute.Value) : name;
            flags = attribute.Type == TableFlags ? BinaryPrimitives.ReadUInt32BigEndian(attribute.Value) : flags;
        }

        return (name, flags);
    }

    public static ChainInfo ReadChain(ReadOnlySpan<byte> message)
    {
        var (table, name, policy) = ("", "", 0u);
        HookInfo? hook = null;
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            switch (attribute.Type)
            {
                case TableName:
                    table = Text(attribute.Value);
                    break;
                case ChainName:
                    name = Text(attribute.Value);
                    break;
                case ChainHook:
                    hook = ReadHook(attribute.Value);
                    break;
                case ChainPolicy:
                    policy = BinaryPrimitives.ReadUInt32BigEndian(attribute.Value);
                    break;
                default:
                    break;
            }
        }

        return new ChainInfo(table, name, hook is { } bound ? bound with { Policy = policy } : null);
    }

    public static RuleInfo ReadRule(ReadOnlySpan<byte> message)
    {
        var rule = new RuleInfo("", "", "", 0, "");
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            switch (attribute.Type)
            {
                case TableName:
                    rule = rule with { Table = Text(attribute.Value) };
                    break;
                case RuleChain:
                    rule = rule with { Chain = Text(attribute.Value) };
                    break;
                case RuleUserData:
                    rule = rule with { Comment = Comment(attribute.Value) };
                    break;
                case RuleExpressions:
                    var (packets, digest) = PacketExpressions.Read(attribute.Value);
                    rule = rule with { Packets = packets, Digest = digest };
                    break;
                default:
                    break;
            }
        }

        return rule;
    }

    public static NetlinkMessage Message(ushort type, ushort flags, string what) =>
        new NetlinkMessage(type, flags, what).Append([Devices, 0, 0, 0]);

    /// <summary>One that is called for several devices names none here.</summary>
    static HookInfo ReadHook(ReadOnlySpan<byte> hook)
    {
        var read = default(HookInfo) with { Device = "" };
        foreach (var attribute in new NetlinkAttributes(hook))
        {
            read = attribute.Type switch
            {
                HookNumber => read with { Number = BinaryPrimitives.ReadUInt32BigEndian(attribute.Value) },
                HookPriority => read with { Priority = BinaryPrimitives.ReadInt32BigEndian(attribute.Value) },
                HookDevice => read with { Device = Text(attribute.Value) },
                _ => read,
            };
        }

        return read;
    }

    /// <summary>A comment is kept as type, length and text, as the program nft does.</summary>
    static string Comment(ReadOnlySpan<byte> userData) =>
        userData.Length > 2 && userData[0] == 0 && userData[1] <= userData.Length - 2
            ? Text(userData.Slice(2, userData[1]))
            : "";

    static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value).TrimEnd('\0');
}
