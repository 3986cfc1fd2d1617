using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>Access lists and the spoofing guard, with frames of every kind that they look into.</summary>
public sealed class AclTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();
    readonly List<Wire> _wires = [];
    readonly Nic _web = new("web", 1);
    readonly Nic _db = new("db", 2);
    LinuxDriver _hv01 = null!;

    public async Task InitializeAsync()
    {
        if (RootFactAttribute.CanRun)
        {
            _hv01 = await _fleet.Host("hv01");
        }
    }

    public async Task DisposeAsync()
    {
        _wires.ForEach(wire => wire.Dispose());
        await _fleet.End();
    }

    [RootFact]
    public async Task Deny_holds_from_before_the_first_packet_until_the_gate_closes()
    {
        await _fleet.Open(_hv01, _web, PortPolicy.Default);
        await _fleet.Done(_hv01, _db.Create(Acl(new AclRule(AclDirection.Inbound, AclAction.Deny, _web.Address, Protocol: 17))));
        var (sends, hears) = (At(_web), At(_db));
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                sends.Send(Wire.IpType, Wire.Udp(_web.Address, _db.Address, 1, 2, "denied"));
                sends.Send("open");
            }
        });

        await _fleet.Done(_hv01, _db.Connect());
        await Fleet.Eventually(() => hears.Hear().Count(frame => frame.Text == "open") > 500, "frames that are allowed");
        await _fleet.Done(_hv01, _db.Apply(Acl(new AclRule(AclDirection.Inbound, AclAction.Deny, "10.0.0.0/24", Protocol: 17))));
        var before = hears.Hear().Count;
        await Fleet.Eventually(() => hears.Hear().Count > before + 500, "frames that are allowed after the change");
        Assert.InRange((await _fleet.Gathered(_hv01, _db)).AclHits[0], 1, long.MaxValue);
        await _fleet.Done(_hv01, _db.Disconnect());
        await stop.CancelAsync();
        await sending;

        Assert.DoesNotContain(hears.Hear(), frame => frame.Type == Wire.IpType && frame.Source == _web.Mac);
    }

    [RootFact]
    public async Task Replacing_a_policy_leaves_no_moment_without_one()
    {
        await _fleet.Open(_hv01, _web, PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) });
        await _fleet.Open(_hv01, _db, PortPolicy.Default);
        var plain = new Nic("plain", 3);
        await _fleet.Open(_hv01, plain, PortPolicy.Default);
        var (sends, hears, untagged) = (At(_web), At(_db), At(plain));
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                sends.Send(Wire.IpType, Wire.Udp(_web.Address, _db.Address, 1, 2, "denied"));
                sends.Send("tagged");
            }
        });

        // Under each of them no packet may reach the database, and no frame the guest without tags.
        for (var round = 0; round < 50; round++)
        {
            var rule = new AclRule(AclDirection.Inbound, AclAction.Deny, Protocol: 17, LocalPort: round % 2 == 0 ? 2 : null);
            await _fleet.Done(_hv01, _db.Apply(Acl(rule) with { Vlan = new VlanPolicy.Access(10 + round % 2) }));
            await _fleet.Done(_hv01, _web.Apply(PortPolicy.Default with { Vlan = new VlanPolicy.Access(10 + round % 2) }));
        }

        await Fleet.Eventually(() => hears.Hear().Exists(frame => frame.Text == "tagged"), "a frame that is allowed");
        await stop.CancelAsync();
        await sending;
        Assert.DoesNotContain(hears.Hear(), frame => frame.Type == Wire.IpType && frame.Source == _web.Mac);
        Assert.DoesNotContain(untagged.Hear(), frame => frame.Source == _web.Mac);
    }

    [RootFact]
    public async Task Access_list_holds_on_tagged_frames_too()
    {
        var trunk = new VlanPolicy.Trunk(0, [new VlanRange(10, 10)]);
        var (access, far) = (new Nic("access", 3), new Nic("far", 4));
        await _fleet.Open(_hv01, _web, Acl(new AclRule(AclDirection.Outbound, AclAction.Deny, "10.0.0.0/8", 17, RemotePort: 1)) with { Vlan = trunk });
        await _fleet.Open(_hv01, _db, Acl(new AclRule(AclDirection.Inbound, AclAction.Deny, _web.Address, 17, LocalPort: 2)) with { Vlan = trunk });
        await _fleet.Open(_hv01, access, Acl(new AclRule(AclDirection.Inbound, AclAction.Deny, _web.Address, 17, LocalPort: 3)) with { Vlan = new VlanPolicy.Access(10) });
        await _fleet.Open(_hv01, far, PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) });
        var (sends, tagged, untagged, all) = (At(_web), At(_db), At(access), At(far));

        foreach (var port in (int[])[1, 2, 3, 4])
        {
            sends.Send(Wire.IpType, Wire.Udp(_web.Address, "10.255.255.255", 9, port, $"port {port}"), tag: 10);
        }

        Wire[] receivers = [tagged, untagged, all];
        await Fleet.Eventually(() => receivers.All(wire => Ports(wire).Contains("port 4")), "the packet that all may hear");
        Assert.Equal(["port 3", "port 4"], Ports(tagged));
        Assert.Equal(["port 2", "port 4"], Ports(untagged));
        Assert.Equal(["port 2", "port 3", "port 4"], Ports(all));
    }

    [RootFact]
    public async Task Forged_sender_within_ARP_is_dropped_and_counted_also_under_a_tag()
    {
        var red = PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) };
        await _fleet.Open(_hv01, _web, red);
        await _fleet.Open(_hv01, _db, red);
        var (sends, hears) = (At(_web), At(_db));

        sends.Send(Wire.ArpType, Wire.Arp("02:00:00:00:00:99", "10.9.9.9", "10.8.8.8"));
        sends.Send(Wire.ArpType, Wire.Arp(_web.Mac, "10.9.9.9", "10.7.7.7"));
        sends.Send("end");
        await Fleet.Eventually(() => hears.Probes().Contains("end"), "the end");

        // The fourth byte of the address that is asked for tells which one it was.
        Assert.Equal([7], hears.Hear().Where(frame => frame.Type == Wire.ArpType && frame.Payload[17] == 9).Select(frame => (int)frame.Payload[27]));
        Assert.Equal(1, (await _fleet.Gathered(_hv01, _web)).SpoofedDropped);
    }

    [RootFact]
    public async Task Guest_that_may_spoof_is_not_held_to_its_address()
    {
        await _fleet.Open(_hv01, _web, PortPolicy.Default with { AllowMacSpoofing = true });
        await _fleet.Open(_hv01, _db, PortPolicy.Default);
        var (sends, hears) = (At(_web), At(_db));

        sends.Send("any", from: "02:00:00:00:00:99");

        await Fleet.Eventually(() => hears.Probes().Contains("any"), "a frame with another source");
    }

    [RootFact]
    public async Task Rules_match_MACs_IPv6_prefixes_and_everything()
    {
        const string nobody = "02:00:00:00:00:77";
        await _fleet.Open(_hv01, _web, Acl(
            new AclRule(AclDirection.Outbound, AclAction.Deny, nobody),
            new AclRule(AclDirection.Outbound, AclAction.Deny, "2001:db8::/32"),
            new AclRule(AclDirection.Outbound, AclAction.Allow, "2001:db9::1", 17, RemotePort: 5),
            new AclRule(AclDirection.Outbound, AclAction.Deny, "::/0"),
            new AclRule(AclDirection.Outbound, AclAction.Allow, Wire.Everybody),
            new AclRule(AclDirection.Outbound, AclAction.Deny)));
        await _fleet.Open(_hv01, _db, PortPolicy.Default);
        var (sends, hears) = (At(_web), At(_db));

        sends.Send("to nobody", to: nobody);
        sends.Send("to somebody", to: "02:00:00:00:00:78");
        sends.Send(Wire.Ip6Type, Wire.Udp6("2001:db8:1::1", 5, "in the prefix"));
        sends.Send(Wire.Ip6Type, Wire.Udp6("2001:db9::1", 6, "another port"));
        sends.Send(Wire.Ip6Type, Wire.Udp6("2001:db9::1", 5, "allowed"));
        sends.Send("end");
        await Fleet.Eventually(() => hears.Probes().Contains("end"), "the end");

        Assert.Equal(["end"], hears.Probes());
        Assert.Equal(["allowed"], hears.Hear().Where(frame => frame.Source == _web.Mac && frame.Type == Wire.Ip6Type && frame.Payload[6] == 17)
            .Select(frame => frame.Text[48..]));
        var hits = (await _fleet.Gathered(_hv01, _web)).AclHits;
        Assert.Equal([1, 1, 1, 1], [hits[0], hits[1], hits[2], hits[5]]);
    }

    [RootFact]
    public async Task Policy_taken_away_restores_the_traffic()
    {
        await _fleet.Open(_hv01, _web, Acl(new AclRule(AclDirection.Outbound, AclAction.Deny, _db.Address)));
        await _fleet.Open(_hv01, _db, PortPolicy.Default with { Vlan = new VlanPolicy.Untagged() });
        Assert.False(_fleet.Ping("web", _db.Address));

        Assert.Equal(PortPolicy.Default.Digest, (await _fleet.Done(_hv01, _web.Apply(PortPolicy.Default))).Policy);
        await Fleet.Eventually(() => _fleet.Ping("web", _db.Address), "a ping under the default");
        await _fleet.Done(_hv01, _web.Apply(PortPolicy.Default with { Vlan = new VlanPolicy.Access(7) }));
        Assert.False(_fleet.Ping("web", _db.Address));
        Assert.Null((await _fleet.Done(_hv01, _web.Apply(null))).Policy);
        await Fleet.Eventually(() => _fleet.Ping("web", _db.Address), "a ping under no policy");
    }

    [RootFact]
    public async Task Policy_that_cannot_be_enforced_is_refused_and_nothing_is_made()
    {
        AclRule[] wrong =
        [
            new(AclDirection.Inbound, AclAction.Deny, "10.0.0.0/33"), new(AclDirection.Inbound, AclAction.Deny, "10.1"),
            new(AclDirection.Inbound, AclAction.Deny, "x } ; flush ruleset"), new(AclDirection.Inbound, AclAction.Deny, RemotePort: 5),
            new(AclDirection.Inbound, AclAction.Deny, Protocol: 6, LocalPort: 65_536), new(AclDirection.Inbound, AclAction.Deny, Protocol: 256),
            new(AclDirection.Inbound, AclAction.Deny, "fe80::1%eth0"), new(AclDirection.Inbound, AclAction.Deny, "10.0.0.1/8"),
            new(AclDirection.Inbound, AclAction.Deny, "010.0.0.1"), new(AclDirection.Inbound, AclAction.Deny, "2001:db8::1/32"),
        ];
        PortPolicy[] policies =
        [
            .. wrong.Select(rule => Acl(rule)),
            Acl([.. Enumerable.Repeat(new AclRule(AclDirection.Inbound, AclAction.Deny), PortPolicy.AclsMax + 1)]),
            PortPolicy.Default with { Vlan = new VlanPolicy.Access(0) },
            PortPolicy.Default with { Vlan = new VlanPolicy.Trunk(4_095, []) },
            PortPolicy.Default with { Vlan = new VlanPolicy.Trunk(0, [new VlanRange(5, 6), new VlanRange(6, 7)]) },
            PortPolicy.Default with { Vlan = new VlanPolicy.Private(PrivateVlanMode.Isolated, 1, [2, 3]) },
            PortPolicy.Default with { Bandwidth = new BandwidthPolicy(1_000) },
        ];
        foreach (var policy in policies)
        {
            var refused = await _fleet.Do(_hv01, _web.Create(policy));
            Assert.Equal((NdisStatus.InvalidParameter, false), (refused.Status, refused.Observed!.Present));
        }

        Assert.Equal(NdisStatus.InvalidParameter, (await _fleet.Do(_hv01, _web.Create(PortPolicy.Default) with { Mac = null })).Status);
        Assert.DoesNotContain("n-", _fleet.Inside("hv01", "nft", "list", "ruleset").Output, StringComparison.Ordinal);
    }

    static PortPolicy Acl(params AclRule[] rules) => PortPolicy.Default with { Acls = rules };

    static string[] Ports(Wire wire) =>
    [
        .. wire.Hear().Where(frame => frame.Type == Wire.IpType && frame.Text.Contains("port ", StringComparison.Ordinal))
            .Select(frame => frame.Text[28..]).Distinct().Order(),
    ];

    Wire At(Nic nic)
    {
        _wires.Add(_fleet.Wire(nic));
        return _wires[^1];
    }
}
