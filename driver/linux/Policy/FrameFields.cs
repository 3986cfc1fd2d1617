namespace ControlPlane.DriverLinux;

/// <summary>Which fields of a frame a program compares: what none asks for is not read.</summary>
readonly record struct FieldsUsed(bool Mac, bool Ip4, bool Ip6, bool Types, bool Protocol, bool Ports);

/// <summary>
/// Instructions that read the fields of a frame to their places, once and before anything is compared. Fields are those
/// below a tag that is beside the frame; within a tag that is among its bytes nothing is looked for. A field that a frame
/// does not have, or that is not whole in it, is at no place and equals nothing.
/// Bytes are read by the kernel's call for it, so that it makes no difference in how many pieces a frame lies in memory.
/// All are left on the stack and compared from there: of a value in memory the kernel's check of a program remembers
/// nothing, so that it looks at each rule once and takes as long as the list is.
/// </summary>
static class FrameFields
{
    /// <summary>Registers: the packet, and, only until all is read, the protocol with its marks, the kind, a place in the frame.</summary>
    public const int Packet = 6;
    const int Protocol = 7;
    const int Kind = 8;
    const int Place = 9;

    /// <summary>Types of frames in network byte order, as a packet's description holds them.</summary>
    public const int Ip4 = 0x0008;
    public const int Ip6 = 0xdd86;
    public const int Arp = 0x0608;

    /// <summary>Kinds of frames; an IP packet whose address of the other side was read has the mark, too.</summary>
    public const int OtherKind = 1;
    public const int Ip4Kind = 4;
    public const int Ip6Kind = 6;
    public const int AddressRead = 1;

    /// <summary>Marks of the protocol: there is none; the source port was read; both ports were.</summary>
    public const int NoProtocol = 0x800;
    public const int SourceRead = 0x100;
    public const int BothRead = 0x300;

    /// <summary>Places on the stack. Protocol and kind are two bytes each, in one word.</summary>
    public const short ProtocolAt = -8;
    public const short KindAt = -6;
    public const short MacAt = -16;
    public const short AddressAt = -32;
    public const short SourcePort = -40;
    public const short TargetPort = -38;
    public const short Scratch = -80;
    const short Next = Scratch + 6;
    const short Aside = -88;

    public const int MacBytes = 6;
    public const int SourceMac = 6;

    /// <summary>
    /// The kernel takes a tag off before a frame is seen here, and puts none among the bytes, so what follows the
    /// Ethernet header is always there.
    /// </summary>
    public const int HeaderBytes = 14;

    const int Ip4Bytes = 20;
    const int Ip6Bytes = 40;
    const int HopByHop = 0;
    const int Routing = 43;
    const int Fragment = 44;
    const int Authentication = 51;
    const int Destination = 60;

    /// <summary>
    /// Extension headers that are gone through, one after another: one more than a packet has that follows the order of
    /// RFC 8200, 4.1. Of one with more the protocol is not known, and it is dropped: else it would be a way around every
    /// rule that asks for one.
    /// </summary>
    public const int ExtensionsMax = 6;

    /// <param name="fromGuest">The other side is where the frame goes to; else where it comes from.</param>
    public static void Read(BpfCode code, FieldsUsed used, bool fromGuest)
    {
        if (used.Mac)
        {
            Bytes(code, fromGuest ? 0 : SourceMac, MacAt, MacBytes).IfNotEqual(0, 0, "drop");
        }

        if (!used.Types && !used.Protocol)
        {
            return;
        }

        code.Set(Protocol, NoProtocol).StoreValue(SourcePort, 0).Load(Place, Packet, BpfCode.Protocol)
            .Set(Kind, Ip4Kind).IfNotEqual(Place, Ip4, "not-ip4");
        if (used.Ip4)
        {
            Bytes(code, HeaderBytes + (fromGuest ? 16 : 12), AddressAt, 4).IfNotEqual(0, 0, "ip4").Set(Kind, Ip4Kind | AddressRead);
        }

        Ip4Transport(code.Label("ip4"), used);
        code.Label("not-ip4").IfNotEqual(Place, Ip6, "other").Set(Kind, Ip6Kind);
        if (used.Ip6)
        {
            Bytes(code, HeaderBytes + (fromGuest ? 24 : 8), AddressAt, 16).IfNotEqual(0, 0, "ip6").Set(Kind, Ip6Kind | AddressRead);
        }

        Ip6Transport(code.Label("ip6"), used);
        if (used.Ports)
        {
            Ports(code);
        }

        code.Label("other").Set(Kind, OtherKind)
            .Label("read").StoreShort(ProtocolAt, Protocol).StoreShort(KindAt, Kind);
    }

    /// <summary>Bytes of the frame to the stack; register 0 is 0 then, and not 0 when the frame does not have all of them.</summary>
    public static BpfCode Bytes(BpfCode code, int from, short to, int count) => Bytes(code.Set(2, from), to, count);

    static BpfCode Bytes(BpfCode code, short to, int count) => code
        .Copy(1, Packet).Copy(3, BpfCode.Stack).AddValue(3, to).Set(4, count).Call(BpfCode.LoadBytes);

