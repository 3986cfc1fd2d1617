using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>NIC_UPDATED on a real device: its MTU and the address of its guard (switch.md 2.4).</summary>
public sealed class UpdateTests : IAsyncLifetime
{
    const string Other = "02:00:00:00:00:77";

    readonly Fleet _fleet = new();
    readonly Nic _web = new("web", 1);
    readonly Nic _db = new("db", 2);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Mtu_and_address_of_an_update_are_the_devices_and_are_read_back()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _db, PortPolicy.Default);
        var device = (await _fleet.Open(hv01, _web, PortPolicy.Default)).Device;
        await Fleet.Eventually(() => _fleet.Ping("web", _db.Address), "a ping");
        Assert.Equal((0, 1_500), (Ping(1_450), Mtu("hv01", device)));

        var updated = await _fleet.Done(hv01, _web.Apply(PortPolicy.Default) with { Mtu = 1_400, Mac = Other });

        Assert.Equal((1_400, Other, PortPolicy.Default.Digest, true), (updated.Mtu, updated.Mac, updated.Policy, updated.Up));
        Assert.Equal(1_400, Mtu("hv01", device));
        Assert.False(_fleet.Ping("web", _db.Address)); // the guest still uses its first address
        Assert.Equal(0, _fleet.Ip("vm-web", "link", "set", "eth0", "address", Other).Code);
        await Fleet.Eventually(() => _fleet.Ping("web", _db.Address), "a ping under the new address");
        Assert.NotEqual(0, Ping(1_450));

        int Ping(int bytes) => _fleet.Inside("vm-web", "ping", "-c1", "-W1", "-M", "do", "-s", $"{bytes}", _db.Address).Code;
    }

    [RootFact]
    public async Task Larger_mtu_reaches_up_to_the_guests_device()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _db, PortPolicy.Default);
        await _fleet.Open(hv01, _web, PortPolicy.Default);
        foreach (var nic in new[] { _web, _db })
        {
            await _fleet.Done(hv01, nic.Apply(PortPolicy.Default) with { Mtu = 9_000 });
            Assert.Equal(0, _fleet.Ip("vm-" + nic.Vm, "link", "set", "eth0", "mtu", "9000").Code); // the guest's part
        }
        await Fleet.Eventually(
            () => _fleet.Inside("vm-web", "ping", "-c1", "-W1", "-M", "do", "-s", "8000", _db.Address).Code == 0, "a large packet");
    }

    [RootFact]
    public async Task Connection_brings_mtu_and_address_anew()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Done(hv01, _web.Create(PortPolicy.Default));
        var open = await _fleet.Done(hv01, _web.Connect() with { Mtu = 1_400, Mac = Other });
        Assert.Equal((1_400, Other, PortPolicy.Default.Digest, true), (open.Mtu, open.Mac, open.Policy, open.Up));
        Assert.Equal(1_400, Mtu("hv01", open.Device));
    }

    [RootTheory]
    [InlineData(NicAttach.Veth)]
    [InlineData(NicAttach.Tap)]
    [InlineData(NicAttach.Host)]
    public async Task Mtu_that_another_hand_changed_is_told_and_a_repair_brings_it_back(NicAttach attach)
    {
        var hv01 = await _fleet.Host("hv01");
        var device = (await _fleet.Done(hv01, _web.Create(PortPolicy.Default) with { Attach = attach, Mtu = 1_400 })).Device;
        await _fleet.Done(hv01, _web.Connect());
        var after = (await hv01.Snapshot(default)).LastSeq;

        Assert.Equal(0, _fleet.Ip("hv01", "link", "set", device, "mtu", "1300").Code);
        var frame = Assert.Single(await Fleet.Frames(hv01, 1, after));
        Assert.Equal((FrameKind.Changed, 1_300), (frame.Kind, frame.Device.Mtu));

        var repaired = await _fleet.Done(hv01, _web.Repair(up: true, PortPolicy.Default) with { Attach = attach, Mtu = 1_400 });
        Assert.Equal((1_400, 1_400), (repaired.Mtu, Mtu("hv01", device)));
    }

    [RootTheory]
    [InlineData(NicAttach.Veth)]
    [InlineData(NicAttach.Tap)]
    public async Task Policy_that_the_kernel_refuses_half_way_leaves_what_held_before(NicAttach attach)
    {
        var hv01 = await _fleet.Host("hv01");
        var before = PortPolicy.Default with
        {
            Vlan = new VlanPolicy.Access(10),
            Acls = [new AclRule(AclDirection.Outbound, AclAction.Deny, "10.0.0.9")],
            Bandwidth = new BandwidthPolicy(1_000_000_000, 1_000_000_000),
        };
        await _fleet.Done(hv01, _web.Create(before) with { Attach = attach });
        var held = await _fleet.Done(hv01, _web.Connect());

        // Rules and traffic control are taken; the MTU, which comes last, is larger than a device can have.
        var refused = await _fleet.Do(hv01, _web.Apply(PortPolicy.Default with { AllowMacSpoofing = true }) with { Mtu = 70_000, Mac = Other });

        Assert.Equal((NdisStatus.Failure, held), (refused.Status, refused.Observed));
        Assert.Equal(before.Digest, held.Policy);
        var next = _fleet.Start("hv01"); // the record is the former one, too
        await next.Resume(default);
        Assert.Equal(held, Assert.Single((await next.Snapshot(default)).Devices));
        Assert.Equal(0, next.PolicyChanges);
        Assert.Equal(PortPolicy.Default.Digest, (await _fleet.Done(next, _web.Apply(PortPolicy.Default) with { Mtu = 1_400 })).Policy);
    }

    [RootFact]
    public async Task Nic_whose_connection_is_refused_half_way_keeps_its_gate_closed_and_what_held_before()
    {
        var hv01 = await _fleet.Host("hv01");
        var held = await _fleet.Done(hv01, _web.Create(PortPolicy.Default));
        var refused = await _fleet.Do(hv01, _web.Connect() with { Mtu = 70_000, Mac = Other });
        Assert.NotEqual(NdisStatus.Success, refused.Status);
        Assert.Equal(held, refused.Observed);
        Assert.True((await _fleet.Done(hv01, _web.Repair(up: true, PortPolicy.Default))).Up);
    }

    int Mtu(string inside, string device) => _fleet.Device(inside, device)!.Value.GetProperty("mtu").GetInt32();
}
