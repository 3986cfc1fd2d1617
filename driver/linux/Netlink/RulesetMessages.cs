using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>A packet rule as the kernel tells it.</summary>
/// <param name="Packets">Of its counter; 0 without one.</param>
/// <param name="Digest">Of what it does, its counter's state aside: another digest is another rule.</param>
readonly record struct RuleInfo(string Chain, string Comment, long Packets, string Digest);

/// <summary>
/// Questions about packet rules in the kernel's encoding (linux/netfilter/nf_tables.h). Rules are written by the library;
/// they are read here, because of thousands of ports only what is asked for may be read, and in one question.
/// </summary>
static class RulesetMessages
{
    const ushort Subsystem = 10 << 8;
    const ushort GetChainType = Subsystem | 4;
    const ushort GetRuleType = Subsystem | 7;
    const ushort GetElementType = Subsystem | 13;
    const ushort GetGenerationType = Subsystem | 16;
    const byte Bridge = 7;
    const int HeaderBytes = 16 + 4;

    const int Table = 1;
    const int RuleChain = 2;
    const int RuleExpressions = 4;
    const int RuleUserData = 7;
    const int ChainName = 3;
    const int ElementSet = 2;
    const int ElementList = 3;
    const int ListElement = 1;
    const int ElementKey = 1;
    const int ElementData = 2;
    const int DataValue = 1;
    const int DataVerdict = 2;
    const int VerdictChain = 2;
    const int ExpressionName = 1;
    const int ExpressionData = 2;
    const int CounterPackets = 2;
    const int NameBytesMax = 16;

    const ushort Acknowledged = NetlinkFlags.Request | NetlinkFlags.Ack;
    const ushort Dump = NetlinkFlags.Request | NetlinkFlags.Dump;

    /// <summary>The number of the last transaction in this namespace.</summary>
    public static NetlinkMessage Generation() => Message(GetGenerationType, Acknowledged, "get ruleset generation");

    public static NetlinkMessage Chain(string table, string chain) =>
        Message(GetChainType, Acknowledged, "get chain " + chain).Add(Table, table).Add(ChainName, chain);

    public static NetlinkMessage Chains() => Message(GetChainType, Dump, "list chains");

    /// <summary>Of the table, or of one chain.</summary>
    public static NetlinkMessage Rules(string table, string? chain)
    {
        var message = Message(GetRuleType, Dump, "list rules of " + (chain ?? table)).Add(Table, table);
        return chain is null ? message : message.Add(RuleChain, chain);
    }

    public static NetlinkMessage Elements(string table, string map) =>
        Message(GetElementType, Dump, "list elements of " + map).Add(Table, table).Add(ElementSet, map);

    /// <summary>The element of one device.</summary>
    public static NetlinkMessage Element(string table, string map, string device)
    {
        var key = new byte[NameBytesMax];
        Encoding.ASCII.GetBytes(device, key);
        return Message(GetElementType, Acknowledged, $"get element {device} of {map}").Add(Table, table).Add(ElementSet, map)
            .AddNested(ElementList, list => list.AddNested(ListElement, element =>
                element.AddNested(ElementKey, wrapped => wrapped.Add(DataValue, key))));
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

    /// <summary>What a chain is bound to, with its verdict for what no rule decides.</summary>
    public static string ReadHook(ReadOnlySpan<byte> message)
    {
        const int hook = 4;
        const int policy = 5;
        var text = new StringBuilder();
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            if (attribute.Type is hook or policy)
            {
                text.Append(Convert.ToHexStringLower(attribute.Value)).Append(' ');
            }
        }

        return text.ToString();
    }

    public static (string Table, string Name) ReadChain(ReadOnlySpan<byte> message)
    {
        var (table, name) = ("", "");
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            table = attribute.Type == Table ? Text(attribute.Value) : table;
            name = attribute.Type == ChainName ? Text(attribute.Value) : name;
        }

        return (table, name);
    }

    /// <summary>Which device leads to which chain.</summary>
    public static IEnumerable<(string Device, string Chain)> ReadElements(ReadOnlySpan<byte> message)
    {
        List<(string Device, string Chain)> found = [];
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            if (attribute.Type == ElementList)
            {
                foreach (var element in new NetlinkAttributes(attribute.Value))
                {
                    found.Add(ReadElement(element.Value));
                }
            }
        }

        return found;
    }

    public static RuleInfo ReadRule(ReadOnlySpan<byte> message)
    {
        var rule = new RuleInfo("", "", 0, "");
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            switch (attribute.Type)
            {
                case RuleChain:
                    rule = rule with { Chain = Text(attribute.Value) };
                    break;
                case RuleUserData:
                    rule = rule with { Comment = Comment(attribute.Value) };
                    break;
                case RuleExpressions:
                    var (packets, digest) = ReadExpressions(attribute.Value);
                    rule = rule with { Packets = packets, Digest = digest };
                    break;
                default:
                    break;
            }
        }

        return rule;
    }

    static (long Packets, string Digest) ReadExpressions(ReadOnlySpan<byte> expressions)
    {
        var packets = 0L;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var expression in new NetlinkAttributes(expressions))
        {
            var counter = false;
            foreach (var part in new NetlinkAttributes(expression.Value))
            {
                if (part.Type == ExpressionName)
                {
                    counter = Text(part.Value) == "counter";
                    hash.AppendData(part.Value);
                }
                else if (part.Type == ExpressionData && counter)
                {
                    packets = Counter(part.Value);
                }
                else
                {
                    hash.AppendData(part.Value);
                }
            }
        }

        return (packets, Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    static long Counter(ReadOnlySpan<byte> data)
    {
        foreach (var attribute in new NetlinkAttributes(data))
        {
            if (attribute.Type == CounterPackets)
            {
                return BinaryPrimitives.ReadInt64BigEndian(attribute.Value);
            }
        }

        return 0;
    }

    static (string Device, string Chain) ReadElement(ReadOnlySpan<byte> element)
    {
        var (device, chain) = ("", "");
        foreach (var part in new NetlinkAttributes(element))
        {
            foreach (var data in new NetlinkAttributes(part.Value))
            {
                switch (part.Type, data.Type)
                {
                    case (ElementKey, DataValue):
                        device = Text(data.Value);
                        break;
                    case (ElementData, DataVerdict):
                        foreach (var verdict in new NetlinkAttributes(data.Value))
                        {
                            chain = verdict.Type == VerdictChain ? Text(verdict.Value) : chain;
                        }

                        break;
                    default:
                        break;
                }
            }
        }

        return (device, chain);
    }

    /// <summary>The library keeps a rule's comment as type, length and text.</summary>
    static string Comment(ReadOnlySpan<byte> userData) =>
        userData.Length > 2 && userData[0] == 0 && userData[1] <= userData.Length - 2
            ? Text(userData.Slice(2, userData[1]))
            : "";

    static NetlinkMessage Message(ushort type, ushort flags, string what) =>
        new NetlinkMessage(type, flags, what).Append([Bridge, 0, 0, 0]);

    static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value).TrimEnd('\0');
}
