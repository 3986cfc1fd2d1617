using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.6: duplicates, late and early requests, malformed ones.</summary>
public abstract class OrderScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task O01_Repeat_of_a_request_is_one_event_and_the_same_answer()
    {
        var request = NextRequest();
        var first = await Does(OidCode.PortCreate, parameters: Port(), request: request);
        await Connected(Q);
        var again = await Does(OidCode.PortCreate, parameters: Port(), request: request);
        Assert.Equal((first.RequestId, first.PortId, first.PortState), (again.RequestId, again.PortId, again.PortState));
        Assert.Single(await Target.Events(PortId()), "PortCreated");
    }

    [Fact]
    public async Task O01_Repeat_of_a_rejected_request_is_rejected_again_and_recorded_once()
    {
        var request = NextRequest();
        await Rejects("port.absent", "X25", () => Try(OidCode.PortTeardown, request: request));
        await CreatePort();
        var again = await Try(OidCode.PortTeardown, request: request);
        Assert.Equal("port.absent", again.Refusal?.Code);
        Assert.Equal(1, await Times("OidRejected"));
    }

    [Fact]
    public async Task O04_Late_update_of_a_deleted_nic_is_rejected()
    {
        await Disconnected();
        await DeleteNic();
        await Rejects("nic.absent", "O04", () => Try(OidCode.NicUpdated, parameters: Nic()));
    }

    [Fact]
    public async Task O13_Request_without_its_structure_is_rejected()
    {
        await Rejects("oid.parameters", "O13", () => Try(OidCode.PortCreate));
        await CreatePort();
        await Rejects("oid.parameters", "O13", () => Try(OidCode.NicCreate));
        await Rejects("oid.parameters", "O13", () => Try(OidCode.PortUpdated));
        await Rejects("oid.parameters", "O13", () => Try(OidCode.PortPropertyAdd));
        await Rejects("oid.parameters", "O13", () => Try(OidCode.NicRequest));
        await CreateNic();
        await ConnectNic();
        await Rejects("oid.parameters", "O13", () => Try(OidCode.NicUpdated));
    }

    [Fact]
    public async Task F11_Unknown_code_is_forwarded_and_changes_nothing()
    {
        await Connected();
        var before = await Target.Picture();
        await Does(new OidCode(0x000102ff));
        Assert.Equal(before, await Target.Picture());
    }

    [Fact]
    public async Task Port_of_a_vm_gets_a_free_id_whatever_ids_a_peer_chose()
    {
        await CreatePort(uint.MaxValue - 1);
        await Does(OidCode.PortCreate, 0, parameters: Port(name: "a"));
        await Does(OidCode.PortCreate, 0, parameters: Port(name: "b"));
        await CreatePort(uint.MaxValue == (await Ids()).Max() ? 3 : uint.MaxValue);
        await Does(OidCode.PortCreate, 0, parameters: Port(name: "c"));
        Assert.Equal(5, (await Ids()).Distinct().Count());
    }

    [Fact]
    public async Task Name_of_any_kind_is_kept_as_data()
    {
        var name = "{A1B2}-Üb er";
        await CreatePort(name: name);
        await Rejects("port.create.name", "X15", () => Try(OidCode.PortCreate, Q, parameters: Port(name: name)));
    }

    async Task<uint[]> Ids() =>
        [.. (await Does(OidCode.PortArray, 0)).Output!.Value.GetProperty("elements").EnumerateArray().Select(port => port.GetProperty("portId").GetUInt32())];
}
