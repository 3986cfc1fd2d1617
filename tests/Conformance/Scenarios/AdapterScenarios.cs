using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.1 L07 to L12 and 3.4 G7 to G9: external and internal adapters.</summary>
public abstract class AdapterScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task L07_Uplink_is_usable_only_after_the_first_physical_adapter_is_connected()
    {
        await CreatePort(type: PortType.External);
        Assert.False((await Create(0)).UplinkUsable);
        Assert.False((await Create(1)).UplinkUsable);
        Assert.False((await Does(OidCode.NicConnect)).UplinkUsable);
        Assert.True((await Does(OidCode.NicConnect, index: 1)).UplinkUsable);
    }

    [Fact]
    public async Task L08_External_adapter_stops_physical_adapters_first()
    {
        await StartUplink(physical: 1);
        Assert.False((await Does(OidCode.NicDisconnect, index: 1)).UplinkUsable);
        await Does(OidCode.NicDelete, index: 1);
        await Does(OidCode.NicDisconnect);
        await Does(OidCode.NicDelete);
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortDelete);
        await Happened(PortId(), "PortCreated", "NicDetached", "NicDetached", "PortTornDown", "PortDeleted");
    }

    [Fact]
    public async Task L09_Team_of_four_is_five_nics_on_one_port()
    {
        await StartUplink(physical: 4);
        for (var index = 0; index <= 4; index++)
        {
            await Happened(EntityId.HostNic(Target.Host, Target.Switch, PortName(P), index), "NicCreated", "NicConnected");
        }
        Assert.Single(await Target.Events(PortId()), "PortCreated");
    }

    [Fact]
    public async Task L10_Team_below_the_switch_is_one_physical_adapter()
    {
        await StartUplink(physical: 1);
        var listed = (await Does(OidCode.NicArray, 0)).Output!.Value.GetProperty("elements").EnumerateArray().ToList();
        Assert.Equal(
            [$"nic/{Target.Host}/{Target.Switch}/port-7/0", $"nic/{Target.Host}/{Target.Switch}/port-7/1"], listed.Select(nic => nic.GetProperty("nic").GetString()));
        Assert.Equal([(P, 0), (P, 1)], listed.Select(nic => (nic.GetProperty("portId").GetUInt32(), nic.GetProperty("nicIndex").GetInt32())));
    }

    [Fact]
    public async Task L12_Internal_adapter_has_the_ladder_of_a_vm_nic()
    {
        await CreatePort(type: PortType.Internal);
        Assert.Null((await Does(OidCode.NicCreate, parameters: HostNic(NicType.Internal))).UplinkUsable);
        await ConnectNic();
        await DisconnectNic();
        await DeleteNic();
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortDelete);
        await Happened(
            EntityId.HostNic(Target.Host, Target.Switch, PortName(P), 0), "NicCreated", "NicConnected", "NicDisconnected", "NicDeleted");
    }

    [Fact]
    public async Task L12_Switch_has_several_internal_adapters()
    {
        foreach (var port in new[] { P, Q })
        {
            await CreatePort(port, PortType.Internal);
            await Does(OidCode.NicCreate, port, parameters: HostNic(NicType.Internal));
            await ConnectNic(port);
        }
    }

    [Fact]
    public async Task G7_Physical_adapter_is_not_created_before_the_external_one()
    {
        await CreatePort(type: PortType.External);
        await Rejects("nic.create.no-default", "G7", () => Try(OidCode.NicCreate, index: 1, parameters: HostNic(NicType.External)));
    }

    [Fact]
    public async Task G7_Physical_adapter_is_not_connected_before_the_external_one()
    {
        await CreatePort(type: PortType.External);
        await Create(0);
        await Create(1);
        await Rejects("nic.connect.no-default", "G7", () => Try(OidCode.NicConnect, index: 1));
        await Does(OidCode.NicConnect);
        await Does(OidCode.NicConnect, index: 1);
    }

    [Fact]
    public async Task G7_Member_joins_a_team_that_is_up()
    {
        await StartUplink(physical: 1);
        await Create(2);
        Assert.True((await Does(OidCode.NicConnect, index: 2)).UplinkUsable);
        await Does(OidCode.NicDisconnect, index: 1);
        await Does(OidCode.NicDelete, index: 1);
    }

    [Theory]
    [InlineData("nic.disconnect.physical-present")]
    [InlineData("nic.delete.physical-present")]
    public async Task G8_External_adapter_goes_after_its_physical_ones(string code)
    {
        await StartUplink(physical: 1);
        await Does(OidCode.NicDisconnect, index: 1);
        await Rejects(code, "G8", () => Try(code.Contains("delete", StringComparison.Ordinal) ? OidCode.NicDelete : OidCode.NicDisconnect));
    }

    [Fact]
    public async Task X18_External_port_has_no_index_above_32()
    {
        await StartUplink(physical: 1);
        await Rejects("nic.create.index", "X18", () => Try(OidCode.NicCreate, index: 33, parameters: HostNic(NicType.External)));
        await Create(32);
    }

    [Theory]
    [InlineData(PortType.External)]
    [InlineData(PortType.Generic)]
    public async Task X20_Switch_has_one_external_adapter(PortType second)
    {
        await StartUplink(physical: 1);
        await CreatePort(Q, second);
        await Rejects("nic.create.second-external", "X20", () => Try(OidCode.NicCreate, Q, parameters: HostNic(NicType.External)));
    }

    [Fact]
    public async Task Nic_of_an_index_above_zero_may_not_be_refused()
    {
        await CreatePort(type: PortType.External);
        await Create(0);
        await DefineThree(forward: Answers(OidCode.NicCreate));
        Assert.Equal("X28", Assert.Single((await Create(1)).Faults).Rule);
    }

    Task<OidOutcome> Create(int index) => Does(OidCode.NicCreate, index: index, parameters: HostNic(NicType.External));

    async Task StartUplink(int physical)
    {
        await CreatePort(type: PortType.External);
        for (var index = 0; index <= physical; index++)
        {
            await Create(index);
        }
        for (var index = 0; index <= physical; index++)
        {
            await Does(OidCode.NicConnect, index: index);
        }
    }
}
