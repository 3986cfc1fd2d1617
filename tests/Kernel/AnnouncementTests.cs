using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>switch.md 4.5: where a NIC has come to, the network is told.</summary>
public sealed class AnnouncementTests : IAsyncLifetime
{
    const ushort ReverseArp = 0x8035;

    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Moved_guest_is_announced_in_several_rounds_over_the_uplink_to_others_and_never_from_where_it_left()
    {
        var (hv01, hv02) = (await _fleet.Host("hv01"), await _fleet.Host("hv02"));
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        await _fleet.Open(hv01, web, PortPolicy.Default);
        await _fleet.Open(hv01, db, PortPolicy.Default);
        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping before the move");

        var moved = new Nic("web", 1, epoch: 2);
        await _fleet.Done(hv01, web.Disconnect());
        await _fleet.Open(hv02, moved, PortPolicy.Default);
        using var ear = _fleet.Wire(db);
        using var own = _fleet.Wire(moved);
        await _fleet.Done(hv02, moved.Announce());
        await Fleet.Eventually(
            () => ear.Hear().Count(frame => frame.Type == ReverseArp && frame.Source == web.Mac) >= AnnounceRounds.Rounds, "every round of the announcement");
        // A switch inside the guest would take the guest's address to be outside.
        Assert.DoesNotContain(own.Hear(), frame => frame.Type == ReverseArp);
        Assert.DoesNotContain(web.Mac, (await _fleet.Gathered(hv01, web)).Learned);

        var stale = await _fleet.Do(hv01, web.Announce());
        Assert.NotEqual(NdisStatus.Success, stale.Status);
        Assert.NotEqual(NdisStatus.Success, (await _fleet.Do(hv02, moved.Announce() with { Epoch = 1 })).Status);
    }

    [Fact]
    public void Frame_asks_for_itself_with_the_tags_that_the_guest_has_inside_the_switch()
    {
        var mac = MacText.Bytes("02:00:00:00:00:01");
        var frame = Frame.Parse(Announcement.Frame(mac, 10));
        Assert.Equal((10, "02:00:00:00:00:01", ReverseArp), (frame.Tag, frame.Source, frame.Type));
        Assert.Equal(mac, frame.Payload[8..14]);
        Assert.Equal(mac, frame.Payload[18..24]);
        Assert.Equal([0], Announcement.Tags(null));
        Assert.Equal([0], Announcement.Tags(new VlanPolicy.Untagged()));
        Assert.Equal([10], Announcement.Tags(new VlanPolicy.Access(10)));
        Assert.Equal([1, 5, 6], Announcement.Tags(new VlanPolicy.Trunk(1, [new VlanRange(5, 6)])));
        Assert.Equal(32, Announcement.Tags(new VlanPolicy.Trunk(0, [new VlanRange(1, 4094)])).Count());
        Assert.Equal([20], Announcement.Tags(new VlanPolicy.Private(PrivateVlanMode.Isolated, 10, [20])));
    }
}
