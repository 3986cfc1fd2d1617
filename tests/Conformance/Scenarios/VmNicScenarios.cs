using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A VM's NICs with their properties (api.md 3: PORT_CREATE, properties, NIC_CREATE, NIC_CONNECT), and NICs that come and go while it runs.</summary>
public abstract class VmNicScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Start_adds_the_properties_between_the_port_and_the_nic()
    {
        await Target.DefineVm(Vm, Nic("eth0", vlan: 7, Spoofing));
        Assert.True((await Target.StartVm(Vm)).Succeeded);
        await Happened(PortOf("eth0"), "PortCreated", "PortPropertyChanged", "PortPropertyChanged", "NicAttachProposed", "NicAttached");
        await IsEnforced("eth0", new VlanPolicy.Access(7), spoofing: true);
        await Target.StopVm(Vm);
        Assert.Equal("stopped", await Target.Power(Vm));
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task F02_Refused_nic_takes_the_port_down_again_and_nothing_else()
    {
        await DefineThree(forward: Answers(OidCode.NicCreate));
        await Target.DefineVm(Vm, Nic("eth0", vlan: 7));
        Assert.Equal("oid.refused", (await Target.StartVm(Vm)).Refusal?.Code);
        await Happened(PortOf("eth0"), "PortCreated", "PortPropertyChanged", "NicAttachEnded", "PortTeardownReceived", "PortDeleteReceived", "PortDeleted");
        await NeverHappened(NicOf("eth0"), "NicCreated", "NicDisconnectReceived", "NicDeleteReceived");
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task F04_Refused_property_takes_the_port_down_again_and_there_never_is_a_nic()
    {
        await DefineThree(forward: Answers(OidCode.PortPropertyAdd));
        await Target.DefineVm(Vm, Nic("eth0", vlan: 7));
        var refusal = (await Target.StartVm(Vm)).Refusal;
        Assert.Contains("OID_SWITCH_PORT_PROPERTY_ADD", refusal?.Detail, StringComparison.Ordinal);
        await Happened(PortOf("eth0"), "PortCreated", "PortPropertyRefused", "PortTeardownReceived", "PortTornDown", "PortDeleted");
        await NeverHappened(PortOf("eth0"), "NicAttachProposed", "PortPropertyChanged");
        await NeverHappened(NicOf("eth0"), "NicCreateProposed");
        Assert.Equal("stopped", await Target.Power(Vm));
        Assert.True(await Target.DataPathIsClean());
        Assert.True((await Target.StartVm(Vm)).Succeeded);
    }

    [Fact]
    public async Task Wrong_property_of_a_definition_is_refused_with_its_field()
    {
        var refusal = (await Target.DefineVm(Vm, Nic("eth0"), Nic("eth1", null, Spoofing, Of(PropertyType.Vlan, "{\"operationMode\":\"trunk\"}")))).Refusal;
        Assert.Equal(("nic.property", "nics[1].properties[1].value.trunkVlanIds"), (refusal?.Code, refusal?.Field));
    }

    [Fact]
    public async Task L20_Nic_that_is_added_to_a_running_vm_leaves_the_first_untouched()
    {
        await Running();
        var before = await Target.Events(NicOf("eth0"));
        Assert.True((await Target.AddNic(Vm, Nic("eth1", vlan: 9))).Succeeded);
        await Happened(PortOf("eth1"), "PortCreated", "PortPropertyChanged", "NicAttached");
        await Happened(NicOf("eth1"), "NicCreated", "NicConnected");
        await IsEnforced("eth1", new VlanPolicy.Access(9));
        Assert.Equal(before, await Target.Events(NicOf("eth0")));
        Assert.Equal("running", await Target.Power(Vm));
        await Target.StopVm(Vm);
        Assert.Equal("stopped", await Target.Power(Vm));
        Assert.True(await Target.DataPathIsClean());
        Assert.True((await Target.StartVm(Vm)).Succeeded); // both are of the VM now
        await IsEnforced("eth1", new VlanPolicy.Access(9));
    }

    [Theory]
    [InlineData("OID_SWITCH_PORT_CREATE")]
    [InlineData("OID_SWITCH_PORT_PROPERTY_ADD")]
    [InlineData("OID_SWITCH_NIC_CREATE")]
    public async Task L20_Nic_that_is_refused_is_undone_and_the_vm_runs_on_as_it_was(string oid)
    {
        await Running();
        await DefineThree(forward: Answers(OidCode.Parse(oid)!.Value));
        Assert.Equal("oid.refused", (await Target.AddNic(Vm, Nic("eth1", vlan: 9))).Refusal?.Code);
        await NeverHappened(NicOf("eth1"), "NicCreated");
        Assert.Equal("running", await Target.Power(Vm));
        Assert.Equal("nic.absent", (await Target.RemoveNic(Vm, "eth1")).Refusal?.Code);
        Assert.True((await Target.AddNic(Vm, Nic("eth1", vlan: 9))).Succeeded);
    }

    [Fact]
    public async Task L20_Nic_that_is_taken_away_drains_and_its_port_goes()
    {
        await Target.DefineVm(Vm, Nic("eth0"), Nic("eth1"));
        await Target.StartVm(Vm);
        var hold = await Target.Hold("e3", 2, 0);
        await Target.RemoveNic(Vm, "eth1");
        await Happened(NicOf("eth1"), "NicDisconnected", "NicDeleteDeferred");
        await NeverHappened(NicOf("eth1"), "NicDeleteReceived");
        Assert.Equal("vm.stop.changing", (await Target.StopVm(Vm)).Refusal?.Code);
        await Target.Release(hold.Id!);
        Assert.Equal("running", await Target.Power(Vm));
        await Happened(PortOf("eth1"), "NicDetached", "PortTornDown", "PortDeleted");
        await NeverHappened(NicOf("eth0"), "NicDisconnectReceived");
    }

    [Fact]
    public async Task Nics_of_a_stopped_vm_come_and_go_in_its_definition_alone()
    {
        await Target.DefineVm(Vm, Nic("eth0"));
        Assert.True((await Target.AddNic(Vm, Nic("eth1") with { Type = NicType.Emulated })).Succeeded);
        Assert.Equal("vm.nic.exists", (await Target.AddNic(Vm, Nic("eth1"))).Refusal?.Code);
        Assert.True((await Target.RemoveNic(Vm, "eth0")).Succeeded);
        await NeverHappened(SwitchId, "OidQueued");
        await Target.StartVm(Vm);
        await Happened(NicOf("eth1"), "NicConnected");
        await NeverHappened(NicOf("eth0"), "NicCreateProposed");
    }

    [Fact]
    public async Task Emulated_nic_is_not_added_to_a_running_vm()
    {
        await Running();
        var refusal = (await Target.AddNic(Vm, Nic("eth1") with { Type = NicType.Emulated })).Refusal;
        Assert.Equal(("vm.nic.emulated", "switch.md 5.2"), (refusal?.Code, refusal?.Rule));
    }

    [Fact]
    public async Task Wrong_property_of_an_added_nic_is_refused_with_its_field()
    {
        await Running();
        Assert.Equal("properties[0].value.allowTeaming", (await Target.AddNic(Vm, Nic("eth1", null, Of(PropertyType.Security, "{\"allowTeaming\":1}")))).Refusal?.Field);
    }

    [Fact]
    public async Task Properties_of_a_running_vm_change_and_its_nics_stay_connected()
    {
        await Running(Nic("eth0", vlan: 7));
        Assert.True((await Target.DefineVm(Vm, Nic("eth0", vlan: 8, Spoofing))).Succeeded);
        await IsEnforced("eth0", new VlanPolicy.Access(8), spoofing: true);
        Assert.True((await Target.DefineVm(Vm, Nic("eth0"))).Succeeded);
        await IsEnforced("eth0", new VlanPolicy.Untagged());
        await NeverHappened(NicOf("eth0"), "NicDisconnectReceived");
        await Target.StopVm(Vm);
        await Target.Power(Vm);
        await Target.StartVm(Vm);
        await IsEnforced("eth0", new VlanPolicy.Untagged()); // the last definition is the VM's
    }

    [Fact]
    public async Task Refused_change_of_a_running_vm_is_undone_newest_first_and_its_definition_stays()
    {
        await Running(Nic("eth0", vlan: 7));
        await DefineThree(forward: Answers(OidCode.PortPropertyAdd));
        Assert.Equal("oid.refused", (await Target.DefineVm(Vm, Nic("eth0", vlan: 8, Spoofing))).Refusal?.Code);
        await IsEnforced("eth0", new VlanPolicy.Access(7));
        Assert.True((await Target.DefineVm(Vm, Nic("eth0", vlan: 8, Spoofing))).Succeeded);
        await IsEnforced("eth0", new VlanPolicy.Access(8), spoofing: true);
    }

    [Fact]
    public async Task Anything_else_of_a_running_vm_needs_a_stop()
    {
        await Running();
        Assert.Equal("vm.define.running", (await Target.DefineVm(Vm, Nic("eth0") with { Mtu = 9_000 })).Refusal?.Code);
        Assert.Equal("vm.define.running", (await Target.DefineVm(Vm, Nic("eth0"), Nic("eth1"))).Refusal?.Code);
        Assert.True((await Target.DefineVm(Vm, Nic("eth0"))).Succeeded); // as it is
    }

    async Task Running(NicDefinition? nic = null)
    {
        await Target.DefineVm(Vm, nic ?? Nic("eth0"));
        Assert.True((await Target.StartVm(Vm)).Succeeded);
    }

    async Task IsEnforced(string nic, VlanPolicy vlan, bool spoofing = false)
    {
        var (seen, wanted) = (await Target.Port(PortOf(nic)), new PortPolicy(vlan, spoofing, []).Digest);
        Assert.Equal((wanted, wanted, true), (seen.Wanted, seen.Observed, seen.Ready));
    }

    static PropertyParameters Spoofing => Of(PropertyType.Security, "{\"allowMacSpoofing\":true}");

    static PropertyParameters Of(PropertyType type, string value) => new(type, "i1", Value: JsonElement.Parse(value));

    NicDefinition Nic(string name, int? vlan = null, params PropertyParameters[] properties) => new(
        name, Target.Switch, NicType.Synthetic, MacAddress.ForNic(Vm, name), Vlan: vlan, Properties: properties.Length == 0 ? null : properties);

    EntityId NicOf(string nic) => EntityId.Nic(Vm, nic);

    EntityId PortOf(string nic) => EntityId.Port(Target.Host, Target.Switch, $"{Vm}--{nic}");
}
