using ControlPlane.DriverAbi;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Agent.Tests.Simulated;

public sealed class SimulatedHostTests : IDisposable
{
    readonly FakeTimeProvider _time = new();
    readonly string _directory = Directory.CreateTempSubdirectory("simulated").FullName;

    string StateFile => Path.Combine(_directory, "hv01", "simulated.json");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Nic_begins_with_a_closed_gate_and_connecting_opens_it()
    {
        var host = await Ready();
        var created = await Do(host, Orders.Nic(DriverVerb.CreateNic));
        var connected = await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2));

        Assert.Equal(NdisStatus.Success, created.Status);
        Assert.Equal(
            new DeviceState(Orders.NicKey, "prod", "p-eth0", created.Observed!.Device, true, Up: false, true, 1, 1) { Mtu = 1_500 }, created.Observed);
        Assert.Equal(created.Observed with { Up = true, Revision = 2 }, connected.Observed);
    }

    [Fact]
    public async Task Older_epoch_is_refused_with_the_highest_that_was_seen()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 5));

        var late = await Do(host, Orders.Nic(DriverVerb.ConnectNic, epoch: 4, revision: 9));

        Assert.Equal(NdisStatus.InvalidParameter, late.Status);
        Assert.Equal("stale epoch: 4, the highest seen is 5", late.Detail);
        Assert.False(late.Observed!.Up);
    }

    [Fact]
    public async Task Deleted_nic_stays_deleted_for_its_epoch_and_the_next_epoch_makes_it_again()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic));
        await Do(host, Orders.Nic(DriverVerb.DeleteNic, revision: 2));

        var late = await Do(host, Orders.Nic(DriverVerb.CreateNic));
        var next = await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 2));

        Assert.Equal((NdisStatus.InvalidParameter, false), (late.Status, late.Observed!.Present));
        Assert.StartsWith("tombstoned", late.Detail, StringComparison.Ordinal);
        Assert.Equal((NdisStatus.Success, 2L), (next.Status, next.Observed!.Epoch));
    }

    [Fact]
    public async Task Every_verb_may_come_again()
    {
        var host = await Ready();
        DriverCommand[] life =
        [
            Orders.Switch(), Orders.Port("p-eth0"), Orders.Nic(DriverVerb.CreateNic), Orders.Nic(DriverVerb.ConnectNic, revision: 2),
            Orders.Nic(DriverVerb.DisconnectNic, revision: 3), Orders.Nic(DriverVerb.DeleteNic, revision: 4),
            new("teardown", DriverVerb.TeardownPort, "prod", "p-eth0"), new("delete", DriverVerb.DeletePort, "prod", "p-eth0"),
            new("guest", DriverVerb.ReleaseGuest, "", Vm: "web-1"), new("remove", DriverVerb.RemoveSwitch, "prod"),
        ];
        foreach (var command in life)
        {
            var (first, again) = (await Do(host, command), await Do(host, command));
            Assert.Equal(NdisStatus.Success, first.Status);
            Assert.Equal(first, again);
        }
    }

    [Fact]
    public async Task Creating_again_does_not_close_a_gate_that_is_open()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic));
        await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2));

        var again = await Do(host, Orders.Nic(DriverVerb.CreateNic));

        Assert.Equal((NdisStatus.Success, true, 2L), (again.Status, again.Observed!.Up, again.Observed.Revision));
    }

    [Fact]
    public async Task Overtaken_command_is_refused_when_it_would_undo_what_overtook_it()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic));
        await Do(host, Orders.Nic(DriverVerb.DisconnectNic, revision: 5));

        var late = await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 4));

        Assert.Equal((NdisStatus.InvalidParameter, "stale revision: 4, applied is 5"), (late.Status, late.Detail));
    }

    [Fact]
    public async Task Planted_fault_strikes_so_often_without_effect_and_is_planted_once()
    {
        var host = await Ready();
        await Do(host, Orders.Fault(DriverVerb.CreateNic, NdisStatus.Resources, 2));
        await Do(host, Orders.Fault(DriverVerb.CreateNic, NdisStatus.Resources, 2));

        Completion[] tries = [await Do(host, Orders.Nic(DriverVerb.CreateNic)), await Do(host, Orders.Nic(DriverVerb.CreateNic)), await Do(host, Orders.Nic(DriverVerb.CreateNic))];
        await Do(host, Orders.Fault(DriverVerb.CreateNic, NdisStatus.Resources, 2));

        Assert.Equal([NdisStatus.Resources, NdisStatus.Resources, NdisStatus.Success], tries.Select(completion => completion.Status));
        Assert.False(tries[1].Observed!.Present);
        Assert.Equal(NdisStatus.Success, (await Do(host, Orders.Nic(DriverVerb.CreateNic))).Status);
    }

    [Fact]
    public async Task Changes_behind_our_back_are_frames_and_our_own_are_not()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic));
        Assert.True(host.SetGate(Orders.NicKey, true));
        await Do(host, Orders.Nic(DriverVerb.RepairNic, revision: 2));
        host.AddForeignDevice("prod", "veth9");
        Assert.True(host.RemoveDevice(Orders.NicKey));
        Assert.False(host.RemoveDevice(Orders.NicKey));

        var frames = await Take(host.Frames(0, CancellationToken.None), 3);

        Assert.Equal([(1, FrameKind.Changed), (2, FrameKind.Appeared), (3, FrameKind.Vanished)], frames.Select(frame => (frame.Seq, frame.Kind)));
        Assert.Equal([true, true, false], frames.Select(frame => frame.Device.Present));
        var snapshot = await host.Snapshot(CancellationToken.None);
        Assert.Equal((3L, "veth9"), (snapshot.LastSeq, Assert.Single(snapshot.Devices).Device));
    }

    [Fact]
    public async Task Reader_whose_place_is_no_longer_kept_is_told_so()
    {
        var host = await Ready(new SimulatedDriverOptions { FramesMax = 2 });
        for (var i = 0; i < 4; i++)
        {
            host.AddForeignDevice("prod", $"veth{i}");
        }
        await Assert.ThrowsAsync<FramesLostException>(() => Take(host.Frames(1, CancellationToken.None), 1));
        Assert.Equal([3, 4], (await Take(host.Frames(2, CancellationToken.None), 2)).Select(frame => frame.Seq));
    }

    [Fact]
    public async Task Full_switch_refuses_the_next_port_and_takes_it_after_one_was_freed()
    {
        var host = await Ready(new SimulatedDriverOptions { PortsPerSwitchMax = 2 });
        await Do(host, Orders.Port("a"));
        host.AddForeignDevice("prod", "veth9");

        Assert.Equal(NdisStatus.Resources, (await Do(host, Orders.Port("b"))).Status);
        Assert.Equal(NdisStatus.Success, (await Do(host, Orders.Port("a"))).Status);
        await Do(host, new DriverCommand("free", DriverVerb.DeletePort, "prod", "a"));
        Assert.Equal(NdisStatus.Success, (await Do(host, Orders.Port("b"))).Status);
    }

    [Fact]
    public async Task Switch_with_ports_is_not_removed()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic));
        Assert.Equal(NdisStatus.Failure, (await Do(host, new DriverCommand("remove", DriverVerb.RemoveSwitch, "prod"))).Status);
    }

    [Fact]
    public async Task Next_process_finds_devices_and_fences_under_a_new_stream_epoch()
    {
        var options = new SimulatedDriverOptions { StateFile = StateFile };
        var first = await Ready(options);
        await first.Fences(new Dictionary<string, long>(), CancellationToken.None);
        await Do(first, Orders.Nic(DriverVerb.CreateNic, epoch: 3));
        await Do(first, Orders.Nic(DriverVerb.CreateNic, epoch: 4, nic: "eth1"));
        await Do(first, Orders.Nic(DriverVerb.DeleteNic, epoch: 4, nic: "eth1"));
        var before = await first.Snapshot(CancellationToken.None);

        var second = new SimulatedDriver("hv01", options, _time);
        await second.Resume(CancellationToken.None);

        var after = await second.Snapshot(CancellationToken.None);
        Assert.True(second.Fenced);
        Assert.Equal(before.Devices, after.Devices);
        Assert.Equal(before.Switches, after.Switches);
        Assert.Equal((before.BootId, before.StreamEpoch + 1), (after.BootId, after.StreamEpoch));
        Assert.Equal(NdisStatus.InvalidParameter, (await Do(second, Orders.Nic(DriverVerb.CreateNic, epoch: 4, nic: "eth1"))).Status);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{\"BootId\":")]
    public async Task Lost_or_damaged_file_is_a_host_that_creates_nothing_until_it_was_told_fences(string? damage)
    {
        if (damage is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(StateFile)!);
            await File.WriteAllTextAsync(StateFile, damage);
        }
        var host = await Ready(new SimulatedDriverOptions { StateFile = StateFile });
        var before = await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 3));
        Assert.False(host.Fenced);
        await host.Fences(new Dictionary<string, long> { [Orders.NicKey] = 7 }, CancellationToken.None);

        Assert.Equal(NdisStatus.Resources, before.Status);
        Assert.Equal("stale epoch: 3, the highest seen is 7", (await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 3))).Detail);
        Assert.Equal(NdisStatus.Success, (await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 7))).Status);
    }

    [Fact]
    public async Task Reboot_takes_the_devices_and_leaves_the_fences()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 3));
        var before = await host.Snapshot(CancellationToken.None);
        host.Reboot();
        await Do(host, Orders.Switch());

        var after = await host.Snapshot(CancellationToken.None);
        Assert.Empty(after.Devices);
        Assert.NotEqual(before.BootId, after.BootId);
        Assert.True(after.StreamEpoch > before.StreamEpoch);
        Assert.Equal(NdisStatus.InvalidParameter, (await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 2))).Status);
    }

    [Fact]
    public async Task Suspended_host_refuses_and_comes_back_as_it_was()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic));
        await host.Suspend(CancellationToken.None);
        Assert.Equal(NdisStatus.Failure, (await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2))).Status);
        await host.Resume(CancellationToken.None);
        Assert.Equal(NdisStatus.Success, (await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2))).Status);
    }

    [Fact]
    public async Task Command_takes_its_time_by_the_clock()
    {
        var host = await Ready();
        var slow = new SimulatedDriver("hv01", new SimulatedDriverOptions { CommandTakes = TimeSpan.FromSeconds(3) }, _time);
        await slow.Resume(CancellationToken.None);
        var open = slow.Command(Orders.Switch(), CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(open.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(NdisStatus.Success, (await open.Soon()).Status);
    }

    async Task<SimulatedDriver> Ready(SimulatedDriverOptions? options = null)
    {
        var host = new SimulatedDriver("hv01", options ?? new SimulatedDriverOptions(), _time);
        await host.Resume(CancellationToken.None);
        await Do(host, Orders.Switch());
        return host;
    }

    static Task<Completion> Do(SimulatedDriver host, DriverCommand command) => host.Command(command, CancellationToken.None);

    static async Task<List<DriverFrame>> Take(IAsyncEnumerable<DriverFrame> frames, int count)
    {
        var taken = new List<DriverFrame>();
        await foreach (var frame in frames)
        {
            taken.Add(frame);
            if (taken.Count == count)
            {
                break;
            }
        }
        return taken;
    }
}
