using System.Buffers.Binary;
using System.Text;
using static ControlPlane.DriverLinux.RulesetMessages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The parts of a transaction about the packet rules of devices (linux/netfilter/nfnetlink.h, nf_tables.h). What stands
/// between begin and end is done whole or not at all, and takes effect between two frames.
/// </summary>
static class RulesetChanges
{
    const ushort BeginType = 16;
    const ushort EndType = 17;
    const ushort NewTableType = Subsystem | 0;
    const ushort NewChainType = Subsystem | 3;
    const ushort DeleteChainType = Subsystem | 5;
    const ushort NewRuleType = Subsystem | 6;
    const ushort DeleteRuleType = Subsystem | 8;
    const ushort Fresh = NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive;
    const ushort Last = NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Append;

    public static NetlinkMessage Begin() => Edge(BeginType, "begin");

    public static NetlinkMessage End() => Edge(EndType, "end");

    /// <summary>One that is there is turned on if it was off, which goes by itself only.</summary>
    public static NetlinkMessage EnsureTable(string table) =>
        Message(NewTableType, NetlinkFlags.Request | NetlinkFlags.Create, "add table " + table).Add(TableName, table).Add(TableFlags, Big(0));

    /// <summary>It must have no rules.</summary>
    public static NetlinkMessage DeleteChain(string table, string chain) =>
        Message(DeleteChainType, NetlinkFlags.Request, "delete chain " + chain).Add(TableName, table).Add(ChainName, chain);

    public static NetlinkMessage NewChain(string table, string chain, HookInfo hook) =>
        Message(NewChainType, Fresh, "add chain " + chain).Add(TableName, table).Add(ChainName, chain)
            .AddNested(ChainHook, bound => bound
                .Add(HookNumber, Big(hook.Number)).Add(HookPriority, Big(unchecked((uint)hook.Priority))).Add(HookDevice, hook.Device))
            .Add(ChainPolicy, Big(hook.Policy)).Add(ChainType, "filter");

    /// <summary>The chain stays, without rules.</summary>
    public static NetlinkMessage Flush(string table, string chain) =>
        Message(DeleteRuleType, NetlinkFlags.Request, "flush chain " + chain).Add(TableName, table).Add(RuleChain, chain);

    /// <summary>Behind those that the chain has.</summary>
    public static NetlinkMessage NewRule(string table, string chain, PacketRule rule) =>
        Message(NewRuleType, Last, "add rule " + rule.Comment).Add(TableName, table).Add(RuleChain, chain)
            .AddNested(RuleExpressions, list => PacketExpressions.Write(list, rule))
            .Add(RuleUserData, Comment(rule.Comment));

    /// <summary>The rule as the kernel will tell it, before it counted anything.</summary>
    public static RuleInfo AsRead(string table, string chain, PacketRule rule) =>
        ReadRule(NewRule(table, chain, rule).Finish(0)) with { Packets = 0 };

    /// <summary>As the program nft keeps a comment, so that it lists it: type, length, text.</summary>
    static byte[] Comment(string text)
    {
        const byte comment = 0;
        var bytes = Encoding.UTF8.GetBytes(text + '\0');
        return [comment, checked((byte)bytes.Length), .. bytes];
    }

    static NetlinkMessage Edge(ushort type, string what) =>
        new NetlinkMessage(type, NetlinkFlags.Request, what).Append([0, 0, 0, Subsystem >> 8]);

    static byte[] Big(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
