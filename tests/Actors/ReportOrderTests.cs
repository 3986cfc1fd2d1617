using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>What a host reports of a device reaches its NIC in order, and is never judged against an open command.</summary>
public sealed class ReportOrderTests
{
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");
    static readonly DateTimeOffset Dawn = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly DeviceState Open = new(Nic.Text, "sw", "web--eth0", "n-1", true, true, true, 1, 2);

    static DriverFrame Frame(long seq, string nic) =>
        new("boot", 1, seq, Dawn, FrameKind.Changed, Open with { NicKey = nic });

    [Fact]
    public void Frames_of_one_nic_go_one_at_a_time_the_oldest_first()
    {
        var state = BridgeLifecycle.Evolve(
            BridgeLifecycle.Initial(EntityId.Bridge("hv01")), new AgentSessionOpened(1, "memory", "1", true, "boot", 1, 8, [], []));
        foreach (var frame in (DriverFrame[])[Frame(9, "nic/web/eth0"), Frame(10, "nic/web/eth0"), Frame(11, "nic/db/eth0")])
        {
            state = BridgeLifecycle.Evolve(state, new FrameRecorded(frame));
        }
        Assert.Equal(["frame:boot:1:9", "frame:boot:1:11"], BridgeLifecycle.Outstanding(state).Select(effect => effect.Id));
        state = BridgeLifecycle.Evolve(state, new FrameDelivered(1, 9));
        Assert.Equal(["frame:boot:1:10", "frame:boot:1:11"], BridgeLifecycle.Outstanding(state).Select(effect => effect.Id));
    }

    [Fact]
    public void Report_during_an_open_command_is_taken_after_it()
    {
        var decision = NicLifecycle.Decide(Connecting(), new ReportDevice("boot:1:9", false, Open with { Present = false }), Turn);
        Assert.True(Assert.IsType<Decision<NicEvent>.Refused>(decision).Refusal.Transient);
    }

    [Fact]
    public void Device_whose_alias_was_spoiled_is_still_seen_to_drift()
    {
        var connected = NicLifecycle.Evolve(Connecting(), new NicConnected("r2", Open, 1));
        var closed = Open with { Up = false, Epoch = 0, Revision = 0 };
        var decision = NicLifecycle.Decide(connected, new ReportDevice("boot:1:9", false, closed), Turn);
        Assert.IsType<NicDrifted>(Assert.Single(Assert.IsType<Decision<NicEvent>.Accepted>(decision).Events));
    }

    [Fact]
    public void Line_of_a_snapshot_that_comes_after_a_newer_frame_changes_nothing()
    {
        var drifted = Told(Connected(), Report(Open with { Up = false }, 3));
        Assert.IsType<NicDrifted>(drifted.Happened);
        Assert.Null(Told(drifted.After, Report(Open, 2, snapshot: true)).Happened);
        Assert.IsType<NicConverged>(Told(drifted.After, Report(Open, 3, snapshot: true)).Happened);
    }

    [Fact]
    public void Frame_that_comes_after_a_newer_snapshot_changes_nothing()
    {
        var seen = Told(Connected(), Report(Open, 5, snapshot: true));
        Assert.IsType<NicSeen>(seen.Happened);
        Assert.Null(Told(seen.After, Report(Open with { Up = false }, 5)).Happened);
        Assert.IsType<NicDrifted>(Told(seen.After, Report(Open with { Up = false }, 6)).Happened);
    }

    [Fact]
    public void Snapshot_of_the_same_place_again_stores_nothing_new()
    {
        var seen = Told(Connected(), Report(Open, 5, snapshot: true));
        Assert.Null(Told(seen.After, Report(Open, 5, snapshot: true)).Happened);
    }

    [Fact]
    public void Switch_hears_of_a_strangers_frame_after_the_snapshot_that_is_older()
    {
        var state = BridgeLifecycle.Evolve(
            BridgeLifecycle.Initial(EntityId.Bridge("hv01")), new AgentSessionOpened(1, "memory", "1", true, "boot", 1, 8, [], []));
        state = BridgeLifecycle.Evolve(state, new CommandIssued("m", new DriverCommand("m", DriverVerb.EnsureSwitch, "sw")));
        state = BridgeLifecycle.Evolve(state, new CommandCompleted("m", new Completion("m", NdisStatus.Success)));
        state = BridgeLifecycle.Evolve(state, new AgentSessionOpened(2, "memory", "1", true, "boot", 1, 8, ["sw"], []));
        state = BridgeLifecycle.Evolve(state, new FrameRecorded(Frame(9, "")));
        Assert.Equal(["snapshot:2:sw"], BridgeLifecycle.Outstanding(state).Select(effect => effect.Id));
        state = BridgeLifecycle.Evolve(state, new SwitchTold(2, "sw"));
        Assert.Equal(["stranger:boot:1:9"], BridgeLifecycle.Outstanding(state).Select(effect => effect.Id));
    }

    static ReportDevice Report(DeviceState device, long seq, bool snapshot = false) =>
        new(snapshot ? "snapshot:2" : $"boot:1:{seq}", snapshot, device, snapshot ? 2 : 0, "hv01", new StreamPlace(1, seq));

    static (NicEvent? Happened, NicState After) Told(NicState state, ReportDevice report)
    {
        var events = Assert.IsType<Decision<NicEvent>.Accepted>(NicLifecycle.Decide(state, report, Turn)).Events;
        return (events.SingleOrDefault(), events.Aggregate(state, NicLifecycle.Evolve));
    }

    static NicState Connected() => NicLifecycle.Evolve(Connecting(), new NicConnected("r2", Open, 1));

    static Turn Turn => new(Dawn, "m", "system", "c", null);

    static NicState Connecting()
    {
        var place = new NicPlace("hv01", "sw", "web--eth0", 1, 0);
        var parameters = new NicParameters("web--eth0", VmName: "web");
        OpenOid Oid(string id, OidCode oid) => new(
            $"m-{id}", new OidRequest(id, oid, 1, 0, parameters), EntityId.Switch("hv01", "sw"), EntityId.Port("hv01", "sw", "web--eth0"), Nic, null, null);
        NicEvent[] events =
        [
            new NicCreateProposed(Oid("r1", OidCode.NicCreate), place, parameters, 1),
            new NicCreated("r1", Open with { Up = false, Revision = 1 }, 1),
            new NicConnectProposed(Oid("r2", OidCode.NicConnect), 2),
        ];
        return events.Aggregate(NicLifecycle.Initial(Nic), NicLifecycle.Evolve);
    }
}
