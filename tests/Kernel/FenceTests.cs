using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>A late command of an older incarnation changes nothing, whatever the host went through meanwhile.</summary>
public sealed class FenceTests : IAsyncLifetime
{
    readonly Fleet _fleet = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Lower_epoch_is_refused_and_changes_nothing()
    {
        var hv01 = await _fleet.Host("hv01");
        var (old, now) = (new Nic("web", 1, epoch: 4), new Nic("web", 1, epoch: 5));
        var created = await _fleet.Done(hv01, now.Create());

        foreach (var late in (DriverCommand[])[old.Create(), old.Connect(), old.Repair(up: true), old.Delete()])
        {
            Refused(await _fleet.Do(hv01, late), NdisStatus.InvalidParameter, "stale epoch");
        }

        Assert.Equal([created], (await hv01.Snapshot(default)).Devices);
    }

    [RootFact]
    public async Task Epoch_that_was_deleted_is_not_created_again_but_a_higher_one_is()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        var create = web.Create();
        await _fleet.Done(hv01, create);
        await _fleet.Done(hv01, web.Delete());

        Refused(await _fleet.Do(hv01, create), NdisStatus.InvalidParameter, "tombstoned");
        Refused(await _fleet.Do(hv01, web.Repair(up: true)), NdisStatus.InvalidParameter, "tombstoned");
        Assert.Equal(2, (await _fleet.Done(hv01, new Nic("web", 1, epoch: 2).Create())).Epoch);
    }

    [RootFact]
    public async Task Fences_outlive_the_driver()
    {
        var first = await _fleet.Host("hv01");
        var web = new Nic("web", 1, epoch: 3);
        await _fleet.Done(first, web.Create());
        await _fleet.Done(first, web.Delete());
        await first.DisposeAsync();

        var second = _fleet.Start("hv01");
        await second.Resume(default);

        Refused(await _fleet.Do(second, new Nic("web", 1, epoch: 2).Create()), NdisStatus.InvalidParameter, "stale epoch");
        Refused(await _fleet.Do(second, web.Create()), NdisStatus.InvalidParameter, "tombstoned");
        await _fleet.Done(second, new Nic("web", 1, epoch: 4).Create());
    }

    [RootFact]
    public async Task Host_without_fence_file_creates_nothing_until_it_is_told_the_fences()
    {
        var first = await _fleet.Host("hv01");
        var before = await first.Snapshot(default);
        var (web, db) = (new Nic("web", 1), new Nic("db", 2, epoch: 9));
        await _fleet.Done(first, web.Create());
        await first.DisposeAsync();
        File.Delete(Path.Combine(_fleet.StateOf("hv01"), "fences.log"));

        var second = _fleet.Start("hv01");
        await second.Resume(default);

        Assert.True((await second.Snapshot(default)).StreamEpoch > before.StreamEpoch);
        Refused(await _fleet.Do(second, db.Create()), NdisStatus.Resources, "fences unknown");
        Refused(await _fleet.Do(second, web.Repair(up: true)), NdisStatus.Resources, "fences unknown");

        // What is there can still be led: its alias carries its epoch.
        await _fleet.Done(second, web.Connect());
        Refused(await _fleet.Do(second, new Nic("web", 1, epoch: 0).Connect()), NdisStatus.InvalidParameter, "stale epoch");

        await second.Fences(new Dictionary<string, long> { [db.Key] = 9 }, default);
        Refused(await _fleet.Do(second, new Nic("db", 2, epoch: 8).Create()), NdisStatus.InvalidParameter, "stale epoch");
        await _fleet.Done(second, db.Create());
    }

    [RootFact]
    public async Task Damaged_fence_file_counts_as_lost()
    {
        var first = await _fleet.Host("hv01");
        await _fleet.Done(first, new Nic("web", 1).Create());
        await first.DisposeAsync();
        var path = Path.Combine(_fleet.StateOf("hv01"), "fences.log");
        var whole = await File.ReadAllTextAsync(path);

        foreach (var damaged in (string[])["", whole[..^9], whole.Replace("\"Epoch\":1", "\"Epoch\":0", StringComparison.Ordinal)])
        {
            await File.WriteAllTextAsync(path, damaged);
            await using var next = _fleet.Start("hv01");
            await next.Resume(default);
            Refused(await _fleet.Do(next, new Nic("db", 2).Create()), NdisStatus.Resources, "fences unknown");
        }
    }

    [RootFact]
    public async Task What_was_deleted_while_the_fences_were_unknown_stays_deleted_when_they_are_told()
    {
        var first = await _fleet.Host("hv01");
        var web = new Nic("web", 1, epoch: 7);
        await _fleet.Done(first, web.Create());
        await first.DisposeAsync();
        File.Delete(Path.Combine(_fleet.StateOf("hv01"), "fences.log"));
        var second = _fleet.Start("hv01");
        await second.Resume(default);

        await _fleet.Done(second, web.Delete());
        await second.Fences(new Dictionary<string, long> { [web.Key] = 7 }, default);

        Refused(await _fleet.Do(second, web.Create()), NdisStatus.InvalidParameter, "tombstoned");
    }

    [RootFact]
    public async Task Command_given_twice_is_done_once()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        var (create, connect) = (web.Create(), web.Connect());
        var created = await _fleet.Done(hv01, create);
        var index = Index(created.Device);
        Assert.Equal(created, await _fleet.Done(hv01, create));
        var open = await _fleet.Done(hv01, connect);

        Assert.Equal(open, await _fleet.Done(hv01, connect));
        Assert.Equal(open, await _fleet.Done(hv01, create));
        Assert.Equal(index, Index(open.Device));

        int Index(string device) => _fleet.Device("hv01", device)!.Value.GetProperty("ifindex").GetInt32();
    }

    [RootFact]
    public async Task Overtaken_revision_does_not_turn_the_gate_back()
    {
        var hv01 = await _fleet.Host("hv01");
        var web = new Nic("web", 1);
        await _fleet.Done(hv01, web.Create());
        var disconnect = web.Disconnect();
        await _fleet.Done(hv01, web.Connect());

        Refused(await _fleet.Do(hv01, disconnect), NdisStatus.InvalidParameter, "stale revision");
        Assert.True(_fleet.IsUp("hv01", DeviceNames.Nic(web.Key)));
    }

    [RootFact]
    public async Task Higher_epoch_takes_over_a_left_device_with_its_gate_closed()
    {
        var hv01 = await _fleet.Host("hv01");
        var old = new Nic("web", 1);
        await _fleet.Done(hv01, old.Create());
        await _fleet.Done(hv01, old.Connect());

        var taken = await _fleet.Done(hv01, new Nic("web", 1, epoch: 2).Create());

        Assert.Equal((2, false, true), (taken.Epoch, taken.Up, taken.Enslaved));
    }

    static void Refused(Completion completion, NdisStatus status, string beginning)
    {
        Assert.Equal(status, completion.Status);
        Assert.StartsWith(beginning, completion.Detail, StringComparison.Ordinal);
    }
}
