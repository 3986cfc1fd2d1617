using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The programs of one NIC's policy: on each side the VLANs, the spoofing guard and the access list in one, so that all of
/// it is replaced between two frames.
/// </summary>
sealed class PortPrograms
{
    readonly PortProgram _in;
    readonly PortProgram _out;

    public PortPrograms(PortPolicy policy, string? mac)
    {
        Digest = policy.Digest;
        _in = new PortProgram(TrafficSide.In, policy, policy.AllowMacSpoofing || mac is null ? null : MacText.Bytes(mac));
        _out = new PortProgram(TrafficSide.Out, policy, guarded: null);
    }

    /// <summary>Of the policy.</summary>
    public string Digest { get; }

    public PortProgram At(TrafficSide side) => side == TrafficSide.In ? _in : _out;

    /// <summary>Null when the rules can be enforced; else what is wrong.</summary>
    public static string? Refuse(PortPolicy policy, string? mac)
    {
        if (!policy.AllowMacSpoofing && mac is null)
        {
            return "a NIC without an address cannot be held to it: give it one, or allow spoofing";
        }

        if (policy.Acls.Count > PortPolicy.AclsMax)
        {
            return $"{policy.Acls.Count} access rules are more than {PortPolicy.AclsMax}";
        }

        return policy.Acls.Select(Refuse).FirstOrDefault(no => no is not null);
    }

    static string? Refuse(AclRule rule)
    {
        const int portMax = 65_535;
        if (rule.Remote is not null && RemoteAddress.Parse(rule.Remote) is null)
        {
            return $"access rule: {rule.Remote} is no MAC, IP address or prefix";
        }

        if (rule.Protocol is < 0 or > 255 || rule.RemotePort is < 0 or > portMax || rule.LocalPort is < 0 or > portMax)
        {
            return $"access rule: {rule} has a number out of its range";
        }

        return (rule.RemotePort ?? rule.LocalPort) is not null && rule.Protocol is not (6 or 17)
            ? "access rule: a port needs protocol 6 or 17"
            : null;
    }
}
