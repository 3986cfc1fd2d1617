using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>
/// What a data path enforces for one NIC: the port's properties in the form in which a host is told them. It is whole:
/// a host replaces what it had by it in one step, so that there is no moment with half a policy.
/// </summary>
/// <param name="Vlan">Which tags the NIC may use.</param>
/// <param name="AllowMacSpoofing">False: frames from the guest with another source than the NIC's address are dropped and counted (switch.md 2.1, security).</param>
/// <param name="Acls">First match decides; a frame that none matches passes. At most <see cref="AclsMax"/>.</param>
/// <param name="Bandwidth">Null: no limit.</param>
public sealed record PortPolicy(VlanPolicy Vlan, bool AllowMacSpoofing, IReadOnlyList<AclRule> Acls, BandwidthPolicy? Bandwidth = null)
{
    /// <summary>Rules that one port may have.</summary>
    public const int AclsMax = 256;

    /// <summary>A NIC without any property: untagged, its own address only (the switch's default, switch.md 1.4).</summary>
    public static readonly PortPolicy Default = new(new VlanPolicy.Untagged(), false, []);

    /// <summary>Names the policy: equal policies have equal digests. 16 hexadecimal digits.</summary>
    [JsonIgnore]
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this, PolicyJson.Default.PortPolicy)))[..16];

    public bool Equals(PortPolicy? other) => other is not null && Digest == other.Digest;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Digest);
}

/// <summary>The VLAN property as the data path enforces it (switch.md 2.1). Ids are 1 to 4094.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "mode")]
[JsonDerivedType(typeof(Untagged), "untagged")]
[JsonDerivedType(typeof(Access), "access")]
[JsonDerivedType(typeof(Trunk), "trunk")]
[JsonDerivedType(typeof(Private), "private")]
public abstract record VlanPolicy
{
    VlanPolicy()
    {
    }

    /// <summary>Only frames without a tag, both ways.</summary>
    public sealed record Untagged : VlanPolicy;

    /// <summary>The guest sends and hears untagged; inside the switch its frames carry the id. What it tags itself is dropped.</summary>
    public sealed record Access(int Id) : VlanPolicy;

    /// <summary>The guest sends and hears the allowed ids tagged; untagged frames are those of the native id (0: untagged stays untagged).</summary>
    /// <param name="Allowed">Ranges in rising order, not touching.</param>
    public sealed record Trunk(int Native, IReadOnlyList<VlanRange> Allowed) : VlanPolicy;

    /// <summary>
    /// A private VLAN: isolated ports reach promiscuous ones only, a community itself and promiscuous ones, promiscuous
    /// ones all secondaries of their primary. Inside the switch, frames carry the secondary id of an isolated or
    /// community port, and the primary id of a promiscuous one.
    /// </summary>
    /// <param name="Secondaries">One for isolated and community; all that it serves for promiscuous.</param>
    public sealed record Private(PrivateVlanMode Kind, int Primary, IReadOnlyList<int> Secondaries) : VlanPolicy;
}

/// <summary>Ids from first to last, both included.</summary>
public readonly record struct VlanRange(int First, int Last);

[JsonConverter(typeof(CamelEnumJson<PrivateVlanMode>))]
public enum PrivateVlanMode
{
    Isolated = 1,
    Community = 2,
    Promiscuous = 3,
}

/// <summary>Seen from the NIC's guest.</summary>
[JsonConverter(typeof(CamelEnumJson<AclDirection>))]
public enum AclDirection
{
    /// <summary>To the guest.</summary>
    Inbound,
    /// <summary>From the guest.</summary>
    Outbound,
}

[JsonConverter(typeof(CamelEnumJson<AclAction>))]
public enum AclAction
{
    Allow,
    Deny,
}

/// <summary>One line of a port's access list. What is null matches everything.</summary>
/// <param name="Remote">The other side: a MAC, an IPv4 or IPv6 address, or a prefix such as 10.0.0.0/8.</param>
/// <param name="Protocol">IP protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.</param>
/// <param name="RemotePort">TCP or UDP port of the other side; needs protocol 6 or 17.</param>
/// <param name="LocalPort">TCP or UDP port of the guest; needs protocol 6 or 17.</param>
public sealed record AclRule(
    AclDirection Direction, AclAction Action, string? Remote = null, int? Protocol = null, int? RemotePort = null, int? LocalPort = null);

/// <summary>Limits in bits of frames per second, 64 kbit/s to 100 Gbit/s; null: none.</summary>
public sealed record BandwidthPolicy(long? OutboundBitsPerSecond = null, long? InboundBitsPerSecond = null);

/// <summary>The one form in which a policy is hashed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PortPolicy))]
sealed partial class PolicyJson : JsonSerializerContext;
