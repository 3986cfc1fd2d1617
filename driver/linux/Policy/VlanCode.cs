using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A port's VLAN policy as instructions that a frame meets first on its way: it goes on at "pass", or to "drop". Both
/// sides see the outer tag beside the frame (the kernel takes it off before, and veth and tap put it back); a frame whose
/// tag is within its bytes all the same, or is not an 802.1Q tag, is none that a policy allows.
/// </summary>
static class VlanCode
{
    // Network byte order, as the packet's description holds them.
    const int Tag8021Q = 0x0081;
    const int Tag8021Ad = 0xa888;
    const int IdMask = 0xfff;
    const int Packet = FrameFields.Packet;
    const int Id = 7;

    /// <summary>Frames from the guest.</summary>
    public static void In(BpfCode code, VlanRules rules)
    {
        Begin(code);
        switch (rules.Push)
        {
            case 0:
                code.Go("pass");
                break;
            case > 0:
                code.Copy(1, Packet).Set(2, Tag8021Q).Set(3, rules.Push).Call(BpfCode.VlanPush)
                    .IfNotEqual(0, 0, "drop").Go("pass");
                break;
            default:
                code.Go("drop");
                break;
        }

        ReadId(code);
        Find(code, rules.Pass, "pass", "in");
        code.Go("drop").Label("pass");
    }

    /// <summary>Frames to the guest.</summary>
    public static void Out(BpfCode code, VlanRules rules)
    {
        Begin(code);
        code.Go(rules.UntaggedOut ? "pass" : "drop");
        ReadId(code);
        Find(code, rules.Pop, "pop", "pop");
        Find(code, rules.Pass, "pass", "out");
        code.Go("drop");
        if (rules.Pop.Count > 0)
        {
            // Under the tag there may not be another one: the guest would hear an id that it may not.
            NoInnerTag(code.Label("pop"));
            code.Copy(1, Packet).Call(BpfCode.VlanPop).IfNotEqual(0, 0, "drop");
        }

        code.Label("pass");
    }

    /// <summary>A frame without a tag beside it has none at all.</summary>
    static void Begin(BpfCode code)
    {
        code.Load(2, Packet, BpfCode.VlanPresent).IfNotEqual(2, 0, "tagged");
        NoInnerTag(code);
    }

    static void NoInnerTag(BpfCode code) => code
        .Load(2, Packet, BpfCode.Protocol).IfEqual(2, Tag8021Q, "drop").IfEqual(2, Tag8021Ad, "drop");

    static void ReadId(BpfCode code) => code.Label("tagged")
        .Load(2, Packet, BpfCode.VlanProtocol).IfNotEqual(2, Tag8021Q, "drop")
        .Load(Id, Packet, BpfCode.VlanTci).And(Id, IdMask);

    /// <summary>Ranges in rising order, found by halving: two thousand ranges cost eleven comparisons.</summary>
    static void Find(BpfCode code, IReadOnlyList<VlanRange> ranges, string found, string name)
    {
        if (ranges.Count == 0)
        {
            return;
        }

        Halve(0, ranges.Count - 1);
        code.Label(name + ":none");

        void Halve(int first, int last)
        {
            if (first == last)
            {
                code.IfLess(Id, ranges[first].First, name + ":none").IfAtMost(Id, ranges[first].Last, found)
                    .Go(name + ":none");
                return;
            }

            var middle = (first + last + 1) / 2;
            code.IfLess(Id, ranges[middle].First, $"{name}:{middle}");
            Halve(middle, last);
            code.Label($"{name}:{middle}");
            Halve(first, middle - 1);
        }
    }
}
