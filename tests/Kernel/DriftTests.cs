using System.Diagnostics;
using ControlPlane.DriverAbi;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>What others do to our devices is told by frames; what we do ourselves is not.</summary>
public sealed class DriftTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Device_deleted_by_another_hand_has_vanished_once()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = await _fleet.Done(hv01, new Nic("web", 1).Create());
        var db = await _fleet.Done(hv01, new Nic("db", 2).Create());

        var start = Stopwatch.GetTimestamp();
        Assert.Equal(0, _fleet.Ip("hv01", "link", "del", web.Device).Code);
        var vanished = Assert.Single(await Fleet.Frames(hv01, 1));
        var took = Stopwatch.GetElapsedTime(start);

        Assert.Equal((FrameKind.Vanished, 1), (vanished.Kind, vanished.Seq));
        Assert.Equal(web with { Present = false, Enslaved = false }, vanished.Device);
        Assert.True(took < TimeSpan.FromSeconds(1), $"the frame took {took}");

        // The next frame is about the other device: the deletion, which is several events, was told once.
        _fleet.Ip("hv01", "link", "del", db.Device);
        Assert.Equal(db.Device, Assert.Single(await Fleet.Frames(hv01, 1, after: 1)).Device.Device);
    }

    [RootFact]
    public async Task Gate_closed_by_another_hand_is_a_change()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        await _fleet.Done(hv01, web.Create());
        var open = await _fleet.Done(hv01, web.Connect());

        _fleet.Ip("hv01", "link", "set", open.Device, "down");

        var changed = Assert.Single(await Fleet.Frames(hv01, 1));
        Assert.Equal((FrameKind.Changed, open with { Up = false }), (changed.Kind, changed.Device));
    }

    [RootFact]
    public async Task Device_taken_off_its_bridge_is_a_change_and_not_a_loss()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = await _fleet.Done(hv01, new Nic("web", 1).Create());

        _fleet.Ip("hv01", "link", "set", web.Device, "nomaster");

        var changed = Assert.Single(await Fleet.Frames(hv01, 1));
        Assert.Equal((FrameKind.Changed, web with { Enslaved = false }), (changed.Kind, changed.Device));
    }

    [RootFact]
    public async Task Deleted_bridge_shows_in_each_of_its_devices()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Done(hv01, new Nic("web", 1).Create());
        await _fleet.Done(hv01, new Nic("db", 2).Create());

        _fleet.Ip("hv01", "link", "del", Fleet.Switch);

        Assert.All(
            await Fleet.Frames(hv01, 2),
            frame => Assert.Equal((FrameKind.Changed, false), (frame.Kind, frame.Device.Enslaved)));
    }

    [RootFact]
    public async Task Rewritten_alias_is_a_change_of_a_device_that_is_still_known()
    {
        var hv01 = await _fleet.Host("hv01");
        var nic = new Nic("web", 1);
        await _fleet.Done(hv01, nic.Create());
        var web = await _fleet.Done(hv01, nic.Connect());

        _fleet.Ip("hv01", "link", "set", web.Device, "alias", "mine now");

        var changed = Assert.Single(await Fleet.Frames(hv01, 1));
        Assert.Equal((FrameKind.Changed, web with { Epoch = 0, Revision = 0 }), (changed.Kind, changed.Device));
    }

    [RootFact]
    public async Task Change_without_an_event_is_found_by_the_sweep()
    {
        var hv01 = await _fleet.Host("hv01", sweepSeconds: 0.05);
        var web = await _fleet.Done(hv01, new Nic("web", 1).Create());

        // The kernel sends no event for the alias of a device that is down.
        _fleet.Ip("hv01", "link", "set", web.Device, "alias", "mine now");

        var changed = Assert.Single(await Fleet.Frames(hv01, 1));
        Assert.Equal((FrameKind.Changed, web with { Epoch = 0, Revision = 0 }), (changed.Kind, changed.Device));
    }

    [RootFact]
    public async Task Renamed_device_has_vanished_and_appears_by_its_new_name()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = await _fleet.Done(hv01, new Nic("web", 1).Create());

        _fleet.Ip("hv01", "link", "set", web.Device, "name", "stolen");

        var frames = await Fleet.Frames(hv01, 2);
        Assert.Equal([FrameKind.Appeared, FrameKind.Vanished], frames.Select(frame => frame.Kind).Order());
        Assert.All(frames, frame => Assert.Equal(web.NicKey, frame.Device.NicKey));
    }

    [RootFact]
    public async Task Stranger_on_our_bridge_appears_without_a_NIC_and_is_followed_until_it_leaves()
    {
        var hv01 = await _fleet.Host("hv01");

        _fleet.Ip("hv01", "link", "add", "stray", "type", "veth", "peer", "name", "stray-far");
        _fleet.Ip("hv01", "link", "set", "stray", "master", Fleet.Switch);
        var appeared = Assert.Single(await Fleet.Frames(hv01, 1));
        _fleet.Ip("hv01", "link", "set", "stray", "nomaster");
        var left = Assert.Single(await Fleet.Frames(hv01, 1, after: 1));

        Assert.Equal((FrameKind.Appeared, "stray", ""), (appeared.Kind, appeared.Device.Device, appeared.Device.NicKey));
        Assert.Equal((FrameKind.Changed, false), (left.Kind, left.Device.Enslaved));
    }

    [RootFact]
    public async Task Our_own_commands_make_no_frames()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db, marker) = (new Nic("web", 1), new Nic("db", 2), new Nic("marker", 3));
        foreach (var command in (DriverCommand[])
        [
            web.Create(), web.Connect(), db.Create(), web.Disconnect(), db.Connect(), web.Connect(), db.Repair(up: false),
            web.Delete(), marker.Create(),
        ])
        {
            await _fleet.Done(hv01, command);
        }

        Assert.Equal(0, (await hv01.Snapshot(default)).LastSeq);
        _fleet.Ip("hv01", "link", "del", LinkOf(marker));

        var first = Assert.Single(await Fleet.Frames(hv01, 1));
        Assert.Equal((FrameKind.Vanished, marker.Key, 1), (first.Kind, first.Device.NicKey, first.Seq));
    }

    [RootFact]
    public async Task Repair_brings_back_a_deleted_device_as_the_command_says()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create(), db.Connect()])
        {
            await _fleet.Done(hv01, command);
        }

        _fleet.Ip("hv01", "link", "del", LinkOf(web));
        var repair = web.Repair(up: true);
        var repaired = await _fleet.Done(hv01, repair);

        Assert.Equal((true, true, true, repair.Revision), (repaired.Present, repaired.Up, repaired.Enslaved, repaired.Revision));
        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping after the repair");
        Assert.Equal(repaired, await _fleet.Done(hv01, repair));
    }

    [RootFact]
    public async Task Repair_puts_a_device_on_its_bridge_again_and_closes_a_forced_gate()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        var created = await _fleet.Done(hv01, web.Create());
        _fleet.Ip("hv01", "link", "set", created.Device, "nomaster", "up");

        var repaired = await _fleet.Done(hv01, web.Repair(up: false));

        Assert.Equal(created with { Revision = 2 }, repaired);
    }

    [RootFact]
    public async Task Repair_plugs_a_device_into_the_backplane_again()
    {
        var hv01 = await _fleet.Host("hv01");
        var (web, db) = (new Nic("web", 1), new Nic("db", 2));
        foreach (var command in (DriverCommand[])[web.Create(), web.Connect(), db.Create(), db.Connect()])
        {
            await _fleet.Done(hv01, command);
        }

        var plug = new DeviceNames(_fleet.Prefix, "hv01").Plug(web.Key);
        Assert.Equal(0, _fleet.Ip("bp-web", "link", "set", plug, "nomaster", "down").Code);
        Assert.False(_fleet.Ping("web", db.Address));
        await _fleet.Done(hv01, web.Repair(up: true));

        await Fleet.Eventually(() => _fleet.Ping("web", db.Address), "a ping after the repair");
    }

    [RootFact]
    public async Task Connect_does_not_open_a_gate_off_the_bridge()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        var created = await _fleet.Done(hv01, web.Create());
        _fleet.Ip("hv01", "link", "set", created.Device, "nomaster");

        var refused = await _fleet.Do(hv01, web.Connect());

        Assert.Equal(NdisStatus.Failure, refused.Status);
        Assert.False(_fleet.IsUp("hv01", created.Device));
    }

    [RootFact]
    public async Task Reader_whose_place_is_no_longer_kept_is_told_so()
    {
        var hv01 = await _fleet.Host("hv01", framesMax: 2);
        var web = await _fleet.Done(hv01, new Nic("web", 1).Create());
        for (var seq = 1; seq <= 4; seq++)
        {
            _fleet.Ip("hv01", "link", "set", web.Device, seq % 2 == 1 ? "up" : "down");
            await Fleet.Frames(hv01, 1, after: seq - 1);
        }

        await Assert.ThrowsAsync<FramesLostException>(() => Fleet.Frames(hv01, 1, after: 1));
        Assert.Equal([3, 4], (await Fleet.Frames(hv01, 2, after: 2)).Select(frame => frame.Seq));
    }

    static string LinkOf(Nic nic) => DeviceNames.Nic(nic.Key);
}
