using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Projections;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>An external switch with an uplink starts and stops its own external adapter (switch.md 3.4 G7 to G9).</summary>
public sealed class ExternalAdapterTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "external-adapter");

    static readonly string[] UpOfOne = ["PORT_CREATE", "NIC_CREATE 0", "NIC_CREATE 1", "NIC_CONNECT 0", "NIC_CONNECT 1"];

    static readonly string[] DownOfOne = ["NIC_DISCONNECT 1", "NIC_DELETE 1", "NIC_DISCONNECT 0", "NIC_DELETE 0", "PORT_TEARDOWN", "PORT_DELETE"];

    [Fact]
    public void L07_Switch_brings_its_uplink_up_at_its_activation()
    {
        var world = new World();
        Define(world, "eth0");
        Assert.Empty(Oids(world)); // the host is away: there is no switch yet
        world.Connect("hv01");
        Assert.Equal(UpOfOne, Oids(world));
        Assert.True(world.Switch(Sw).UplinkUsable);
        Assert.Equal(["SwitchReady", "ExternalAdapterStarting", "OidQueued"], world.Events(Sw).SkipWhile(type => type != "SwitchReady").Take(3));
        Assert.Equal("ExternalAdapterStarted", world.Events(Sw)[^1]);
        Assert.Equal(["eth0"], ((ExternalAdapterStarting)world.Rows(Sw).Single(row => row.Event is ExternalAdapterStarting).Event).Members);
        Assert.Equal([("sw", 0), ("eth0", 1)], world.Switch(Sw).Ports.Values.Single().Nics.Select(nic => (nic.Value.NicName, nic.Key)));
    }

    [Fact]
    public void L08_Switch_takes_its_uplink_down_before_it_is_deleted()
    {
        var world = Up("eth0");
        var before = Oids(world).Count;
        Assert.IsType<Done>(world.Do(Sw, new DeleteSwitch()).Reply);
        Assert.Equal(DownOfOne, Oids(world).Skip(before));
        Assert.Equal(["ExternalAdapterStopped", "SwitchDeleteStarted", "SwitchDeleted"], world.Events(Sw).TakeLast(3));
        Assert.Empty(world.Hosts["hv01"].Ports);
        Assert.Empty(world.Hosts["hv01"].Switches);
    }

    [Fact]
    public void L09_Team_of_the_switch_has_a_member_for_each_device()
    {
        var world = Up("eth0,eth1,eth2,eth3");
        Assert.Equal(
            ["PORT_CREATE", .. Each("NIC_CREATE", 0, 4), .. Each("NIC_CONNECT", 0, 4)], Oids(world));
        var before = Oids(world).Count;
        world.Do(Sw, new DeleteSwitch());
        Assert.Equal(
            [.. Each("NIC_DISCONNECT", 1, 4), .. Each("NIC_DELETE", 1, 4), "NIC_DISCONNECT 0", "NIC_DELETE 0", "PORT_TEARDOWN", "PORT_DELETE"],
            Oids(world).Skip(before));
        Assert.Single(world.Events(Port), "PortCreated");
    }

    public static IEnumerable<object[]> Steps => Enumerable.Range(1, 60).Select(step => new object[] { step });

    [Theory]
    [MemberData(nameof(Steps))]
    public void Process_that_ends_half_way_goes_on_from_there(int step)
    {
        var world = new World(snapshotEvery: 7).Connect("hv01");
        var defined = world.Ask(Sw, "define", new DefineSwitch(Definition("eth0")));
        After(world, step, () => world.CrashAll(withSnapshot: step % 2 == 0));
        Assert.NotNull(defined.Answer);
        Assert.Equal(UpOfOne, Oids(world));
        Assert.Equal(AdapterStage.Up, world.Switch(Sw).Adapter?.Stage);
        var delete = world.Ask(Sw, "delete", new DeleteSwitch());
        After(world, step, () => world.CrashAll(withSnapshot: step % 2 == 0));
        Assert.IsType<Done>(delete.Answer?.Reply);
        Assert.Equal(DownOfOne, Oids(world).Skip(UpOfOne.Length));
        Assert.IsType<SwitchState.Absent>(world.State<SwitchState>(Sw));
        Assert.Single(world.Events(Port), "PortCreated");
        Assert.Single(world.Events(Port), "PortDeleted");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void F06_Host_that_comes_up_anew_has_its_uplink_again(bool withSwitch)
    {
        var world = Up("eth0");
        var before = Oids(world).Count;
        world.Disconnect("hv01");
        world.Hosts["hv01"].Reboot();
        if (withSwitch)
        {
            world.Hosts["hv01"].Switches.Add("sw");
        }
        world.Connect("hv01");
        Assert.Equal("PortLost", world.Events(Port).Last(type => type.StartsWith("PortLost", StringComparison.Ordinal)));
        Assert.Equal(UpOfOne, Oids(world).Skip(before));
        Assert.True(world.Switch(Sw).UplinkUsable);
        Assert.Equal(2, world.State<PortState>(Port).Incarnations);
    }

    [Theory]
    [InlineData("PORT_CREATE", new[] { "PORT_CREATE" })]
    [InlineData("NIC_CREATE", new[] { "PORT_CREATE", "NIC_CREATE 0", "PORT_TEARDOWN", "PORT_DELETE" })]
    public void Start_that_is_refused_is_undone_told_and_tried_again_with_the_next_definition(string oid, string[] done)
    {
        var world = new World().Connect("hv01");
        Define(world, "eth0", new ExtensionDefinition("test.verdict", ExtensionClass.Filter, true, new ExtensionSettings(
            Verdicts: [new PlannedVerdict(OidCode.Parse($"OID_SWITCH_{oid}")!.Value, NdisStatus.DataNotAccepted, 1)])));
        Assert.Equal(done, Oids(world));
        Assert.Empty(world.Switch(Sw).Ports);
        var alarm = Assert.Single(Alarms.Of(View(world)), alarm => alarm.Code == "switch.adapter");
        Assert.Contains("test.verdict", alarm.Reason, StringComparison.Ordinal);
        Assert.Equal("switch.adapter.refused", ((ExternalAdapterStopped)world.Rows(Sw)[^1].Event).Problem?.Code);
        world.Disconnect("hv01").Connect("hv01");
        Assert.Equal(done, Oids(world)); // the switch was active all the time
        Define(world, "eth0");
        Assert.Equal(UpOfOne, Oids(world).Skip(done.Length));
        Assert.Empty(Alarms.Of(View(world)));
    }

    [Fact]
    public void Second_external_adapter_is_rejected_where_a_peer_has_brought_one_up()
    {
        var world = new World().Connect("hv01");
        world.DefineSwitch(Sw, DriftPolicy.Report);
        world.Oid(Sw, new OidRequest("p", OidCode.PortCreate, 7, 0, new PortParameters("mine", PortType: PortType.External)));
        world.Oid(Sw, new OidRequest("n", OidCode.NicCreate, 7, 0, new NicParameters("adapter", NicType.External)));
        Define(world, "eth0");
        Assert.Equal("X20", world.Switch(Sw).Adapter?.Problem?.Rule);
        Assert.Equal([7u], world.Switch(Sw).Ports.Keys);
        Assert.Equal("switch.delete.ports", world.Do(Sw, new DeleteSwitch()).Refusal?.Code);
    }

    [Fact]
    public void Deletion_waits_for_a_reference_on_the_adapter_and_lets_nothing_new_in()
    {
        var world = Up("eth0");
        var port = world.Switch(Sw).Ports.Keys.Single();
        world.Do(Sw, new TakeHoldAt("h1", "ext", port, 1, "test"));
        world.Do(Sw, new TakeHoldAt("h2", "ext", port, null, "test"));
        var delete = world.Ask(Sw, "delete", new DeleteSwitch());
        world.Settle();
        world.CrashAll();
        world.Settle();
        Assert.Null(delete.Answer);
        Assert.Equal("Disconnected", world.State<NicState>(EntityId.HostNic("hv01", "sw", Port.Parts[2], 1)).Name);
        Assert.Equal("switch.deleting", world.Oid(Sw, new OidRequest("late", OidCode.PortCreate, 9, 0, new PortParameters("p9"))).Refusal?.Code);
        Assert.Equal("switch.delete.deleting", world.Do(Sw, new DeleteSwitch()).Refusal?.Code);
        world.Do(Sw, new ReleaseHoldAt("h1"));
        Assert.Null(delete.Answer);
        world.Do(Sw, new ReleaseHoldAt("h2"));
        Assert.IsType<Done>(delete.Answer?.Reply);
        Assert.Equal(2, world.Events(Sw).Count(type => type == "ExternalAdapterDrained"));
    }

    [Fact]
    public void Port_of_somebody_else_keeps_the_switch_and_its_uplink()
    {
        var world = Up("eth0");
        world.Oid(Sw, new OidRequest("p", OidCode.PortCreate, 7, 0, new PortParameters("p7")));
        Assert.Equal("switch.delete.ports", world.Do(Sw, new DeleteSwitch()).Refusal?.Code);
        Assert.True(world.Switch(Sw).UplinkUsable);
    }

    [Fact]
    public void Definition_that_changes_members_moves_those_alone()
    {
        var world = Up("eth0");
        var before = Oids(world).Count;
        Define(world, "eth0,eth1");
        Assert.Equal(["NIC_CREATE 2", "NIC_CONNECT 2"], Oids(world).Skip(before));
        Define(world, "eth1");
        Assert.Equal(
            ["NIC_DISCONNECT 1", "NIC_DISCONNECT 2", "NIC_DELETE 1", "NIC_DELETE 2", "NIC_CREATE 1", "NIC_CONNECT 1"], Oids(world).Skip(before + 2));
        before = Oids(world).Count;
        Define(world, "eth1");
        Assert.Equal(before, Oids(world).Count);
        world.Do(Sw, new DefineSwitch(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [])));
        Assert.Equal(DownOfOne, Oids(world).Skip(before));
        Define(world, "eth1");
        Assert.Equal(UpOfOne, Oids(world).Skip(before + DownOfOne.Length));
    }

    [Fact]
    public void What_a_peer_disconnects_stays_so_until_the_switch_is_defined_anew()
    {
        var world = Up("eth0");
        var port = world.Switch(Sw).Ports.Keys.Single();
        world.Oid(Sw, new OidRequest("away", OidCode.NicDisconnect, port, 1));
        Assert.False(world.Switch(Sw).UplinkUsable);
        var before = Oids(world).Count;
        Define(world, "eth0");
        Assert.Equal(["NIC_DELETE 1", "NIC_CREATE 1", "NIC_CONNECT 1"], Oids(world).Skip(before));
        Assert.True(world.Switch(Sw).UplinkUsable);
    }

    [Fact]
    public void Removed_host_ends_a_deletion_that_waits_for_it()
    {
        var world = Up("eth0");
        world.Disconnect("hv01");
        var delete = world.Ask(Sw, "delete", new DeleteSwitch());
        world.Settle();
        Assert.Null(delete.Answer);
        world.Do(EntityId.Bridge("hv01"), new RemoveHost(Force: true));
        Assert.Equal("host.removed", delete.Answer?.Refusal?.Code);
        Assert.IsType<SwitchState.Absent>(world.State<SwitchState>(Sw));
    }

    [Theory]
    [InlineData("eth0,,eth1")]
    [InlineData("eth0,eth0")]
    [InlineData("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,1,2,3,4,5,6,7")]
    public void X18_Members_are_different_devices_and_32_at_most(string uplink) =>
        Assert.Equal(("switch.uplink.members", "uplink"), new World().Connect("hv01").Do(Sw, new DefineSwitch(Definition(uplink))).Refusal is { } no ? (no.Code, no.Field) : default);

    static World Up(string uplink)
    {
        var world = new World().Connect("hv01");
        Define(world, uplink);
        Assert.True(world.Switch(Sw).UplinkUsable);
        return world;
    }

    static void Define(World world, string uplink, params ExtensionDefinition[] extensions) =>
        Assert.IsType<Done>(world.Do(Sw, new DefineSwitch(Definition(uplink, extensions))).Reply);

    static SwitchDefinition Definition(string uplink, params ExtensionDefinition[] extensions) => new(SwitchKind.External, uplink, DriftPolicy.Report, extensions);

    /// <summary>So many steps, then the end of the process, then all the rest.</summary>
    static void After(World world, int steps, Action ends)
    {
        for (var n = 0; n < steps && world.Busy; n++)
        {
            world.Step();
        }
        ends();
        world.Settle();
    }

    /// <summary>What the switch has issued itself, oldest first.</summary>
    static List<string> Oids(World world) => [.. world.Rows(Sw).Select(row => row.Event).OfType<OidQueued>().Where(queued => !queued.FromPeer)
        .Select(queued => $"{queued.Request.Oid}"["OID_SWITCH_".Length..] + (queued.Request.Oid.ToString().Contains("NIC", StringComparison.Ordinal) ? $" {queued.Request.NicIndex}" : ""))];

    static IEnumerable<string> Each(string oid, int first, int last) => Enumerable.Range(first, last - first + 1).Select(index => $"{oid} {index}");

    static EntityView View(World world) => world.Rows(Sw).Aggregate(EntityView.New(Sw), (view, row) => view.After(row));
}
