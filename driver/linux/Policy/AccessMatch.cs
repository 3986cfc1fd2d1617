using System.Buffers.Binary;
using ControlPlane.Messages;
using static ControlPlane.DriverLinux.FrameFields;

namespace ControlPlane.DriverLinux;

/// <summary>The conditions of one access rule as comparisons of a frame's fields.</summary>
sealed class AccessMatch(AclRule rule, bool fromGuest)
{
    readonly RemoteAddress? _remote = rule.Remote is null ? null : RemoteAddress.Parse(rule.Remote);

    // The remote is where a frame from the guest goes to, and where one to the guest comes from.
    readonly int? _source = fromGuest ? rule.LocalPort : rule.RemotePort;
    readonly int? _target = fromGuest ? rule.RemotePort : rule.LocalPort;

    /// <summary>Without a condition: every frame matches.</summary>
    public bool Always => _remote is null && rule.Protocol is null && _source is null && _target is null;

    /// <summary>The fields that it needs, beside those that others need.</summary>
    public FieldsUsed Adds(FieldsUsed used) => new(
        used.Mac || _remote is { Kind: RemoteKind.Mac },
        used.Ip4 || _remote is { Kind: RemoteKind.Ip4, Prefix: > 0 },
        used.Ip6 || _remote is { Kind: RemoteKind.Ip6, Prefix: > 0 },
        used.Types || _remote is { Kind: not RemoteKind.Mac },
        used.Protocol || rule.Protocol is not null,
        used.Ports || _source is not null || _target is not null);

    /// <summary>Goes to the label unless all conditions hold.</summary>
    /// <param name="ports">Whether ports are read at all: then the protocol has marks.</param>
    public void Write(BpfCode code, bool ports, string otherwise)
    {
        Kind(code, ports, otherwise);
        if (_remote is { Kind: RemoteKind.Mac })
        {
            Remote(code, _remote.Bytes, MacAt, otherwise);
        }
        else if (_remote is not null)
        {
            Address(code, _remote, otherwise);
        }

        Ports(code, otherwise);
    }

    /// <summary>Protocol and kind with their marks are one word, of which some bits may not matter.</summary>
    void Kind(BpfCode code, bool ports, string otherwise)
    {
        var (wanted, mask) = (0, 0);
        if (rule.Protocol is { } protocol)
        {
            (wanted, mask) = (_source, _target) switch
            {
                (_, not null) => (protocol | BothRead, 0xffff),
                (not null, null) => (protocol | SourceRead, 0xffff & ~(BothRead & ~SourceRead)),
                _ => (protocol, ports ? 0xffff & ~BothRead : 0xffff),
            };
        }

        if (_remote is { Kind: not RemoteKind.Mac })
        {
            var kind = _remote.Kind == RemoteKind.Ip4 ? Ip4Kind : Ip6Kind;
            wanted |= (_remote.Prefix == 0 ? kind : kind | AddressRead) << 16;
            mask |= (_remote.Prefix == 0 ? 0xffff & ~AddressRead : 0xffff) << 16;
        }

        if (mask != 0)
        {
            code.Load(0, BpfCode.Stack, ProtocolAt);
            if (mask != -1)
            {
                code.AndWord(0, mask);
            }

            code.IfWordNot(0, wanted, otherwise);
        }
    }

    void Ports(BpfCode code, string otherwise)
    {
        switch (_source, _target)
        {
            case ({ } source, { } target):
                code.Load(0, BpfCode.Stack, SourcePort).IfWordNot(0, Network(source) | (Network(target) << 16), otherwise);
                break;
            case ({ } source, null):
                code.LoadShort(0, BpfCode.Stack, SourcePort).IfNotEqual(0, Network(source), otherwise);
                break;
            case (null, { } target):
                code.LoadShort(0, BpfCode.Stack, TargetPort).IfNotEqual(0, Network(target), otherwise);
                break;
            default:
                break;
        }
    }

    static void Address(BpfCode code, RemoteAddress remote, string otherwise)
    {
        for (var first = 0; first < remote.Prefix; first += 32)
        {
            code.Load(0, BpfCode.Stack, (short)(AddressAt + first / 8));
            if (remote.Prefix - first < 32)
            {
                // The first bits stand in the first bytes.
                code.AndWord(0, BinaryPrimitives.ReverseEndianness(-1 << (32 - (remote.Prefix - first))));
            }

            code.IfWordNot(0, BinaryPrimitives.ReadInt32LittleEndian(remote.Bytes[(first / 8)..]), otherwise);
        }
    }

    static void Remote(BpfCode code, ReadOnlySpan<byte> mac, short place, string otherwise) => code
        .Load(0, BpfCode.Stack, place).IfWordNot(0, BinaryPrimitives.ReadInt32LittleEndian(mac), otherwise)
        .LoadShort(0, BpfCode.Stack, (short)(place + 4)).IfNotEqual(0, BinaryPrimitives.ReadUInt16LittleEndian(mac[4..]), otherwise);

    /// <summary>As two bytes of a frame are read from memory.</summary>
    static int Network(int port) => BinaryPrimitives.ReverseEndianness((ushort)port);
}
