using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>What a NIC's policy forbids does not pass, and what it allows does; shown with packets of real guests.</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Guests_of_one_VLAN_reach_each_other_and_those_of_two_do_not()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db, other) = (new Nic("web", 1), new Nic("db", 2), new Nic("other", 3));
        var red = PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) };
        var observed = await _fleet.Open(hv01, web, red);
        await _fleet.Open(hv01, db, red);
        await _fleet.Open(hv01, other, PortPolicy.Default with { Vlan = new VlanPolicy.Access(20) });

        Assert.Equal(red.Digest, observed.Policy);
        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping within the VLAN");
        Assert.False(_fleet.Ping("web", other.Address));
        Assert.False(_fleet.Ping("other", db.Address));
    }

    [RootFact]
    public async Task Frame_with_a_forged_source_is_dropped_and_counted()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        await _fleet.Open(hv01, web, PortPolicy.Default);
        await _fleet.Open(hv01, db, PortPolicy.Default);
        using var sends = _fleet.Wire(web);
        using var hears = _fleet.Wire(db);

        sends.Send("forged", from: "02:00:00:00:00:99");
        sends.Send("honest");
        await Fleet.Eventually(() => hears.Probes().Contains("honest"), "the honest frame");

        Assert.Equal(["honest"], hears.Probes());
        Assert.Equal(1, (await _fleet.Gathered(hv01, web)).SpoofedDropped);
    }

    [RootFact]
    public async Task Denied_protocol_does_not_pass_and_each_rule_counts_what_it_decided()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        await _fleet.Open(hv01, web, PortPolicy.Default with
        {
            Acls =
            [
                new AclRule(AclDirection.Outbound, AclAction.Allow, db.Address, Protocol: 17, RemotePort: 53),
                new AclRule(AclDirection.Outbound, AclAction.Deny, "10.0.0.0/8", Protocol: 17),
            ],
        });
        await _fleet.Open(hv01, db, PortPolicy.Default);
        using var sends = _fleet.Wire(web);
        using var hears = _fleet.Wire(db);

        sends.Send(Wire.IpType, Wire.Udp(web.Address, db.Address, 4000, 54, "denied"));
        sends.Send(Wire.IpType, Wire.Udp(web.Address, db.Address, 4000, 53, "allowed"));
        await Fleet.Eventually(() => hears.Hear().Exists(frame => frame.Text.Contains("allowed", StringComparison.Ordinal)), "the allowed one");

        Assert.DoesNotContain(hears.Hear(), frame => frame.Text.Contains("denied", StringComparison.Ordinal));
        Assert.Equal([1, 1], (await _fleet.Gathered(hv01, web)).AclHits);
        Assert.True(_fleet.Ping("web", db.Address));
    }
}
