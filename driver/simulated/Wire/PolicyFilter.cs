using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>
/// What a policy says of one frame: the meaning that every data path has to give it. A Linux host is compared with it
/// on samples.
/// </summary>
public static class PolicyFilter
{
    /// <summary>The decision, the frame as it goes on (its tag may have changed), and the rule that decided, by index.</summary>
    public readonly record struct Verdict(Frame? Passed, FrameDrop? Drop, int? Rule = null);

    /// <summary>From the guest into the switch.</summary>
    /// <param name="mac">The NIC's address, or null if it has none: then no source is foreign.</param>
    public static Verdict FromGuest(PortPolicy policy, string? mac, Frame frame)
    {
        if (!policy.AllowMacSpoofing && mac is not null && frame.Source != mac)
        {
            return new Verdict(null, FrameDrop.Spoofed);
        }
        if (!Enter(policy.Vlan, frame.Tag, out var inside))
        {
            return new Verdict(null, FrameDrop.Vlan);
        }
        return Listed(policy, AclDirection.Outbound, frame with { Tag = inside });
    }

    /// <summary>From the switch to the guest.</summary>
    public static Verdict ToGuest(PortPolicy policy, Frame frame) =>
        Leave(policy.Vlan, frame.Tag, out var outside)
            ? Listed(policy, AclDirection.Inbound, frame with { Tag = outside })
            : new Verdict(null, FrameDrop.Vlan);

    /// <summary>The tag inside the switch of what the guest sends with that tag; false: it may not send so.</summary>
    static bool Enter(VlanPolicy vlan, int? tag, out int? inside)
    {
        (var may, inside) = vlan switch
        {
            VlanPolicy.Untagged => (tag is null, null),
            VlanPolicy.Access access => (tag is null, access.Id),
            VlanPolicy.Trunk trunk when tag is null => (true, trunk.Native == 0 ? (int?)null : trunk.Native),
            VlanPolicy.Trunk trunk => (Allows(trunk, tag!.Value), tag),
            VlanPolicy.Private { Kind: PrivateVlanMode.Promiscuous } own => (tag is null, own.Primary),
            VlanPolicy.Private own => (tag is null, own.Secondaries[0]),
            _ => throw new NotSupportedException(vlan.ToString()),
        };
        return may;
    }

    /// <summary>The tag that the guest sees of a frame with that tag inside the switch; false: it does not see it.</summary>
    static bool Leave(VlanPolicy vlan, int? tag, out int? outside)
    {
        (var may, outside) = vlan switch
        {
            VlanPolicy.Untagged => (tag is null, (int?)null),
            VlanPolicy.Access access => (tag == access.Id, null),
            VlanPolicy.Trunk trunk when tag is null => (trunk.Native == 0, null),
            VlanPolicy.Trunk trunk when tag == trunk.Native => (true, null),
            VlanPolicy.Trunk trunk => (Allows(trunk, tag!.Value), tag),
            VlanPolicy.Private { Kind: PrivateVlanMode.Isolated } own => (tag == own.Primary, null),
            VlanPolicy.Private { Kind: PrivateVlanMode.Community } own => (tag == own.Primary || tag == own.Secondaries[0], null),
            VlanPolicy.Private own => (tag == own.Primary || (tag is { } id && own.Secondaries.Contains(id)), null),
            _ => throw new NotSupportedException(vlan.ToString()),
        };
        return may;
    }

    static bool Allows(VlanPolicy.Trunk trunk, int id) => trunk.Allowed.Any(range => range.First <= id && id <= range.Last);

    static Verdict Listed(PortPolicy policy, AclDirection direction, Frame frame)
    {
        for (var i = 0; i < policy.Acls.Count; i++)
        {
            if (policy.Acls[i].Direction == direction && Matches(policy.Acls[i], frame))
            {
                return policy.Acls[i].Action == AclAction.Allow ? new Verdict(frame, null, i) : new Verdict(null, FrameDrop.Acl, i);
            }
        }
        return new Verdict(frame, null);
    }

    /// <summary>Remote and local are seen from the guest: what it sends goes to the remote side.</summary>
    static bool Matches(AclRule rule, Frame frame)
    {
        var outbound = rule.Direction == AclDirection.Outbound;
        if (rule.Remote is { } remote)
        {
            var mac = outbound ? frame.Destination : frame.Source;
            var address = outbound ? frame.Ip?.Destination : frame.Ip?.Source;
            if (RemoteAddress.Parse(remote) is not { } other || !(other.Is(mac) || (address is not null && other.Contains(address))))
            {
                return false;
            }
        }
        var (local, far) = outbound ? (frame.Ip?.SourcePort, frame.Ip?.DestinationPort) : (frame.Ip?.DestinationPort, frame.Ip?.SourcePort);
        return (rule.Protocol is null || rule.Protocol == frame.Ip?.Protocol)
            && (rule.LocalPort is null || rule.LocalPort == local)
            && (rule.RemotePort is null || rule.RemotePort == far);
    }
}