    /// <summary>A header that contradicts itself or the frame's length has no protocol; a later fragment has no ports.</summary>
    static void Ip4Transport(BpfCode code, FieldsUsed used)
    {
        if (used.Protocol)
        {
            Bytes(code, HeaderBytes, Scratch, Ip4Bytes).IfNotEqual(0, 0, "read")
                .LoadByte(Place, BpfCode.Stack, Scratch).Copy(1, Place).ShiftRight(1, 4).IfNotEqual(1, 4, "read")
                .And(Place, 0xf).IfLess(Place, 5, "read").ShiftLeft(Place, 2)
                .LoadShort(2, BpfCode.Stack, Scratch + 2).FromNetwork(2)
                .Load(1, Packet, BpfCode.Length).AddValue(1, -HeaderBytes)

                // A segment that is longer than its length field can say has 0 there.
                .IfNotEqual(2, 0, "ip4:length").Load(3, Packet, BpfCode.SegmentBytes).IfNotEqual(3, 0, "ip4:whole")
                .Label("ip4:length").IfMore(2, 1, "read").IfMore(Place, 2, "read")
                .Label("ip4:whole").LoadByte(Protocol, BpfCode.Stack, Scratch + 9);
            if (used.Ports)
            {
                code.LoadShort(1, BpfCode.Stack, Scratch + 6).And(1, 0xff1f).IfNotEqual(1, 0, "read")
                    .AddValue(Place, HeaderBytes).Go("ports");
                return;
            }
        }

        code.Go("read");
    }

    static void Ip6Transport(BpfCode code, FieldsUsed used)
    {
        if (!used.Protocol)
        {
            code.Go("read");
            return;
        }

        Bytes(code, HeaderBytes, Scratch, Ip6Bytes).IfNotEqual(0, 0, "read")
            .LoadByte(1, BpfCode.Stack, Scratch).ShiftRight(1, 4).IfNotEqual(1, 6, "read")
            .LoadShort(2, BpfCode.Stack, Scratch + 4).FromNetwork(2)
            .Load(1, Packet, BpfCode.Length).AddValue(1, -(HeaderBytes + Ip6Bytes)).IfMore(2, 1, "read")
            .Set(Place, HeaderBytes + Ip6Bytes);
        for (var step = 0; step < ExtensionsMax; step++)
        {
            Extension(code, $"extension:{step}");
        }

        code.LoadByte(0, BpfCode.Stack, Next);
        foreach (var next in (int[])[HopByHop, Routing, Fragment, Destination])
        {
            code.IfEqual(0, next, "drop");
        }

        // The search ends at an authentication header, which has to begin in the frame.
        code.IfNotEqual(0, Authentication, "ip6:end");
        Bytes(code.Label("ip6:authentication").Copy(2, Place), Aside, 2).IfNotEqual(0, 0, "read")
            .Label("ip6:end").LoadByte(Protocol, BpfCode.Stack, Next).Go(used.Ports ? "ports" : "read");

        // A later fragment has a protocol only if no further extension follows, and no ports.
        code.Label("ip6:later").LoadByte(0, BpfCode.Stack, Next);
        foreach (var next in (int[])[HopByHop, Routing, Fragment, Authentication, Destination])
        {
            code.IfEqual(0, next, "read");
        }

        code.LoadByte(Protocol, BpfCode.Stack, Next).Go("read");
    }

    /// <summary>One extension header, as the kernel's own search goes (ipv6_find_hdr): the next one is read over it.</summary>
    static void Extension(BpfCode code, string step)
    {
        code.LoadByte(0, BpfCode.Stack, Next).IfEqual(0, HopByHop, step).IfEqual(0, Destination, step)
            .IfEqual(0, Routing, step + ":routing").IfEqual(0, Fragment, step + ":fragment")
            .IfEqual(0, Authentication, "ip6:authentication").Go("ip6:end");
        Bytes(code.Label(step).Copy(2, Place), Next, 2).Go(step + ":length");
        Bytes(code.Label(step + ":routing").Copy(2, Place), Next, 4)
            .Label(step + ":length").IfNotEqual(0, 0, "read")
            .LoadByte(1, BpfCode.Stack, Next + 1).AddValue(1, 1).ShiftLeft(1, 3).Add(Place, 1).Go(step + ":next");
        Bytes(code.Label(step + ":fragment").Copy(2, Place), Next, 4).IfNotEqual(0, 0, "read").AddValue(Place, 8)
            .LoadShort(1, BpfCode.Stack, Next + 2).And(1, 0xf8ff).IfNotEqual(1, 0, "ip6:later")
            .Label(step + ":next");
    }

    /// <summary>At the place where the transport header begins.</summary>
    static void Ports(BpfCode code)
    {
        Bytes(code.Label("ports").Copy(2, Place), SourcePort, 2).IfNotEqual(0, 0, "read").Or(Protocol, SourceRead)
            .AddValue(Place, 2);
        Bytes(code.Copy(2, Place), TargetPort, 2).IfNotEqual(0, 0, "read").Or(Protocol, BothRead).Go("read");
    }
}
