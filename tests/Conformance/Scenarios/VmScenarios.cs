using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The two sequences of a VM, what undoes a refused start, and what a stop waits for.</summary>
public abstract class VmScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    /// <summary>The id that the first port of a VM on a fresh switch gets.</summary>
    const uint First = 1;

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Start_runs_the_ladder_for_each_nic_and_stop_runs_it_back()
    {
        await DefineVm("eth0", "eth1");
        Assert.True((await Target.StartVm(Vm)).Succeeded);
        Assert.Equal("running", await Target.Power(Vm));
        foreach (var nic in new[] { "eth0", "eth1" })
        {
            await Happened(PortOf(nic), "PortCreated", "NicAttached");
            await Happened(NicOf(nic), "NicCreated", "NicConnected");
        }
        await Target.StopVm(Vm);
        Assert.Equal("stopped", await Target.Power(Vm));
        foreach (var nic in new[] { "eth0", "eth1" })
        {
            await Happened(PortOf(nic), "NicAttached", "NicDetached", "PortTornDown", "PortDeleted");
            await Happened(NicOf(nic), "NicConnected", "NicDisconnected", "NicDeleted");
        }
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task Vm_starts_again_after_a_stop()
    {
        await DefineVm("eth0");
        for (var round = 0; round < 3; round++)
        {
            Assert.True((await Target.StartVm(Vm)).Succeeded);
            await Target.StopVm(Vm);
            Assert.Equal("stopped", await Target.Power(Vm));
        }
        Assert.Equal(3, (await Target.Events(NicOf("eth0"))).Count(type => type == "NicConnected"));
    }

    /// <summary>Position of the refuser in the stack, the OID, and which of two NICs it hits.</summary>
    public static TheoryData<int, string, int> Refusals()
    {
        var all = new TheoryData<int, string, int>();
        foreach (var position in new[] { 1, 2, RefusedBy.EdgePosition })
        {
            foreach (var oid in new[] { "OID_SWITCH_PORT_CREATE", "OID_SWITCH_NIC_CREATE" })
            {
                all.Add(position, oid, 1);
                all.Add(position, oid, 2);
            }
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refused_start_undoes_exactly_what_was_done(int position, string oidName, int nth)
    {
        var oid = OidCode.Parse(oidName)!.Value;
        if (position == RefusedBy.EdgePosition && nth > 1 && !Target.PlantsLater)
        {
            return;
        }
        await RefuseTheNth(position, oid, nth);
        await DefineVm("eth0", "eth1");
        var verdict = await Target.StartVm(Vm);
        Assert.Equal("oid.refused", verdict.Refusal?.Code);
        Assert.Contains($"position {position}", verdict.Refusal!.Detail, StringComparison.Ordinal);
        Assert.Equal("stopped", await Target.Power(Vm));
        Assert.True(await Target.DataPathIsClean());

        var refusedNic = nth == 1 ? "eth0" : "eth1";
        if (nth == 2)
        {
            await Happened(NicOf("eth0"), "NicConnected", "NicDisconnected", "NicDeleted");
            await Happened(PortOf("eth0"), "NicDetached", "PortTornDown", "PortDeleted");
        }
        else
        {
            await NeverHappened(NicOf("eth1"), "NicCreateProposed");
        }
        await NeverHappened(NicOf(refusedNic), "NicCreated", "NicDisconnectReceived", "NicDeleteReceived");
        if (oid == OidCode.NicCreate)
        {
            await Happened(PortOf(refusedNic), "PortCreated", "NicAttachEnded", "PortTornDown", "PortDeleted");
        }
        else
        {
            await NeverHappened(PortOf(refusedNic), "PortTeardownReceived", "PortDeleteReceived");
        }
        Assert.True((await Target.StartVm(Vm)).Succeeded); // nothing of it is left in the way
    }

    [Fact]
    public async Task Stop_waits_at_a_nic_that_is_held_after_closing_every_gate()
    {
        await DefineVm("eth0", "eth1");
        await Target.StartVm(Vm);
        var hold = await Target.Hold("e3", First, 0);
        await Target.StopVm(Vm);
        Assert.Equal("stopping", await Target.Power(Vm));
        await Happened(NicOf("eth0"), "NicDisconnected", "NicDeleteDeferred");
        await Happened(NicOf("eth1"), "NicDisconnected", "NicDeleted");
        await NeverHappened(NicOf("eth0"), "NicDeleteReceived");
        await NeverHappened(PortOf("eth0"), "PortTeardownReceived");
        await Target.Release(hold.Id!);
        Assert.Equal("stopped", await Target.Power(Vm));
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task Stop_waits_for_what_is_in_flight()
    {
        await DefineVm("eth0");
        await Target.StartVm(Vm);
        await Target.InFlight(First, 0, packets: 3, oids: 1);
        await Target.StopVm(Vm);
        await Target.InFlight(First, 0, packets: 0, oids: 1);
        Assert.Equal("stopping", await Target.Power(Vm));
        await Target.InFlight(First, 0, 0, 0);
        Assert.Equal("stopped", await Target.Power(Vm));
    }

    [Fact]
    public async Task Stop_waits_at_a_port_that_is_held_after_its_teardown()
    {
        await DefineVm("eth0");
        await Target.StartVm(Vm);
        var hold = await Target.Hold("e3", First, null);
        await Target.StopVm(Vm);
        Assert.Equal("stopping", await Target.Power(Vm));
        await Happened(PortOf("eth0"), "NicDetached", "PortTornDown", "PortDrainDeferred");
        await NeverHappened(PortOf("eth0"), "PortDeleteReceived");
        await Target.Release(hold.Id!);
        Assert.Equal("stopped", await Target.Power(Vm));
    }

    [Fact]
    public async Task Running_vm_is_neither_defined_nor_started_again()
    {
        await DefineVm("eth0");
        await Target.StartVm(Vm);
        var running = await Target.DefineVm(Vm);
        Assert.Equal("vm.define.running", running.Refusal?.Code);
        Assert.Equal("vm.start.running", (await Target.StartVm(Vm)).Refusal?.Code);
        await Target.StopVm(Vm);
        Assert.Equal("stopped", await Target.Power(Vm));
    }

    [Fact]
    public async Task Nic_of_a_vm_that_a_peer_took_away_does_not_keep_the_stop()
    {
        await DefineVm("eth0");
        await Target.StartVm(Vm);
        await DisconnectNic(First);
        await DeleteNic(First);
        await Target.StopVm(Vm);
        Assert.Equal("stopped", await Target.Power(Vm));
        Assert.True(await Target.DataPathIsClean());
    }

    EntityId NicOf(string nic) => EntityId.Nic(Vm, nic);

    EntityId PortOf(string nic) => EntityId.Port(Target.Host, Target.Switch, $"{Vm}--{nic}");

    async Task RefuseTheNth(int position, OidCode oid, int nth)
    {
        if (position == RefusedBy.EdgePosition)
        {
            await Target.Plant(oid == OidCode.PortCreate ? DriverVerb.CreatePort : DriverVerb.CreateNic, NdisStatus.Resources, 1, skip: nth - 1);
            return;
        }
        // The first of two verdicts lets all but the nth pass: a forwarder or filter that answers with success is at fault, and the OID goes on.
        var refusal = new PlannedVerdict(oid, NdisStatus.DataNotAccepted, 1);
        var settings = new ExtensionSettings(Verdicts: nth == 1 ? [refusal] : [new PlannedVerdict(oid, NdisStatus.Success, nth - 1), refusal]);
        await DefineThree(filter: position == 1 ? settings : null, forward: position == 2 ? settings : null);
    }
}
