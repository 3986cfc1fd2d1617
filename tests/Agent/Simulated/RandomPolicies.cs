using System.Net;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Agent;

/// <summary>Policies and frames out of a seed, from a world so small that rules meet frames often.</summary>
sealed class RandomPolicies(int seed)
{
    static readonly string[] Remotes = ["10.0.0.0/24", "10.0.0.2", "10.0.1.0/24", "0.0.0.0/0", "fd00::/64", Mac(1), Mac(2)];

    readonly Random _random = new(seed);

    public static string Mac(int nic) => $"02:00:00:00:00:{nic:x2}";

    public PortPolicy Policy()
    {
        var acls = Enumerable.Range(0, _random.Next(5)).Select(_ => Rule()).ToArray();
        return new PortPolicy(Vlan(), _random.Next(4) == 0, acls);
    }

    public VlanPolicy Vlan() => _random.Next(6) switch
    {
        0 or 1 => new VlanPolicy.Untagged(),
        2 => new VlanPolicy.Access(_random.Next(10, 13)),
        3 => new VlanPolicy.Trunk(_random.Next(2) * 10, [new VlanRange(10, _random.Next(10, 13))]),
        4 => new VlanPolicy.Private((PrivateVlanMode)_random.Next(1, 3), 10, [_random.Next(11, 13)]),
        _ => new VlanPolicy.Private(PrivateVlanMode.Promiscuous, 10, [11, 12]),
    };

    public AclRule Rule()
    {
        int? protocol = _random.Next(3) switch { 0 => null, 1 => 6, _ => 17 };
        var ports = protocol is not null && _random.Next(2) == 0;
        return new AclRule(
            (AclDirection)_random.Next(2), (AclAction)_random.Next(2), _random.Next(3) == 0 ? null : Remotes[_random.Next(Remotes.Length)],
            protocol, ports && _random.Next(2) == 0 ? _random.Next(80, 82) : null, ports ? _random.Next(80, 82) : null);
    }

    /// <summary>A frame that the NIC's guest sends: mostly as it should, at times with a foreign source or a tag.</summary>
    public Frame Frame(int nic, int nics)
    {
        var source = _random.Next(5) == 0 ? _random.Next(nics) : nic;
        var to = _random.Next(nics + 1);
        IpPart? ip = _random.Next(5) switch
        {
            0 => null,
            1 => Part($"fd00::{nic + 1}", $"fd00::{to + 1}"),
            2 => Part($"10.0.1.{nic + 1}", $"10.0.1.{to + 1}"),
            _ => Part($"10.0.0.{nic + 1}", $"10.0.0.{to + 1}"),
        };
        return new Frame(Mac(source), to == nics ? "ff:ff:ff:ff:ff:ff" : Mac(to), _random.Next(3) == 0 ? _random.Next(10, 13) : null, ip);
    }

    IpPart Part(string from, string to)
    {
        var ports = _random.Next(3) > 0;
        return new IpPart(
            IPAddress.Parse(from), IPAddress.Parse(to), ports ? _random.Next(2) == 0 ? 6 : 17 : 1,
            ports ? _random.Next(80, 82) : null, ports ? _random.Next(80, 82) : null);
    }
}
