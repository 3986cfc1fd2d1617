using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Nics;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Entities ask each other again until they have the answer; what was done once is not done or refused the second time.</summary>
public sealed class RepeatTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");

    [Fact]
    public void Oid_whose_answer_was_lost_is_answered_from_the_record_though_a_bridge_reported_all_it_may_since()
    {
        var world = new World();
        world.Connect("hv01");
        world.DefineSwitch(Sw, DriftPolicy.Report);
        world.Oid(Sw, new OidRequest("r1", OidCode.PortCreate, 7, 0, new PortParameters("p7")));
        world.Oid(Sw, new OidRequest("r2", OidCode.NicCreate, 7, 0, new NicParameters("eth0", VmName: "web")));
        var connect = world.Ask(Sw, "r3", new SubmitOid(new OidRequest("r3", OidCode.NicConnect, 7), true));
        while (!world.Events(Nic).Contains("NicConnected"))
        {
            world.Step();
        }
        world.Crash(Nic); // stored, not said
        for (var i = 0; i < BridgeLifecycle.DeliveriesMax; i++)
        {
            world.Ask(Nic, $"frame-{i}", new ReportDevice($"boot:1:{i}", false, world.Hosts["hv01"].Devices[Nic.Text]));
        }
        world.Settle();
        Assert.Equal(NdisStatus.Success, (connect.Answer?.Reply as OidOutcome)?.Status);
        Assert.Equal("Connected", world.State<NicState>(Nic).Name);
    }

    [Fact]
    public void What_a_switch_says_to_a_nic_that_is_on_another_port_by_now_is_refused()
    {
        var world = new World();
        world.Connect("hv01");
        world.DefineSwitch(Sw, DriftPolicy.Repair);
        world.DefineVm("web", "hv01", new NicDefinition("eth0", "sw", NicType.Synthetic, "02:00:00:00:00:01", 1500, null));
        world.StartVm("web");
        var former = EntityId.Port("hv02", "sw", "web--eth0");
        Command[] late = [new ReadRuntime(former), new RestoreRuntime("r", new NicRuntimePart(), former), new TakeHold("h", "e", "p", former), new SetInFlight(1, 0, former), new IndicateStatus("s", former)];
        Assert.All(late, command => Assert.Equal("nic.elsewhere", world.Do(Nic, command).Refusal?.Code));
        Assert.IsType<HoldTaken>(world.Do(Nic, new TakeHold("h", "e", "p", EntityId.Port("hv01", "sw", "web--eth0"))).Reply);
    }
}
