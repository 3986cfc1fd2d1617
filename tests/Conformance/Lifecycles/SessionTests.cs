using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The link to the host may break, and the host may be emptied, after any step.</summary>
public sealed class SessionTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Vm = EntityId.Vm("web");
    static readonly string[] Nics = ["nic/web/eth0", "nic/web/eth1"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void New_session_after_any_step_changes_nothing_and_is_no_drift(bool stop) => AfterAnyStep(stop, DriftPolicy.Report, world =>
    {
        world.Reconnect("hv01");
        world.Settle();
        Assert.Equal(stop ? "stopped" : "running", world.State<VmState>(Vm).Name);
        Assert.All(Nics, nic => Assert.DoesNotContain("NicDrifted", world.Events(EntityId.Parse(nic)!.Value)));
        Assert.All(Nics, nic => Assert.DoesNotContain("NicEdgeFaulted", world.Events(EntityId.Parse(nic)!.Value)));
        IsAsWanted(world);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Host_that_was_emptied_in_the_same_boot_after_any_step_is_repaired(bool stop) => AfterAnyStep(stop, DriftPolicy.Repair, world =>
    {
        world.Hosts["hv01"].LoseEverything();
        world.Reconnect("hv01");
        world.Settle();
        Assert.Contains(world.State<VmState>(Vm).Name, new[] { "running", "stopped" });
        IsAsWanted(world);
    });

    [Fact]
    public void Repair_waits_for_the_switch_that_it_needs()
    {
        var world = Prepared(DriftPolicy.Repair);
        world.StartVm("web");
        world.Disconnect("hv01").Hosts["hv01"].LoseEverything();
        world.Hosts["hv01"].Plant(DriverVerb.EnsureSwitch, NdisStatus.Failure);
        world.Connect("hv01");
        Assert.All(Nics, nic => Assert.NotNull(world.State<NicState>(EntityId.Parse(nic)!.Value).BodyOrNull!.Drift));
        world.Disconnect("hv01").Connect("hv01");
        IsAsWanted(world);
    }

    [Fact]
    public void Hello_that_was_overtaken_opens_no_session_and_ends_nothing()
    {
        var world = Prepared(DriftPolicy.Report);
        var bridge = EntityId.Bridge("hv01");
        var overtaken = world.Hosts["hv01"].Inventory();
        world.Hosts["hv01"].Reboot();
        world.Connect("hv01").StartVm("web");
        var session = world.State<BridgeState>(bridge).Session;
        var answer = world.Do(bridge, new OpenSession("memory", "1", true, overtaken));
        Assert.Equal(("session.old-snapshot", session), (answer.Refusal?.Code, world.State<BridgeState>(bridge).Session));
        Assert.Equal("running", world.State<VmState>(Vm).Name);
        IsAsWanted(world);
    }

    [Fact]
    public void NIC_that_a_peer_connected_during_the_start_is_disconnected_by_its_undoing()
    {
        var world = Prepared(DriftPolicy.Report);
        world.Ask(Vm, "work", new StartVm());
        var nic = EntityId.Parse(Nics[0])!.Value;
        while (world.State(nic) is not NicState.Created)
        {
            world.Step();
        }
        var place = world.State<NicState>(nic).BodyOrNull!.Place;
        world.Ask(Sw, "peer", new SubmitOid(new OidRequest("peer", OidCode.NicConnect, place.PortId, place.NicIndex), FromPeer: true));
        world.Settle();
        Assert.Equal("stopped", world.State<VmState>(Vm).Name);
        Assert.Equal("nic.connect.connected", world.State<VmState>(Vm).Operations[^1].Problem?.Code);
        Assert.IsType<NicState.Absent>(world.State(nic));
        IsAsWanted(world);
    }

    static void AfterAnyStep(bool stop, DriftPolicy drift, Action<World> then)
    {
        for (var at = 0; ; at++)
        {
            var world = Prepared(drift);
            if (stop)
            {
                world.StartVm("web");
            }
            world.Ask(Vm, "work", stop ? new StopVm() : new StartVm());
            var taken = 0;
            for (; taken < at && world.Busy; taken++)
            {
                world.Step();
            }
            then(world);
            if (taken < at)
            {
                Assert.True(at > 50, $"only {at} steps");
                return;
            }
        }
    }

    /// <summary>A running VM's gates are open, a stopped one has no device.</summary>
    static void IsAsWanted(World world)
    {
        var devices = world.Hosts["hv01"].Devices;
        if (world.State<VmState>(Vm).Name == "stopped")
        {
            Assert.Empty(devices);
            Assert.Empty(world.Switch(Sw).Ports);
            return;
        }
        Assert.Equal(Nics, devices.Keys);
        Assert.All(devices.Values, device => Assert.True(device is { Up: true, Enslaved: true }, $"{device}"));
        Assert.All(Nics, nic => Assert.Null(world.State<NicState>(EntityId.Parse(nic)!.Value).BodyOrNull!.Drift));
    }

    static World Prepared(DriftPolicy drift)
    {
        var world = new World();
        world.Connect("hv01");
        world.DefineSwitch(Sw, drift);
        world.DefineVm("web", "hv01",
            new NicDefinition("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01"), new NicDefinition("eth1", "sw", NicType.Synthetic, "00:15:5d:00:00:02"));
        return world;
    }
}
