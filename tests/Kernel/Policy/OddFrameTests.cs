using System.Buffers.Binary;
using System.Net;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>
/// Frames that are not as a stack makes them: options, fragments, extension headers, headers that contradict themselves
/// or are cut off, tags within tags. A rule matches what it can read of a frame, and nothing else.
/// </summary>
public sealed class OddFrameTests : IAsyncLifetime
{
    const int Udp = 17;
    const int HopByHop = 0;
    const int Routing = 43;
    const int Fragment = 44;
    const int Authentication = 51;
    const int NoNext = 59;
    const int Options = 60;
    const int From = 4_000;
    const int To = 53;

    const string Nobody = "192.0.2.1";

    readonly List<string> _wrong = [];
    readonly Fleet _fleet = new();
    readonly Nic _sender = new("sender", 1);
    readonly Nic _hearer = new("hearer", 2);
    LinuxDriver _hv01 = null!;
    TapGuest _sends = null!;
    TapGuest _hears = null!;

    public async Task InitializeAsync()
    {
        if (RootFactAttribute.CanRun)
        {
            _hv01 = await _fleet.Host("hv01");
            (_sends, _hears) = (await Tap(_sender), await Tap(_hearer));
        }
    }

    public async Task DisposeAsync()
    {
        _sends?.Dispose();
        _hears?.Dispose();
        await _fleet.End();
    }

