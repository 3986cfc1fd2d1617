using System.Net;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using FsCheck.Xunit;

namespace ControlPlane.Tests.Agent;

/// <summary>
/// Random policies at every NIC of a switch, random frames: what arrives is held against the meaning of the policies,
/// said here in another way than the filter says it.
/// </summary>
public sealed class PolicyProperties
{
    const int Nics = 5;

    [Property(Replay = "20260104,7937", MaxTest = 300)]
    public void No_frame_passes_a_deny(int seed)
    {
        var random = new RandomPolicies(seed);
        var ports = Ports(random);
        var bridge = new Bridge();
        for (var i = 0; i < 60; i++)
        {
            var from = ports[i % Nics];
            var frame = random.Frame(i % Nics, Nics);
            var passage = bridge.Send(ports, from.NicKey, frame);
            foreach (var arrival in passage.Arrivals)
            {
                var to = ports.Single(port => port.NicKey == arrival.NicKey);
                var told = $"seed {seed}, frame {i}: {frame} of {from} came to {to}";
                Assert.False(Denied(from.Policy!, AclDirection.Outbound, frame.Destination, frame.Ip), told);
                Assert.False(Denied(to.Policy!, AclDirection.Inbound, frame.Source, frame.Ip), told);
                Assert.True(from.Policy!.AllowMacSpoofing || frame.Source == from.Mac, told);
                Assert.True(MayHear(from.Policy.Vlan, frame.Tag, to.Policy!.Vlan, arrival.Frame.Tag), told);
            }
        }
    }

    [Property(Replay = "20260105,7949", MaxTest = 200)]
    public void Frame_that_nothing_forbids_arrives(int seed)
    {
        var random = new RandomPolicies(seed);
        var ports = Ports(random);
        var frame = random.Frame(0, Nics) with { Source = RandomPolicies.Mac(0) };
        if (frame.Destination == frame.Source)
        {
            frame = frame with { Destination = RandomPolicies.Mac(1) };
        }
        var passage = new Bridge().Send(ports, ports[0].NicKey, frame);
        var outbound = Denied(ports[0].Policy!, AclDirection.Outbound, frame.Destination, frame.Ip);
        foreach (var to in ports.Skip(1))
        {
            var forbidden = outbound || Denied(to.Policy!, AclDirection.Inbound, frame.Source, frame.Ip)
                || !Heard(ports[0].Policy!.Vlan, frame.Tag, to.Policy!.Vlan);
            Assert.True(forbidden != passage.Arrivals.Any(arrival => arrival.NicKey == to.NicKey), $"seed {seed}: {frame} of {ports[0]} to {to}");
        }
    }

    [Property(Replay = "20260106,7951", MaxTest = 50)]
    public void Equal_policies_have_equal_digests_and_others_do_not(int seed)
    {
        var (one, same, other) = (new RandomPolicies(seed).Policy(), new RandomPolicies(seed).Policy(), new RandomPolicies(seed + 1).Policy());
        Assert.Equal(one, same);
        Assert.Equal(16, one.Digest.Length);
        Assert.NotEqual(one with { AllowMacSpoofing = !one.AllowMacSpoofing }, one);
        Assert.Equal(one.Digest == other.Digest, one == other);
    }

