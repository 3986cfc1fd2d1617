using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A VLAN policy as the two decisions of a port. From the guest: what happens to an untagged frame (it gets the id
/// <paramref name="Push"/>; 0: it passes; -1: it is dropped), and which tagged ones pass. To the guest: which tags are
/// taken off, which pass as they are, and whether a frame without a tag passes.
/// </summary>
sealed record VlanRules(int Push, IReadOnlyList<VlanRange> Pass, IReadOnlyList<VlanRange> Pop, bool UntaggedOut)
{
    const int IdMax = 4_094;

    public static VlanRules Of(VlanPolicy policy) => policy switch
    {
        VlanPolicy.Untagged => new(0, [], [], UntaggedOut: true),
        VlanPolicy.Access access => new(access.Id, [], [One(access.Id)], UntaggedOut: false),
        VlanPolicy.Trunk { Native: 0 } trunk => new(0, trunk.Allowed, [], UntaggedOut: true),
        VlanPolicy.Trunk trunk => new(trunk.Native, trunk.Allowed, [One(trunk.Native)], UntaggedOut: false),

        // Isolated ports do not hear each other: they carry the same id, which none of them takes.
        VlanPolicy.Private { Kind: PrivateVlanMode.Isolated } own =>
            new(own.Secondaries[0], [], [One(own.Primary)], UntaggedOut: false),
        VlanPolicy.Private { Kind: PrivateVlanMode.Community } own =>
            new(own.Secondaries[0], [], Ranges([own.Primary, own.Secondaries[0]]), UntaggedOut: false),
        VlanPolicy.Private own => new(own.Primary, [], Ranges([own.Primary, .. own.Secondaries]), UntaggedOut: false),
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "a VLAN mode that this driver does not know"),
    };

    /// <summary>Null when a host can enforce it; else what is wrong with it.</summary>
    public static string? Refuse(VlanPolicy policy) => policy switch
    {
        VlanPolicy.Untagged => null,
        VlanPolicy.Access access => Id(access.Id),
        VlanPolicy.Trunk trunk when trunk.Native is < 0 or > IdMax => Id(trunk.Native),
        VlanPolicy.Trunk trunk => Order(trunk.Allowed),
        VlanPolicy.Private { Kind: PrivateVlanMode.Isolated or PrivateVlanMode.Community, Secondaries.Count: not 1 } =>
            "an isolated or community port has one secondary VLAN",
        VlanPolicy.Private own when !Enum.IsDefined(own.Kind) => "a private VLAN mode that is not known",
        VlanPolicy.Private own => new[] { own.Primary }.Concat(own.Secondaries).Select(Id).FirstOrDefault(no => no is not null),
        _ => "a VLAN mode that is not known",
    };

    static string? Id(int id) => id is >= 1 and <= IdMax ? null : $"VLAN {id} is not 1 to {IdMax}";

    static string? Order(IReadOnlyList<VlanRange> ranges)
    {
        var last = 0;
        foreach (var range in ranges)
        {
            if (range.First <= last || range.Last < range.First || range.Last > IdMax)
            {
                return $"VLANs {range.First} to {range.Last} are not in rising order within 1 to {IdMax}";
            }

            last = range.Last;
        }

        return null;
    }

    static VlanRange One(int id) => new(id, id);

    static List<VlanRange> Ranges(IEnumerable<int> ids) => [.. ids.Distinct().Order().Select(One)];
}
