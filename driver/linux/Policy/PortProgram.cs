using System.Buffers.Binary;
using System.Security.Cryptography;
using ControlPlane.Messages;
using static ControlPlane.DriverLinux.FrameFields;

namespace ControlPlane.DriverLinux;

/// <summary>
/// What one NIC's policy says of frames in one direction, as a program: its VLANs, then the guard of its address, if
/// frames from the guest are held to one, then the access rules; the first that matches counts and decides, and what none
/// matches goes on.
/// Its map has two numbers for each counter: what it counted itself, and, in the second half, what was gathered elsewhere
/// and given to it.
/// </summary>
sealed class PortProgram
{
    const short Key = -92;
    const int Verdict = 8;
    const int Counter = 9;

    readonly bool _fromGuest;
    readonly VlanRules _vlans;
    readonly byte[]? _guarded;
    readonly IReadOnlyList<(int Place, AclRule Rule)> _rules;

    /// <param name="guarded">The address that frames from the guest are held to; null: none.</param>
    public PortProgram(TrafficSide side, PortPolicy policy, byte[]? guarded)
    {
        (_fromGuest, _vlans, _guarded) = (side == TrafficSide.In, VlanRules.Of(policy.Vlan), guarded);
        var direction = _fromGuest ? AclDirection.Outbound : AclDirection.Inbound;
        _rules = [.. policy.Acls.Select((rule, place) => (place, rule)).Where(one => one.rule.Direction == direction)];
        Name = (_fromGuest ? "port-in-" : "port-out-") + Convert.ToHexStringLower(SHA256.HashData(Code(0).Bytes()))[..12];
    }

    /// <summary>Names its instructions.</summary>
    public string Name { get; }

    /// <summary>The kernel's digest of its instructions; null before it was loaded.</summary>
    public string? Tag { get; private set; }

    public int Counters => _rules.Count + FirstRule;

    /// <summary>What each counter counts, in their order: an access rule by its place in the whole list; null: the guard.</summary>
    public IEnumerable<int?> Counted => (_guarded is null ? [] : new int?[] { null }).Concat(_rules.Select(rule => (int?)rule.Place));

    int FirstRule => _guarded is null ? 0 : 1;

    /// <summary>With counters of its own, at zero: for one device.</summary>
    public BpfProgram Load()
    {
        using var map = Counters == 0 ? null : BpfMap.New(Name, 2 * Counters);
        var program = BpfProgram.Load(Name, Code(map?.Number ?? 0));
        Tag = program.Tag;
        return program;
    }

    BpfCode Code(int map)
    {
        var code = new BpfCode().Copy(Packet, 1);
        if (_fromGuest)
        {
            VlanCode.In(code, _vlans);
        }
        else
        {
            VlanCode.Out(code, _vlans);
        }

        if (_guarded is not null)
        {
            Guard(code, _guarded);
        }

        List<AccessMatch> matches = [];
        foreach (var (_, rule) in _rules)
        {
            matches.Add(new AccessMatch(rule, _fromGuest));
            if (matches[^1].Always)
            {
                // Nothing gets past it, and the kernel refuses instructions that cannot be reached.
                break;
            }
        }

        var used = matches.Aggregate(default(FieldsUsed), (all, match) => match.Adds(all));
        Read(code, used, _fromGuest);
        for (var place = 0; place < matches.Count; place++)
        {
            matches[place].Write(code, used.Ports, $"rule:{place + 1}");
            code.Set(Counter, FirstRule + place).Go(_rules[place].Rule.Action == AclAction.Allow ? "allow" : "deny")
                .Label($"rule:{place + 1}");
        }

        if (!matches.Exists(match => match.Always))
        {
            code.Return(BpfCode.Next);
        }

        return End(code, map);
    }

    /// <summary>The frame's source, and the sender that an ARP packet names.</summary>
    static void Guard(BpfCode code, byte[] address)
    {
        Bytes(code, SourceMac, Scratch, MacBytes).IfNotEqual(0, 0, "drop");
        Foreign(code, address, "forged").Load(1, Packet, BpfCode.Protocol).IfNotEqual(1, Arp, "honest");
        Bytes(code, HeaderBytes + 8, Scratch, MacBytes).IfNotEqual(0, 0, "honest");
        Foreign(code, address, "forged").Go("honest")
            .Label("forged").Set(Counter, 0).Go("deny").Label("honest");
    }

    static BpfCode Foreign(BpfCode code, byte[] address, string label) => code
        .Load(1, BpfCode.Stack, Scratch).IfWordNot(1, BinaryPrimitives.ReadInt32LittleEndian(address), label)
        .LoadShort(1, BpfCode.Stack, Scratch + 4).IfNotEqual(1, BinaryPrimitives.ReadUInt16LittleEndian(address.AsSpan(4)), label);

    static BpfCode End(BpfCode code, int map)
    {
        if (code.Wants("allow"))
        {
            code.Label("allow").Set(Verdict, BpfCode.Next).Go("count");
        }

        if (code.Wants("deny"))
        {
            code.Label("deny").Set(Verdict, BpfCode.Drop).Go("count");
        }

        if (code.Wants("count"))
        {
            code.Label("count").Store(Key, Counter)
                .SetMap(1, map).Copy(2, BpfCode.Stack).AddValue(2, Key).Call(BpfCode.MapLookup).IfEqual(0, 0, "counted")
                .Set(1, 1).AddAt(0, 1)
                .Label("counted").Copy(0, Verdict).Exit();
        }

        return code.Label("drop").Return(BpfCode.Drop);
    }
}