    [Fact]
    public void What_was_gathered_goes_on_where_it_is_put_back()
    {
        var ports = new BridgePort[]
        {
            new("a", RandomPolicies.Mac(0), PortPolicy.Default with { Acls = [new AclRule(AclDirection.Outbound, AclAction.Deny, Protocol: 17)] }, true),
            new("b", RandomPolicies.Mac(1), PortPolicy.Default, true),
        };
        var (before, after) = (new Bridge(), new Bridge());
        var udp = new IpPart(IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"), 17, 80, 80);
        before.Send(ports, "a", new Frame(RandomPolicies.Mac(0), RandomPolicies.Mac(1), null, udp));
        before.Send(ports, "a", new Frame(RandomPolicies.Mac(0), RandomPolicies.Mac(1)));
        before.Send(ports, "a", new Frame(RandomPolicies.Mac(3), RandomPolicies.Mac(1)));
        var saved = before.Read("a", 1);
        Assert.Equal([RandomPolicies.Mac(0)], saved.Learned);
        Assert.Equal(1, saved.SpoofedDropped);
        Assert.Equal([1L], saved.AclHits);

        after.Restore("a", new NicRuntimePart(Learned: saved.Learned));
        after.Restore("a", new NicRuntimePart(SpoofedDropped: saved.SpoofedDropped, AclHits: saved.AclHits));
        Assert.Equal(saved.Learned, after.Read("a", 1).Learned);
        after.Send(ports, "a", new Frame(RandomPolicies.Mac(3), RandomPolicies.Mac(1)));
        Assert.Equal(2, after.Read("a", 1).SpoofedDropped);
        after.Forget("a");
        Assert.Empty(after.Read("a", 1).Learned);
    }

    static BridgePort[] Ports(RandomPolicies random) =>
        [.. Enumerable.Range(0, Nics).Select(nic => new BridgePort($"nic/vm/{nic}", RandomPolicies.Mac(nic), random.Policy(), true))];

    /// <summary>A deny matches that no earlier allow of the same direction has matched.</summary>
    static bool Denied(PortPolicy policy, AclDirection direction, string remoteMac, IpPart? ip)
    {
        var deciding = policy.Acls.FirstOrDefault(rule => rule.Direction == direction
            && (rule.Remote is null || rule.Remote == remoteMac || (ip is not null && InPrefix(rule.Remote, direction == AclDirection.Outbound ? ip.Destination : ip.Source)))
            && (rule.Protocol ?? ip?.Protocol ?? -1) == (ip?.Protocol ?? -1)
            && Port(rule.LocalPort, direction == AclDirection.Outbound ? ip?.SourcePort : ip?.DestinationPort)
            && Port(rule.RemotePort, direction == AclDirection.Outbound ? ip?.DestinationPort : ip?.SourcePort));
        return deciding?.Action == AclAction.Deny;
    }

    static bool Port(int? wanted, int? seen) => wanted is null || wanted == seen;

    /// <summary>By comparing bits, not by the library that the filter uses.</summary>
    static bool InPrefix(string remote, IPAddress address)
    {
        var slash = remote.Split('/');
        if (!IPAddress.TryParse(slash[0], out var network) || network.AddressFamily != address.AddressFamily || slash[0].Count(c => c == ':') == 5)
        {
            return false;
        }
        var (mine, theirs) = (network.GetAddressBytes(), address.GetAddressBytes());
        var bits = slash.Length > 1 ? int.Parse(slash[1], System.Globalization.CultureInfo.InvariantCulture) : mine.Length * 8;
        return Enumerable.Range(0, bits).All(bit => ((mine[bit / 8] ^ theirs[bit / 8]) >> (7 - (bit % 8)) & 1) == 0);
    }

    /// <summary>The frame could be heard, and the guest sees the tag that its policy says.</summary>
    static bool MayHear(VlanPolicy from, int? sent, VlanPolicy to, int? seen) => Heard(from, sent, to)
        && (seen is null ? to is not VlanPolicy.Trunk trunk || Carried(from, sent) == null || Carried(from, sent) == trunk.Native : to is VlanPolicy.Trunk);

    static bool Heard(VlanPolicy from, int? sent, VlanPolicy to) => MaySend(from, sent) && Hears(to).Contains(Carried(from, sent) ?? 0);

    static bool MaySend(VlanPolicy from, int? sent) => sent is null || (from is VlanPolicy.Trunk trunk && Ids(trunk).Contains(sent.Value));

    /// <summary>The id inside the switch, 0 for none.</summary>
    static int? Carried(VlanPolicy from, int? sent) => sent ?? from switch
    {
        VlanPolicy.Access access => access.Id,
        VlanPolicy.Trunk { Native: > 0 } trunk => trunk.Native,
        VlanPolicy.Private { Kind: PrivateVlanMode.Promiscuous } own => own.Primary,
        VlanPolicy.Private own => own.Secondaries[0],
        _ => null,
    };

    static HashSet<int> Hears(VlanPolicy to) => to switch
    {
        VlanPolicy.Access access => [access.Id],
        VlanPolicy.Trunk trunk => [trunk.Native, .. Ids(trunk)],
        VlanPolicy.Private { Kind: PrivateVlanMode.Isolated } own => [own.Primary],
        VlanPolicy.Private own => [own.Primary, .. own.Secondaries],
        _ => [0],
    };

    static IEnumerable<int> Ids(VlanPolicy.Trunk trunk) => trunk.Allowed.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1));
}
