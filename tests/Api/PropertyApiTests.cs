using System.Text.Json;

namespace ControlPlane.Api.Tests;

/// <summary>Properties and the NICs of a VM as a client of the API sees them.</summary>
[Collection(Shared.Name)]
public sealed class PropertyApiTests(RunningControlPlane plane)
{
    [Fact]
    public async Task A_port_shows_its_properties_who_enforces_them_and_what_the_host_enforces()
    {
        var sw = await plane.Switch();
        var vm = await Vm(sw, new { name = "eth0", @switch = sw, vlan = 7, properties = new object[] { new { propertyType = "Custom", propertyId = "11111111-2222-4333-8444-555555555555", value = "gold" } } });
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        var port = (await plane.Get($"/v1/ports/hv01/{sw}/{vm}--eth0")).Body;

        var properties = port.GetProperty("properties").EnumerateArray().ToList();
        var vlan = properties.Single(property => property.Text("propertyType") == "Vlan");
        Assert.Equal(("vlan", "miniport-edge"), (vlan.Text("propertyInstanceId"), vlan.Text("enforcedBy")));
        var custom = properties.Single(property => property.Text("propertyType") == "Custom");
        Assert.Equal(JsonValueKind.Null, custom.GetProperty("enforcedBy").ValueKind); // said, and not left out
        var policy = port.GetProperty("policy");
        Assert.Equal((policy.Text("wanted"), policy.Text("wanted")), (policy.Text("applied"), policy.Text("observed")));
        Assert.Equal("7", policy.GetProperty("effective").GetProperty("vlan").Text("id"));
        Assert.Equal("True", port.Text("ready"));
    }

    [Fact]
    public async Task A_vm_shows_what_it_is_defined_with()
    {
        var sw = await plane.Switch();
        var vm = await Vm(sw, new { name = "eth0", @switch = sw, vlan = 7, properties = new object[] { new { propertyType = "Security", value = new { allowMacSpoofing = true } } } });

        var nic = (await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics")[0];

        Assert.Equal("7", nic.Text("vlan"));
        Assert.Equal(("Security", "1"), (nic.GetProperty("properties")[0].Text("propertyType"), nic.GetProperty("properties")[0].Text("propertyInstanceId")));
    }

    [Fact]
    public async Task A_nic_is_added_to_a_running_vm_and_taken_away_again()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        var added = await plane.Post($"/v1/vms/{vm}/nics?wait=30s", new { name = "eth1", @switch = sw });
        Assert.Equal((200, "done", "vm.nic.add"), (added.Status, added.Body.Text("state"), added.Body.Text("kind")));
        Assert.Equal("True", (await plane.Get($"/v1/nics/{vm}/eth1")).Body.Text("ready"));
        Assert.Equal(2, (await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics").GetArrayLength());

        var removed = await plane.Delete($"/v1/vms/{vm}/nics/eth1?wait=30s");
        Assert.Equal((200, "done", "vm.nic.remove"), (removed.Status, removed.Body.Text("state"), removed.Body.Text("kind")));
        Assert.Equal(1, (await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics").GetArrayLength());
        Assert.Equal((404, "nic.absent"), Of(await plane.Delete($"/v1/vms/{vm}/nics/eth1")));
        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
    }

    [Fact]
    public async Task A_repeated_add_is_done_once()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        var key = Guid.NewGuid();
        var first = await plane.Post($"/v1/vms/{vm}/nics?wait=30s", new { name = "eth1", @switch = sw }, key);
        var second = await plane.Post($"/v1/vms/{vm}/nics?wait=30s", new { name = "eth1", @switch = sw }, key);
        Assert.Equal((200, first.Body.Text("id")), (second.Status, second.Body.Text("id")));
        Assert.Equal(2, (await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics").GetArrayLength());
    }

    [Fact]
    public async Task What_cannot_be_added_is_refused_with_its_reason()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        Assert.Equal((409, "vm.nic.exists"), Of(await plane.Post($"/v1/vms/{vm}/nics", new { name = "eth0", @switch = sw })));
        Assert.Equal((409, "vm.nic.emulated"), Of(await plane.Post($"/v1/vms/{vm}/nics", new { name = "eth1", @switch = sw, type = "emulated" })));
        Assert.Equal((422, "vm.switch.unknown"), Of(await plane.Post($"/v1/vms/{vm}/nics", new { name = "eth1", @switch = "nowhere" })));
        Assert.Equal((422, "nic.property"), Of(await plane.Post($"/v1/vms/{vm}/nics", new { name = "eth1", @switch = sw, properties = new[] { new { propertyType = "Vlan", value = new { operationMode = "trunk" } } } })));
        var dry = await plane.Post($"/v1/vms/{vm}/nics?dryRun=true", new { name = "eth1", @switch = sw });
        Assert.Equal((200, "VmChangeRequested"), (dry.Status, dry.Body.GetProperty("wouldStore")[0].GetString()));
        Assert.Equal(1, (await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics").GetArrayLength());
    }

    [Fact]
    public async Task Put_of_a_running_vm_changes_its_vlan_at_once()
    {
        var sw = await plane.Switch();
        var vm = await Vm(sw, new { name = "eth0", @switch = sw, vlan = 7 });
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        var told = await plane.Put($"/v1/vms/{vm}", new { host = "hv01", nics = new[] { new { name = "eth0", @switch = sw, vlan = 8 } } });

        Assert.Equal((200, "running"), (told.Status, told.Body.Text("state")));
        Assert.Equal("8", told.Body.GetProperty("nics")[0].Text("vlan"));
        var port = (await plane.Get($"/v1/ports/hv01/{sw}/{vm}--eth0")).Body;
        Assert.Equal("8", port.GetProperty("policy").GetProperty("effective").GetProperty("vlan").Text("id"));
        Assert.Equal("True", port.Text("ready"));
    }

    [Fact]
    public async Task A_refusal_by_the_edge_names_the_field_and_the_rule()
    {
        var sw = await plane.Switch();
        await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 7, new { portName = "p7" });
        var told = await plane.Oid(sw, "OID_SWITCH_PORT_PROPERTY_ADD", 7, new { propertyType = "Vlan", propertyInstanceId = "i", value = new { operationMode = "access" } });
        Assert.Equal((200, "NDIS_STATUS_INVALID_PARAMETER"), (told.Status, told.Body.Text("status")));
        var by = told.Body.GetProperty("refusedBy");
        Assert.Equal(("miniport-edge", "value.accessVlanId", "switch.md 2.1"), (by.Text("extension"), by.Text("field"), by.Text("rule")));
    }

    static (int, string?) Of(Told told) => (told.Status, told.Code);

    async Task<string> Vm(string sw, object nic)
    {
        var name = $"v{Guid.NewGuid():N}"[..12];
        var told = await plane.Put($"/v1/vms/{name}", new { host = "hv01", nics = new[] { nic } });
        Assert.True(told.Status == 201, $"{sw}: {told}");
        return name;
    }
}
