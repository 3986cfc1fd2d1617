using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A host that comes up with another boot id has lost what its snapshot does not list (switch.md 9.5.4).</summary>
public sealed class RebootTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Vm = EntityId.Vm("web");
    static readonly EntityId[] Nics = [EntityId.Nic("web", "eth0"), EntityId.Nic("web", "eth1")];
    static readonly EntityId[] Ports = [EntityId.Port("hv01", "sw", "web--eth0"), EntityId.Port("hv01", "sw", "web--eth1")];

    [Theory]
    [InlineData(DriftPolicy.Report)]
    [InlineData(DriftPolicy.Repair)]
    public void F06_Objects_that_the_snapshot_lacks_end_as_lost_and_no_delete_is_sent(DriftPolicy drift)
    {
        var world = Running(drift);
        var host = world.Hosts["hv01"];
        Reboot(world);
        Assert.All(Nics, nic => Assert.Equal("Absent", world.State<NicState>(nic).Name));
        Assert.All(Nics, nic => Assert.Equal("NicLost", world.Events(nic)[^1]));
        Assert.All(Ports, port => Assert.Equal("PortLost", world.Events(port)[^1]));
        Assert.Equal(HostLoss.Rebooted, Assert.IsType<NicLost>(world.Rows(Nics[0])[^1].Event).Reason);
        Assert.Equal("stopped", world.State<VmState>(Vm).Name);
        Assert.Contains("VmLost", world.Events(Vm));
        Assert.Empty(world.Switch(Sw).Ports);
        Assert.Empty(world.Switch(Sw).Losses);
        Assert.Equal(4, world.Switch(Sw).Lost);
        Assert.Equal(["sw"], host.Switches);
        Assert.DoesNotContain(host.Carried, command => command.Verb is DriverVerb.DeleteNic or DriverVerb.TeardownPort or DriverVerb.DeletePort or DriverVerb.RepairNic);
    }

    [Fact]
    public void F06_Vm_that_was_lost_starts_again_at_once_under_a_higher_epoch()
    {
        var world = Running(DriftPolicy.Report);
        var before = world.Hosts["hv01"].Devices[Nics[0].Text].Epoch;
        Reboot(world);
        Assert.Null(world.StartVm("web").Refusal);
        IsAsWanted(world, "running");
        Assert.True(world.Hosts["hv01"].Devices[Nics[0].Text].Epoch > before);
        Assert.Equal(2, world.State<PortState>(Ports[0]).Incarnations);
    }

    [Fact]
    public void F06_Holds_and_waits_end_with_what_they_were_for()
    {
        var world = Running(DriftPolicy.Report);
        world.Do(Sw, new TakeHoldAt("h1", "ext", 1, 0, "test"));
        world.Do(Sw, new TakeHoldAt("h2", "ext", 2, null, "test"));
        world.Ask(Vm, "stop", new StopVm());
        world.Settle();
        Assert.Equal("stopping", world.State<VmState>(Vm).Name);
        Reboot(world);
        Assert.Equal("stopped", world.State<VmState>(Vm).Name);
        Assert.Equal("host.lost", world.State<VmState>(Vm).Operations[^1].Problem?.Code);
        Assert.Empty(world.Switch(Sw).Holds);
        Assert.Equal("hold.unknown", world.Do(Sw, new ReleaseHoldAt("h1")).Refusal?.Code);
        Assert.Null(world.StartVm("web").Refusal);
        IsAsWanted(world, "running");
    }

    [Fact]
    public void F05_Oid_that_was_proposed_when_the_host_rebooted_ends_with_the_loss()
    {
        var world = Defined(DriftPolicy.Report);
        world.Oid(Sw, new OidRequest("r1", OidCode.PortCreate, 7, 0, new PortParameters("p", "p", PortType.Synthetic)));
        world.Disconnect("hv01");
        var create = world.Ask(Sw, "r2", new SubmitOid(new OidRequest("r2", OidCode.NicCreate, 7, 0, new NicParameters("n", NicType.Synthetic, "db")), true));
        world.Settle();
        Assert.Null(create.Answer);
        world.Hosts["hv01"].Reboot();
        world.Connect("hv01");
        Assert.Equal("host.lost", create.Answer?.Refusal?.Code);
        Assert.Contains("OidLost", world.Events(Sw));
        Assert.Empty(world.Hosts["hv01"].Devices);
        Assert.Empty(world.Switch(Sw).Ports);
        Assert.Null(world.Switch(Sw).Slot);
        Assert.Null(world.Oid(Sw, new OidRequest("r3", OidCode.PortCreate, 7, 0, new PortParameters("p", "p", PortType.Synthetic))).Refusal);
    }

    [Theory]
    [InlineData("start")]
    [InlineData("stop")]
    [InlineData("add")]
    [InlineData("properties")]
    public void F05_Host_that_reboots_after_any_step_leaves_a_vm_that_can_be_started(string work)
    {
        for (var at = 0; ; at++)
        {
            var world = work == "start" ? Defined(DriftPolicy.Report) : Running(DriftPolicy.Report);
            var question = world.Ask(Vm, "work", work switch
            {
                "start" => new StartVm(),
                "stop" => new StopVm(),
                "add" => new AddNic(Nic("eth2", 3)),
                _ => new DefineVm(new VmDefinition("hv01", [Nic("eth0", 1) with { Vlan = 7 }, Nic("eth1", 2)])),
            });
            var taken = 0;
            for (; taken < at && world.Busy; taken++)
            {
                world.Step();
            }
            world.Hosts["hv01"].Reboot();
            world.Reconnect("hv01");
            world.Settle();
            if (world.State<VmState>(Vm).Name == "stopped")
            {
                Assert.Null(world.StartVm("web").Refusal);
            }
            Assert.True(question.Answer is not null, $"step {at}");
            IsAsWanted(world, "running");
            if (taken < at)
            {
                Assert.True(at > 20, $"only {at} steps");
                return;
            }
        }
    }

    [Fact]
    public void F06_Crash_of_any_entity_after_any_step_of_a_reconciliation_changes_nothing()
    {
        for (var at = 0; ; at++)
        {
            var world = Running(DriftPolicy.Report);
            world.Hosts["hv01"].Reboot();
            world.Reconnect("hv01");
            var taken = 0;
            for (; taken < at && world.Busy; taken++)
            {
                world.Step();
            }
            world.CrashAll(withSnapshot: at % 2 == 0);
            world.Settle();
            Assert.Equal("stopped", world.State<VmState>(Vm).Name);
            Assert.Single(world.Events(Vm), "VmLost");
            Assert.All(Nics, nic => Assert.Single(world.Events(nic), "NicLost"));
            Assert.Empty(world.Switch(Sw).Ports);
            if (taken < at)
            {
                Assert.True(at > 10, $"only {at} steps");
                return;
            }
        }
    }

    [Fact]
    public void O02_What_is_live_in_the_new_session_is_newer_than_its_snapshot()
    {
        var world = Running(DriftPolicy.Report);
        Reboot(world);
        world.StartVm("web");
        var session = world.State<BridgeState>(EntityId.Bridge("hv01")).Session;
        Assert.All(Nics.Concat(Ports), id => Assert.Equal(new ObjectLost(false), world.Do(id, new LoseObject(Sw, session, HostLoss.Rebooted)).Reply));
        Assert.Null(world.Do(Vm, new LoseVm("hv01", 1, HostLoss.Rebooted, ["eth0"])).Refusal);
        IsAsWanted(world, "running");
    }

    [Fact]
    public void F06_Loss_that_was_answered_is_not_judged_again_when_it_is_asked_again()
    {
        var world = Running(DriftPolicy.Report);
        var session = world.State<BridgeState>(EntityId.Bridge("hv01")).Session;
        var lose = new LoseObject(Sw, session, HostLoss.Rebooted);
        var first = world.Ask(Nics[0], "lose", lose);
        world.Settle();
        world.Do(Nics[0], new ReportDevice("seen", true, world.Hosts["hv01"].Devices[Nics[0].Text] with { Present = false, Up = false, Enslaved = false }, session + 1));
        var again = world.Ask(Nics[0], "lose", lose);
        world.Settle();
        Assert.Equal((new ObjectLost(false), new ObjectLost(false)), (first.Answer?.Reply, again.Answer?.Reply));
        Assert.Equal("Connected", world.State<NicState>(Nics[0]).Name);
    }

    [Fact]
    public void F06_Object_that_waits_to_be_lost_is_lost_by_the_last_of_two_reboots()
    {
        var world = Defined(DriftPolicy.Report);
        world.HoldWrites(Nics[0]);
        world.Ask(Vm, "start", new StartVm());
        world.Settle();
        world.Disconnect("hv01").Hosts["hv01"].Reboot();
        world.Connect("hv01");
        world.Disconnect("hv01").Hosts["hv01"].Reboot();
        world.Connect("hv01");
        var session = world.State<BridgeState>(EntityId.Bridge("hv01")).Session;
        Assert.Equal(session, world.Switch(Sw).Losses[Nics[0]].Session);
    }

    [Fact]
    public void F06_Nic_that_the_new_boot_lists_is_not_lost()
    {
        var world = Running(DriftPolicy.Report);
        var host = world.Disconnect("hv01").Hosts["hv01"];
        var kept = host.Devices[Nics[0].Text];
        host.Reboot();
        host.Devices[Nics[0].Text] = kept;
        host.Switches.Add("sw");
        world.Connect("hv01");
        Assert.Equal((0, 1), (world.Events(Nics[0]).Count(type => type == "NicLost"), world.Events(Nics[1]).Count(type => type == "NicLost")));
        Assert.Equal((0, 1), (world.Events(Ports[0]).Count(type => type == "PortLost"), world.Events(Ports[1]).Count(type => type == "PortLost")));
        // The VM does not run with half of itself: what is left of it is taken down as in a stop.
        Assert.Equal("stopped", world.State<VmState>(Vm).Name);
        Assert.Equal(("NicDeleted", "PortDeleted"), (world.Events(Nics[0])[^1], world.Events(Ports[0])[^1]));
        Assert.Empty(host.Devices);
        Assert.Null(world.StartVm("web").Refusal);
        IsAsWanted(world, "running");
    }

    [Fact]
    public void F06_Loss_that_a_switch_has_not_heard_of_is_told_by_the_next_session()
    {
        var world = Running(DriftPolicy.Report);
        world.Disconnect("hv01").Hosts["hv01"].Reboot();
        world.HoldWrites(Sw);
        world.Reconnect("hv01");
        world.Reconnect("hv01");
        world.Crash(Sw);
        world.FinishWrite(Sw);
        world.Settle();
        Assert.All(Ports, port => Assert.Equal("PortLost", world.Events(port)[^1]));
        Assert.Equal("stopped", world.State<VmState>(Vm).Name);
    }

    static void Reboot(World world)
    {
        world.Disconnect("hv01").Hosts["hv01"].Reboot();
        world.Connect("hv01");
    }

    static void IsAsWanted(World world, string state)
    {
        Assert.Equal(state, world.State<VmState>(Vm).Name);
        var names = world.State<VmState>(Vm).DefinitionOrNull!.Nics.Select(nic => $"nic/web/{nic.Name}").ToList();
        var devices = world.Hosts["hv01"].Devices;
        Assert.Equal(names, devices.Keys);
        Assert.All(devices.Values, device => Assert.True(device is { Up: true, Enslaved: true }, $"{device}"));
        Assert.Equal(names.Count, world.Switch(Sw).Ports.Count);
        Assert.All(names, nic => Assert.Null(world.State<NicState>(EntityId.Parse(nic)!.Value).BodyOrNull!.Drift));
    }

    static World Running(DriftPolicy drift)
    {
        var world = Defined(drift);
        world.StartVm("web");
        return world;
    }

    static World Defined(DriftPolicy drift)
    {
        var world = new World();
        world.Connect("hv01");
        world.DefineSwitch(Sw, drift);
        world.DefineVm("web", "hv01", Nic("eth0", 1), Nic("eth1", 2));
        return world;
    }

    static NicDefinition Nic(string name, int last) => new(name, "sw", NicType.Synthetic, $"00:15:5d:00:00:0{last}");
}
