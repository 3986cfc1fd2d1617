using System.Net;

namespace ControlPlane.DriverSimulated;

/// <summary>One Ethernet frame, as far as a policy looks at it.</summary>
/// <param name="Source">Lower case with colons.</param>
/// <param name="Tag">VLAN id of its tag; null: untagged.</param>
/// <param name="Ip">Null: not IP.</param>
public sealed record Frame(string Source, string Destination, int? Tag = null, IpPart? Ip = null)
{
    /// <summary>The lowest bit of the first byte marks a group address, the broadcast among them.</summary>
    public bool ToGroup => "13579bdf".Contains(Destination[1], StringComparison.Ordinal);
}

/// <param name="Protocol">1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.</param>
/// <param name="SourcePort">TCP and UDP only.</param>
public sealed record IpPart(IPAddress Source, IPAddress Destination, int Protocol, int? SourcePort = null, int? DestinationPort = null);

/// <summary>Why a frame was dropped.</summary>
public enum FrameDrop
{
    /// <summary>The sender's gate is closed, or it has no device.</summary>
    Gate = 1,
    Vlan,
    Spoofed,
    Acl,
}
