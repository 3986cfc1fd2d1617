using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A rule as the kernel's list of expressions (linux/netfilter/nf_tables.h): each condition loads a field into a register
/// and compares it; then come the counter and the verdict. Attributes are written in the order in which the kernel tells them.
/// </summary>
static class PacketExpressions
{
    const int Element = 1;
    const int Name = 1;
    const int Data = 2;
    const int DataValue = 1;
    const int DataVerdict = 2;
    const int VerdictCode = 1;
    const int CounterPackets = 2;

    /// <summary>The register of sixteen bytes that every condition uses.</summary>
    const uint Register = 1;
    const uint VerdictRegister = 0;

    public static void Write(NetlinkMessage list, PacketRule rule)
    {
        foreach (var match in rule.Matches)
        {
            Load(list, match.Field);
            if (match.Mask is { } mask)
            {
                Bits(list, mask);
            }

            Compare(list, match);
        }

        if (rule.Packets is { } packets)
        {
            const int counterBytes = 1;
            Expression(list, "counter", data => data.Add(counterBytes, Big(0L)).Add(CounterPackets, Big(packets)));
        }

        const int immediateRegister = 1;
        const int immediateData = 2;
        Expression(list, "immediate", data => data.Add(immediateRegister, Big(VerdictRegister))
            .AddNested(immediateData, value => value.AddNested(DataVerdict, verdict =>
                verdict.Add(VerdictCode, Big(unchecked((uint)rule.Verdict))))));
    }

    /// <summary>What the counter has, and a digest of everything else.</summary>
    public static (long Packets, string Digest) Read(ReadOnlySpan<byte> expressions)
    {
        var packets = 0L;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var expression in new NetlinkAttributes(expressions))
        {
            var name = "";
            foreach (var part in new NetlinkAttributes(expression.Value))
            {
                if (part.Type == Name)
                {
                    name = Encoding.UTF8.GetString(part.Value).TrimEnd('\0');
                    hash.AppendData(part.Value);
                }
                else if (part.Type == Data && name == "counter")
                {
                    packets = Counter(part.Value);
                }
                else if (part.Type == Data)
                {
                    Digest(hash, name, part.Value);
                }
            }
        }

        return (packets, Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    static void Load(NetlinkMessage list, PacketField field)
    {
        if (field.Base == FieldBase.Meta)
        {
            const int destination = 1;
            const int key = 2;
            Expression(list, "meta", data => data.Add(key, Big(field.Place)).Add(destination, Big(Register)));
        }
        else
        {
            const int destination = 1;
            const int from = 2;
            const int offset = 3;
            const int length = 4;
            Expression(list, "payload", data => data.Add(destination, Big(Register)).Add(from, Big((uint)field.Base))
                .Add(offset, Big(field.Place)).Add(length, Big((uint)field.Bytes)));
        }
    }

    static void Bits(NetlinkMessage list, byte[] mask)
    {
        const int source = 1;
        const int destination = 2;
        const int length = 3;
        const int and = 4;
        const int xor = 5;
        const int operation = 6;
        Expression(list, "bitwise", data => data.Add(source, Big(Register)).Add(destination, Big(Register))
            .Add(length, Big((uint)mask.Length)).Add(operation, Big(0u))
            .AddNested(and, value => value.Add(DataValue, mask)).AddNested(xor, value => value.Add(DataValue, new byte[mask.Length])));
    }

    static void Compare(NetlinkMessage list, FieldMatch match)
    {
        const int source = 1;
        const int operation = 2;
        const int against = 3;
        Expression(list, "cmp", data => data.Add(source, Big(Register)).Add(operation, Big(match.Not ? 1u : 0u))
            .AddNested(against, value => value.Add(DataValue, match.Value)));
    }

    static void Expression(NetlinkMessage list, string name, Action<NetlinkMessage> data) =>
        list.AddNested(Element, expression => expression.Add(Name, name).AddNested(Data, content => data(content)));

    /// <summary>Lengths and types count too, but not the mark of what holds attributes: not every kernel sets it.</summary>
    static void Digest(IncrementalHash hash, string name, ReadOnlySpan<byte> attributes)
    {
        Span<byte> header = stackalloc byte[4];
        foreach (var attribute in new NetlinkAttributes(attributes))
        {
            BinaryPrimitives.WriteInt16LittleEndian(header, (short)attribute.Value.Length);
            BinaryPrimitives.WriteInt16LittleEndian(header[2..], (short)attribute.Type);
            hash.AppendData(header);
            switch (name, attribute.Type)
            {
                case ("cmp", 3) or ("bitwise", 4 or 5) or ("immediate", 2):
                    Digest(hash, "data", attribute.Value);
                    break;
                case ("data", DataVerdict):
                    Digest(hash, "verdict", attribute.Value);
                    break;
                default:
                    hash.AppendData(attribute.Value);
                    break;
            }
        }
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

    static byte[] Big(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    static byte[] Big(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}
