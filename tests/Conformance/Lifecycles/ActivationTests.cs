using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>What needs a host that comes and goes, a clock, or a write that takes its time: the lifecycles alone.</summary>
public sealed class ActivationTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "web--eth0");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");

    readonly World _world = new();

    [Fact]
    public void O02_Port_that_the_snapshot_lists_too_is_one_port()
    {
        Running();
        var before = _world.State(Port);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Equal(before, _world.State(Port));
        Assert.Single(_world.Switch(Sw).Ports);
        Assert.Null(_world.State<NicState>(Nic).BodyOrNull!.Drift);
    }

    [Fact]
    public void O07_Status_of_a_nic_is_not_forwarded_after_its_disconnect_unless_it_is_held()
    {
        Running();
        Assert.NotNull(Indicate().Reply);
        _world.Do(Sw, new TakeHoldAt("h1", "e3", 1, 0, "status"));
        Oid(OidCode.NicDisconnect);
        Assert.NotNull(Indicate().Reply);
        _world.Do(Sw, new ReleaseHoldAt("h1"));
        Assert.Equal("nic.status.not-connected", Indicate().Refusal?.Code);
    }

    [Fact]
    public void O08_Direct_oid_does_not_wait_for_the_regular_one_of_the_same_nic()
    {
        Running();
        _world.HoldWrites(Nic);
        var regular = _world.Ask(Sw, "regular", new SubmitOid(new OidRequest("regular", OidCode.NicDisconnect, 1), true));
        var next = _world.Ask(Sw, "next", new SubmitOid(new OidRequest("next", OidCode.NicDelete, 1), true));
        Assert.NotNull(_world.Oid(Sw, new OidRequest("direct", OidCode.NicDirectRequest, 1)).Reply);
        Assert.Null(regular.Answer);
        Assert.Null(next.Answer);
        _world.FinishWrite(Nic);
        _world.Settle();
        Assert.NotNull(regular.Answer?.Reply);
        Assert.NotNull(next.Answer?.Reply);
    }

    [Fact]
    public void O09_Lists_of_a_switch_that_is_not_active_are_refused_and_recorded()
    {
        Offline();
        foreach (var oid in new[] { OidCode.PortArray, OidCode.NicArray })
        {
            var refusal = _world.Oid(Sw, new OidRequest($"{oid}", oid, 0)).Refusal;
            Assert.Equal(("switch.not-active", "O09"), (refusal?.Code, refusal?.Rule));
        }
        Assert.Equal(2, _world.Events(Sw).Count(type => type == "OidRejected"));
    }

    [Fact]
    public void O10_Lifecycle_oid_before_the_activation_waits_and_blocks_nobody()
    {
        Offline();
        var early = _world.Ask(Sw, "early", new SubmitOid(new OidRequest("early", OidCode.PortCreate, 7, 0, new PortParameters("p")), true));
        Assert.NotNull(_world.Oid(Sw, new OidRequest("direct", OidCode.NicDirectRequest, 7)).Reply);
        Assert.Null(early.Answer);
        _world.Connect("hv01");
        Assert.Equal(NdisStatus.Success, ((OidOutcome)early.Answer!.Reply!).Status);
    }

    [Fact]
    public void R09_Stop_at_a_leaked_reference_raises_the_alarm_with_the_holder_and_forces_nothing()
    {
        Running();
        _world.Do(Sw, new TakeHoldAt("h1", "forward.leaky", 1, 0, "forgot"));
        _world.StopVm("web");
        _world.Advance(TimeSpan.FromSeconds(29));
        Assert.DoesNotContain("NicDrainStuck", _world.Events(Nic));
        _world.Advance(TimeSpan.FromSeconds(1));
        var stuck = Assert.Single(_world.Rows(Nic).Select(row => row.Event).OfType<NicDrainStuck>());
        Assert.Equal("forward.leaky", Assert.Single(stuck.Waiting.Holds).Holder);
        _world.Advance(TimeSpan.FromHours(24));
        Assert.Single(_world.Events(Nic), "NicDrainStuck");
        Assert.DoesNotContain("NicDeleteReceived", _world.Events(Nic));
        Assert.Equal("Disconnected", _world.State<NicState>(Nic).Name);
    }

    [Fact]
    public void R09_Alarm_comes_at_its_time_over_a_crash()
    {
        Running();
        _world.Do(Sw, new TakeHoldAt("h1", "e3", 1, null, "forgot"));
        _world.StopVm("web");
        _world.Advance(TimeSpan.FromSeconds(20));
        _world.CrashAll();
        _world.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(_world.Events(Port), "PortDrainStuck");
    }

    [Fact]
    public void Start_is_refused_while_the_host_is_away()
    {
        Running();
        _world.StopVm("web");
        _world.Disconnect("hv01");
        var answer = _world.StartVm("web");
        Assert.Equal((RefusalKind.Offline, "host.offline"), (answer.Refusal?.Kind, answer.Refusal?.Code));
        Assert.Equal("stopped", Power);
        _world.Connect("hv01");
        Assert.NotNull(_world.StartVm("web").Reply);
        Assert.Equal("running", Power);
    }

    [Fact]
    public void Stop_waits_for_a_host_that_is_away_and_ends_when_it_returns()
    {
        Running();
        _world.Disconnect("hv01");
        Assert.NotNull(_world.StopVm("web").Reply);
        _world.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("stopping", Power);
        Assert.True(_world.Hosts["hv01"].Devices[Nic.Text].Up); // traffic goes on: nobody told the host
        _world.Connect("hv01");
        Assert.Equal("stopped", Power);
        Assert.Empty(_world.Hosts["hv01"].Devices);
    }

    [Fact]
    public void Two_vms_on_one_switch_start_and_stop_through_each_other()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        string[] vms = ["web", "db"];
        foreach (var vm in vms)
        {
            _world.DefineVm(vm, "hv01", Eth0);
        }
        foreach (var command in new Command[] { new StartVm(), new StopVm(), new StartVm() })
        {
            foreach (var vm in vms)
            {
                _world.Ask(EntityId.Vm(vm), $"{vm}-{_world.Stored}", command);
            }
            _world.Settle();
        }
        Assert.Equal(2, _world.Hosts["hv01"].Devices.Values.Count(device => device.Up));
        var oids = _world.Events(Sw).Where(type => type is "OidStarted" or "OidCompleted").Chunk(2);
        Assert.All(oids, pair => Assert.Equal(["OidStarted", "OidCompleted"], pair));
    }

    [Fact]
    public void Switch_that_its_host_cannot_make_takes_no_port_and_still_lets_what_is_there_end()
    {
        Running();
        var host = _world.Disconnect("hv01").Hosts["hv01"];
        host.LoseEverything();
        host.Plant(DriverVerb.EnsureSwitch, NdisStatus.Failure);
        _world.Connect("hv01");
        Assert.Equal(SwitchStage.Failed, _world.Switch(Sw).Stage);
        Assert.Equal("switch.not-ready", _world.Oid(Sw, new OidRequest("r1", OidCode.PortCreate, 9, 0, new PortParameters("p9"))).Refusal?.Code);
        _world.StopVm("web");
        Assert.Equal("stopped", Power);
        Assert.Empty(_world.Switch(Sw).Ports);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Equal(SwitchStage.Ready, _world.Switch(Sw).Stage);
    }

    [Fact]
    public void Switch_that_was_deleted_and_defined_again_is_made_again()
    {
        _world.Connect("hv01");
        for (var round = 0; round < 2; round++)
        {
            _world.DefineSwitch(Sw, DriftPolicy.Report);
            Assert.Contains("sw", _world.Hosts["hv01"].Switches);
            Assert.NotNull(_world.Do(Sw, new DeleteSwitch()).Reply);
            Assert.Empty(_world.Hosts["hv01"].Switches);
        }
    }

    [Fact]
    public void Peers_of_two_switches_may_number_their_requests_alike()
    {
        _world.Connect("hv01");
        foreach (var sw in new[] { Sw, EntityId.Switch("hv01", "sw2") })
        {
            _world.DefineSwitch(sw, DriftPolicy.Report);
            OidCode[] ladder = [OidCode.PortCreate, OidCode.NicCreate, OidCode.NicConnect];
            OidParameters?[] parameters = [new PortParameters("p1"), new NicParameters("eth0", VmName: "web"), null];
            for (var i = 0; i < ladder.Length; i++)
            {
                Assert.NotNull(_world.Oid(sw, new OidRequest($"{i}", ladder[i], 7, 0, parameters[i])).Reply);
            }
            Assert.Equal(sw.Parts[1], _world.Hosts["hv01"].Devices[Nic.Text].Switch);
            _world.Oid(sw, new OidRequest("3", OidCode.NicDisconnect, 7));
            _world.Oid(sw, new OidRequest("4", OidCode.NicDelete, 7));
            Assert.Empty(_world.Hosts["hv01"].Devices);
        }
    }

    [Fact]
    public void Hold_id_that_is_taken_is_not_given_to_another_port()
    {
        Running();
        _world.Oid(Sw, new OidRequest("r1", OidCode.PortCreate, 9, 0, new PortParameters("p9")));
        Assert.NotNull(_world.Do(Sw, new TakeHoldAt("h1", "e3", 1, null, "")).Reply);
        Assert.Equal("hold.exists", _world.Do(Sw, new TakeHoldAt("h1", "e3", 9, null, "")).Refusal?.Code);
        Assert.NotNull(_world.Do(Sw, new ReleaseHoldAt("h1")).Reply);
        Assert.NotNull(_world.Do(Sw, new TakeHoldAt("h1", "e3", 9, null, "")).Reply);
    }

    [Fact]
    public void Mtu_that_comes_with_the_connect_is_taken()
    {
        Running();
        Oid(OidCode.NicDisconnect);
        Oid(OidCode.NicDelete);
        var nic = new NicParameters("web--eth0", VmName: "web", Mtu: 1500);
        Oid(OidCode.NicCreate, nic);
        Oid(OidCode.NicConnect, nic with { Mtu = 1400 });
        Assert.Equal(1400, _world.State<NicState>(Nic).BodyOrNull!.Parameters.Mtu);
    }

    [Fact]
    public void L21_Mtu_is_never_raised()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report, new ExtensionDefinition(
            "test.verdict", ExtensionClass.Forward, true, new ExtensionSettings(MtuHeadroom: -50)));
        _world.Oid(Sw, new OidRequest("1", OidCode.PortCreate, 7, 0, new PortParameters("p7")));
        var nic = new NicParameters("eth0", VmName: "web", Mtu: 1500, Flags: ["NicInitializing"]);
        var outcome = (OidOutcome)_world.Oid(Sw, new OidRequest("2", OidCode.NicCreate, 7, 0, nic)).Reply!;
        Assert.Equal("X29", Assert.Single(outcome.Faults).Rule);
        Assert.Equal(1500, _world.State<NicState>(Nic).BodyOrNull!.Parameters.Mtu);
    }

    [Fact]
    public void O13_Request_with_another_structure_is_rejected()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        Assert.Equal("O13", _world.Oid(Sw, new OidRequest("1", OidCode.PortCreate, 7, 0, new NicParameters("eth0"))).Refusal?.Rule);
        _world.Oid(Sw, new OidRequest("2", OidCode.PortCreate, 7, 0, new PortParameters("p7")));
        Assert.Equal("O13", _world.Oid(Sw, new OidRequest("3", OidCode.NicCreate, 7, 0, new PortParameters("p7"))).Refusal?.Rule);
    }

    [Fact]
    public void Address_that_a_nic_took_by_an_update_is_not_given_to_another()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report, new ExtensionDefinition("filter.mac-guard", ExtensionClass.Filter));
        _world.DefineVm("web", "hv01", Eth0);
        _world.StartVm("web");
        Oid(OidCode.NicUpdated, new NicParameters("web--eth0", PermanentMacAddress: "00-15-5d-00-00-99"));
        foreach (var (vm, mac, starts) in new[] { ("db", "00:15:5d:00:00:99", false), ("mq", "00:15:5d:00:00:01", true) })
        {
            _world.DefineVm(vm, "hv01", Eth0 with { Mac = mac });
            _world.StartVm(vm);
            Assert.Equal(starts ? "running" : "stopped", _world.State<Actors.Vms.VmState>(EntityId.Vm(vm)).Name);
        }
    }

    static readonly NicDefinition Eth0 = new("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01");

    string Power => _world.State<Actors.Vms.VmState>(EntityId.Vm("web")).Name;

    void Running()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        _world.DefineVm("web", "hv01", Eth0);
        _world.StartVm("web");
        Assert.Equal("running", Power);
    }

    void Offline()
    {
        _world.Connect("hv01").Disconnect("hv01");
        _world.Ask(Sw, "define", new DefineSwitch(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [])));
        _world.Settle();
    }

    Answer Oid(OidCode oid, OidParameters? parameters = null) => _world.Oid(Sw, new OidRequest($"{oid}-{_world.Stored}", oid, 1, 0, parameters));

    Answer Indicate() => _world.Do(Sw, new IndicateStatusAt(1, 0, "NDIS_STATUS_SWITCH_PORT_REMOVE_VF"));
}