    [RootFact]
    public async Task Port_is_looked_for_behind_options_and_extensions_and_in_no_later_fragment()
    {
        var (both, target, source) = (new Asked(Udp, From, To), new Asked(Udp, Target: To), new Asked(Udp, From));
        foreach (var asked in (Asked[])[both, target, source])
        {
            await Stops(asked, "IPv4", Ip4());
            await Stops(asked, "IPv4 with options", Ip4(options: 8));
            await Stops(asked, "IPv4 with all options that there may be", Ip4(options: 40));
            await Stops(asked, "first fragment of IPv4", Ip4(fragment: 0x2000));
            await Stops(asked, "IPv4 that may not be fragmented", Ip4(fragment: 0x4000));
            await Stops(asked, "IPv4 with bytes behind it", [.. Ip4(), .. new byte[30]]);
            await Stops(asked, "IPv6", Ip6(Udp, Ports(8)));
            await Stops(asked, "IPv6 with extensions",
                Ip6(HopByHop, [Options, 0, .. new byte[6], Routing, 1, .. new byte[14], Udp, 0, 1, 0, .. new byte[4], .. Ports(8)]));
            await Stops(asked, "first fragment of IPv6", Ip6(Fragment, [Udp, 0, 0, 1, 0, 0, 0, 7, .. Ports(8)]));
            await Stops(asked, "IPv6 with six extensions", Ip6(Options, [.. Extensions(6), .. Ports(8)]));

            await Passes(asked, "later fragment of IPv4", Ip4(fragment: 0x2001));
            await Passes(asked, "later fragment of IPv6", Ip6(Fragment, [Udp, 0, 0, 0x11, 0, 0, 0, 7, .. Ports(8)]));
            await Passes(asked, "IPv6 with authentication", Ip6(Authentication, [Udp, 4, .. new byte[22], .. Ports(8)]));
            await Passes(asked, "another protocol", Ip4(protocol: 6));
            await Passes(asked, "IPv4 without ports", Ip4(bytes: 0));
        }

        await Stops(source, "IPv4 cut off behind the first port", Ip4(bytes: 2));
        await Passes(target, "IPv4 cut off behind the first port", Ip4(bytes: 2));
        await Stops(source, "IPv6 cut off behind the first port", Ip6(Udp, Ports(2)));
        await Passes(both, "IPv6 cut off behind the first port", Ip6(Udp, Ports(2)));
        await Passes(new Asked(Udp, From, To + 1), "another target", Ip4());
        await Passes(new Asked(Udp, From + 1, To), "another source", Ip6(Udp, Ports(8)));
        await Passes(new Asked(6, From, To), "another protocol", Ip6(Udp, Ports(8)));
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    [RootFact]
    public async Task Protocol_is_that_of_the_last_header_and_of_a_broken_packet_there_is_none()
    {
        var udp = new Asked(Udp);
        await Stops(udp, "IPv4", Ip4());
        await Stops(udp, "later fragment of IPv4", Ip4(fragment: 0x2001));
        await Stops(udp, "later fragment of IPv6", Ip6(Fragment, [Udp, 0, 0, 0x11, 0, 0, 0, 7, .. Ports(8)]));
        await Stops(udp, "IPv6 with extensions", Ip6(Options, [.. Extensions(3), .. Ports(8)]));
        await Stops(udp, "IPv6 with nothing in it", Ip6(Udp, []));
        await Stops(new Asked(Authentication), "IPv6 with authentication", Ip6(Authentication, [Udp, 4, .. new byte[22], .. Ports(8)]));
        await Stops(new Asked(NoNext), "IPv6 with nothing next", Ip6(Options, [NoNext, 0, .. new byte[6]]));
        await Stops(new Asked(0), "IPv4 of protocol 0", Ip4(protocol: 0));
        await Stops(new Asked(255), "IPv4 of protocol 255", Ip4(protocol: 255));

        await Misses(udp, "header of IPv4 shorter than it may be", Changed(Ip4(), 14, 0x44));
        await Misses(udp, "version 5", Changed(Ip4(), 14, 0x55));
        await Misses(udp, "IPv4 longer than the frame", Changed(Ip4(), 17, 60));
        await Misses(udp, "IPv4 shorter than its header", Changed(Ip4(), 17, 19));
        await Misses(udp, "IPv4 with a length of 0", Changed(Ip4(), 17, 0));
        await Misses(udp, "IPv4 cut off in its header", Ip4()[..33]);
        await Misses(udp, "version 4 in IPv6", Changed(Ip6(Udp, Ports(8)), 14, 0x40));
        await Misses(udp, "IPv6 longer than the frame", Changed(Ip6(Udp, Ports(8)), 19, 9));
        await Misses(udp, "IPv6 cut off in its header", Ip6(Udp, [])[..53]);
        await Misses(udp, "IPv6 cut off in an extension", Ip6(Options, [Udp]));
        await Misses(udp, "IPv6 cut off behind an extension", Ip6(Options, [Options, 0, .. new byte[6], Udp]));
        await Misses(udp, "IPv6 cut off in its routing", Ip6(Routing, [Udp, 0, 0]));
        await Misses(udp, "IPv6 cut off in its fragment", Ip6(Fragment, [Udp, 0, 0]));
        await Passes(udp, "later fragment of IPv6 that begins within an extension", Ip6(Fragment, [Options, 0, 0, 0x11, 0, 0, 0, 7, .. Ports(8)]));
        await Passes(udp, "UDP in a frame of another type", Changed(Ip4(), 12, 0x88));
        foreach (var none in (int[])[0, 255, Authentication])
        {
            await Misses(new Asked(none), "a broken packet", Changed(Ip4(), 14, 0x44));
            await Misses(new Asked(none), "a broken packet with ports", Changed(Ip4(), 14, 0x44), new Asked(Udp, From));
            await Passes(new Asked(none), "no packet", [.. Link(0x88b5), .. new byte[46]]);
        }
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    [RootFact]
    public async Task Address_is_read_where_it_stands_also_in_a_packet_that_is_cut_off()
    {
        const string sender = "10.0.0.1";
        const string hearer = "10.0.0.2";
        foreach (var (way, remote, other) in new[] { (AclDirection.Outbound, hearer, sender), (AclDirection.Inbound, sender, hearer) })
        {
            await Check(Deny(way, remote), "IPv4", Ip4(), passes: false);
            await Check(Deny(way, other), "IPv4 of the other end", Ip4(), passes: true);
            await Check(Deny(way, "10.0.0.0/30"), "IPv4 in a prefix", Ip4(), passes: false);
            await Check(Deny(way, "0.0.0.0/0"), "IPv4 of any address", Ip4(), passes: false);
            await Check(Deny(way, "10.0.0.4/30"), "IPv4 beside a prefix", Ip4(), passes: true);
            await Check(Deny(way, "::/0"), "IPv4", Ip4(), passes: true);
            await Check(Deny(way, "2001:db8::/31"), "IPv6 in a short prefix", Ip6(Udp, []), passes: false);
            await Check(Deny(way, "2001:db8:0:8000::/49"), "IPv6 beside a prefix", Ip6(Udp, []), passes: true);
            await Check(Deny(way, "2001:db8::/125"), "IPv6 in a long prefix", Ip6(Udp, []), passes: false);
            await Check(Deny(way, way == AclDirection.Outbound ? "2001:db8::2" : "2001:db8::1"), "IPv6", Ip6(Udp, []), passes: false);
            await Check(Deny(way, way == AclDirection.Outbound ? "2001:db8::1" : "2001:db8::2"), "IPv6 of the other end", Ip6(Udp, []), passes: true);
            await Check(Deny(way, way == AclDirection.Outbound ? _hearer.Mac : _sender.Mac), "a MAC", Link(0x88b5), passes: false);
            await Check(Deny(way, way == AclDirection.Outbound ? _sender.Mac : _hearer.Mac), "the other MAC", Link(0x88b5), passes: true);
        }

        const AclDirection outbound = AclDirection.Outbound;
        await Check(Deny(outbound, "0.0.0.0/0"), "IPv4 of any address, cut off", Ip4()[..20], passes: false);
        await Check(Deny(outbound, "0.0.0.0/1"), "IPv4 without addresses", Ip4()[..20], passes: true, hears: false);
        await Check(Deny(outbound, hearer), "IPv4 cut off behind its source", Ip4()[..33], passes: true, hears: false);
        await Check(Deny(outbound, hearer), "a version that is none", Changed(Ip4(), 14, 0x99), passes: false);
        await Check(Deny(outbound, "::/0"), "IPv6 of any address, cut off", Ip6(Udp, [])[..20], passes: false);
        await Check(Deny(outbound, "::/1"), "IPv6 cut off within its target", Ip6(Udp, [])[..53], passes: true, hears: false);
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    [RootFact]
    public async Task Rules_look_below_one_tag_and_not_below_two()
    {
        var trunk = new VlanPolicy.Trunk(0, [new VlanRange(10, 10)]);
        byte[] ip = Ip4(), below = [.. ip[..12], 0x81, 0, 0, 10, .. ip[12..]], belowTwo = [.. below[..16], 0x81, 0, 0, 30, .. below[16..]];
        await Check(Deny(AclDirection.Outbound, "10.0.0.2", Udp, From, To), "one tag", below, passes: false, trunk);
        await Check(Deny(AclDirection.Inbound, "10.0.0.1", Udp, To, From), "one tag", below, passes: false, trunk);
        await Check(Deny(AclDirection.Outbound, "0.0.0.0/0"), "two tags", belowTwo, passes: true, trunk, hears: false);
        await Check(Deny(AclDirection.Outbound, "0.0.0.0/0"), "a tag of a provider", Changed(Changed(below, 12, 0x88), 13, 0xa8), passes: false, trunk);
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    [RootFact]
    public async Task Sender_within_ARP_is_read_if_it_is_there_and_only_in_ARP()
    {
        byte[] honest = [.. Link(0x0806), .. Wire.Arp(_sender.Mac, "10.0.0.1", "10.0.0.2")];
        byte[] forged = [.. Link(0x0806), .. Wire.Arp("02:00:00:00:00:99", "10.0.0.1", "10.0.0.2")];
        var own = Deny(AclDirection.Outbound, Nobody);
        await Check(own, "an honest sender", honest, passes: true);
        await Check(own, "a forged sender", forged, passes: false);
        await Check(own, "a sender that differs in its last byte", Changed(honest, 27, 2), passes: false);
        await Check(own, "a sender that is not all there", forged[..27], passes: true);
        await Check(own, "the same in another type", Changed(forged, 13, 7), passes: true);
        await Check(own, "a forged source", Changed(Ip4(), 6, 6), passes: false);
        await Check(own, "a forged source, in its last byte", Changed(Ip4(), 11, 9), passes: false);
        var before = (await _fleet.Gathered(_hv01, _sender)).SpoofedDropped;
        _sends.Send(forged);
        _sends.Send(Changed(Ip4(), 6, 6));
        Assert.Equal(before + 2, (await _fleet.Gathered(_hv01, _sender)).SpoofedDropped);
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    /// <summary>Protocol and ports as they stand in a frame.</summary>
    sealed record Asked(int Protocol, int? Source = null, int? Target = null)
    {
        public AclRule Of(AclDirection way) => way == AclDirection.Outbound
            ? Deny(way, null, Protocol, Source, Target)
            : Deny(way, null, Protocol, Target, Source);
    }

    static AclRule Deny(AclDirection way, string? remote, int? protocol = null, int? local = null, int? there = null) =>
        new(way, AclAction.Deny, remote, protocol, there, local);

    Task Stops(Asked asked, string what, byte[] frame) => Both(asked, what, frame, passes: false);

    Task Passes(Asked asked, string what, byte[] frame) => Both(asked, what, frame, passes: true);

    /// <summary>A bridge may drop a packet that is broken, so only what the sender's rules do with it is seen.</summary>
    Task Misses(Asked asked, string what, byte[] frame, params Asked[] beside) =>
        Check(asked.Of(AclDirection.Outbound), what, frame, passes: true, hears: false, beside: beside);

    async Task Both(Asked asked, string what, byte[] frame, bool passes)
    {
        foreach (var way in (AclDirection[])[AclDirection.Outbound, AclDirection.Inbound])
        {
            await Check(asked.Of(way), what, frame, passes);
        }
    }

    /// <summary>The rule is the sender's if it is about what a guest sends, else the hearer's; it counts what it stops.</summary>
    async Task Check(
        AclRule rule, string what, byte[] frame, bool passes, VlanPolicy? vlan = null, bool hears = true, params Asked[] beside)
    {
        var (with, without) = rule.Direction == AclDirection.Outbound ? (_sender, _hearer) : (_hearer, _sender);
        var plain = PortPolicy.Default with { Vlan = vlan ?? new VlanPolicy.Untagged() };
        await _fleet.Done(_hv01, with.Apply(plain with { Acls = [rule, .. beside.Select(asked => asked.Of(rule.Direction))] }));
        await _fleet.Done(_hv01, without.Apply(plain));
        var before = (await _fleet.Gathered(_hv01, with)).AclHits[0];
        _hears.Take();

        _sends.Send(frame);

        // A frame is through the bridge when the write returns.
        var heard = _hears.Take().Exists(bytes => bytes.AsSpan().SequenceEqual(frame));
        var counted = (await _fleet.Gathered(_hv01, with)).AclHits[0] - before;
        if ((hears && heard != passes) || (!passes && heard) || counted != (rule.Remote == Nobody || vlan is not null ? counted : passes ? 0 : 1))
        {
            _wrong.Add($"{what} under {rule}: heard {heard}, counted {counted}");
        }
    }

    byte[] Link(ushort type) => [.. MacText.Bytes(_hearer.Mac), .. MacText.Bytes(_sender.Mac), (byte)(type >> 8), (byte)(type & 0xff)];

    byte[] Ip4(int options = 0, int fragment = 0, int protocol = Udp, int bytes = 8)
    {
        var header = new byte[20 + options];
        header[0] = (byte)(0x40 | (header.Length / 4));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(header.Length + bytes));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), (ushort)fragment);
        (header[8], header[9]) = (64, (byte)protocol);
        IPAddress.Parse("10.0.0.1").GetAddressBytes().CopyTo(header, 12);
        IPAddress.Parse("10.0.0.2").GetAddressBytes().CopyTo(header, 16);
        var sum = Enumerable.Range(0, header.Length / 2).Sum(word => BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(word * 2)));
        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), (ushort)(0xffff ^ ((sum & 0xffff) + (sum >> 16))));
        return [.. Link(Wire.IpType), .. header, .. Ports(bytes)];
    }

    byte[] Ip6(int next, byte[] payload) =>
    [
        .. Link(Wire.Ip6Type), 0x60, 0, 0, 0, (byte)(payload.Length >> 8), (byte)payload.Length, (byte)next, 64,
        .. IPAddress.Parse("2001:db8::1").GetAddressBytes(), .. IPAddress.Parse("2001:db8::2").GetAddressBytes(), .. payload,
    ];

    /// <summary>The first bytes of a UDP packet, or of as much of one as is left.</summary>
    static byte[] Ports(int bytes) => ((byte[])[From >> 8, From & 0xff, 0, To, 0, 8, 0, 0])[..bytes];

    /// <summary>Destination options, the last of which is followed by UDP.</summary>
    static byte[] Extensions(int count) =>
        [.. Enumerable.Range(1, count).SelectMany(number => (byte[])[(byte)(number == count ? Udp : Options), 0, 1, 4, 0, 0, 0, 0])];

    static byte[] Changed(byte[] frame, int place, int value)
    {
        byte[] copy = [.. frame];
        copy[place] = (byte)value;
        return copy;
    }

    async Task<TapGuest> Tap(Nic nic)
    {
        var device = (await _fleet.Done(_hv01, nic.Create(PortPolicy.Default) with { Attach = NicAttach.Tap })).Device;
        await _fleet.Done(_hv01, nic.Connect());
        var tap = new TapGuest(_fleet.Namespace("hv01"), device, nic.Mac);
        await Fleet.Eventually(() => _fleet.Forwards("hv01", device), "a tap that forwards");
        return tap;
    }
}
