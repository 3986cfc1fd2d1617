namespace ControlPlane.Api.Tests;

[Collection(Shared.Name)]
public sealed class VmStoryTests(RunningControlPlane plane)
{
    [Fact]
    public async Task A_vm_starts_and_its_port_and_nic_are_ready()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);

        var started = await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        Assert.Equal(200, started.Status);
        Assert.Equal("done", started.Body.Text("state"));
        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
        var nic = (await plane.Get($"/v1/nics/{vm}/eth0")).Body;
        Assert.Equal(("Connected", "True"), (nic.Text("state"), nic.Text("ready")));
        var attachment = nic.GetProperty("attachments")[0];
        Assert.Equal(("hv01", sw, attachment.Text("wantedRevision")), (attachment.Text("host"), attachment.Text("switch"), attachment.Text("appliedRevision")));
        var port = (await plane.Get($"/v1/ports/hv01/{sw}/{vm}--eth0")).Body;
        Assert.Equal(("Created", "1", "True"), (port.Text("state"), port.Text("incarnation"), port.Text("ready")));
    }

    [Fact]
    public async Task A_vm_stops_and_nothing_of_it_is_left_on_the_switch()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        var stopped = await plane.Post($"/v1/vms/{vm}/stop?wait=30s");

        Assert.Equal("done", stopped.Body.Text("state"));
        Assert.Empty((await plane.Get($"/v1/hosts/hv01/switches/{sw}/ports")).Body.GetProperty("items").EnumerateArray());
        Assert.Empty((await plane.Get($"/v1/hosts/hv01/switches/{sw}/nics")).Body.GetProperty("items").EnumerateArray());
        Assert.Equal(404, (await plane.Get($"/v1/ports/hv01/{sw}/{vm}--eth0")).Status);
        Assert.Equal("Absent", (await plane.Get($"/v1/nics/{vm}/eth0")).Body.Text("state"));
        Assert.Equal(204, (await plane.Delete($"/v1/vms/{vm}")).Status);
        Assert.Equal(404, (await plane.Get($"/v1/vms/{vm}")).Status);
        Assert.Equal(204, (await plane.Delete($"/v1/hosts/hv01/switches/{sw}")).Status);
    }

    [Fact]
    public async Task A_refused_start_names_the_extension_and_leaves_nothing()
    {
        var sw = await plane.Switch(body: new { kind = "private", extensions = new[] { new { name = "filter.quota", @class = "filter", settings = new { maxPorts = 0 } } } });
        var vm = await plane.Vm(sw);

        var told = await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        Assert.Equal("refused", told.Body.Text("state"));
        Assert.Contains("filter.quota", told.Body.GetProperty("problem").Text("detail"), StringComparison.Ordinal);
        Assert.Equal("stopped", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
    }

    [Fact]
    public async Task A_vm_whose_switch_is_not_defined_does_not_start()
    {
        var vm = await plane.Vm("nowhere");

        var told = await plane.Post($"/v1/vms/{vm}/start");

        Assert.Equal((422, "vm.switch.unknown"), (told.Status, told.Code));
    }

    [Fact]
    public async Task The_past_is_shown_as_it_was()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        var stopped = (await plane.Get($"/v1/vms/{vm}")).Body.Text("updated");
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        var now = (await plane.Get($"/v1/vms/{vm}")).Body.Text("updated");

        Assert.Equal("stopped", (await plane.Get($"/v1/vms/{vm}?at={stopped}")).Body.Text("state"));
        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}?at=2100-01-01T00:00:00Z")).Body.Text("state"));
        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}?at={now}")).Body.Text("state"));
        Assert.Equal(404, (await plane.Get($"/v1/vms/{vm}?at=2001-01-01T00:00:00Z")).Status);
    }

    [Fact]
    public async Task History_and_correlation_tell_what_happened_and_who_did_it()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        var key = Guid.NewGuid();
        await plane.Post($"/v1/vms/{vm}/start?wait=30s", key: key);

        var history = (await plane.Get($"/v1/nics/{vm}/eth0/history")).Body.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(["NicCreateProposed", "NicCreated", "NicConnectProposed", "NicConnected"], history.Select(happened => happened.Text("type")));
        Assert.All(history, happened => Assert.Equal("operator:admin", happened.Text("who")));

        var all = (await plane.Get($"/v1/events?correlation={key}&limit=1000")).Body.GetProperty("items").EnumerateArray().ToList();
        Assert.Contains(all, happened => happened.Text("actor") == $"port/hv01/{sw}/{vm}--eth0");
        Assert.Contains(all, happened => happened.Text("type") == "OidCompleted" && happened.Text("oid") == "OID_SWITCH_NIC_CONNECT");
        Assert.Equal("vm.start", (await plane.Get($"/v1/operations/{key}")).Body.Text("kind"));
    }

    [Fact]
    public async Task A_stop_waits_for_a_hold_and_is_done_after_its_release()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        var hold = await plane.Post($"/v1/hosts/hv01/switches/{sw}/holds", new { holder = "probe", target = new { portId = 1, nicIndex = 0 }, purpose = "test" });
        Assert.Equal(201, hold.Status);

        var stopping = await plane.Post($"/v1/vms/{vm}/stop?wait=200ms");
        Assert.Equal(202, stopping.Status);
        Assert.Equal("running", stopping.Body.Text("state"));
        Assert.Equal("probe", (await plane.Get($"/v1/nics/{vm}/eth0")).Body.GetProperty("holds")[0].Text("holder"));

        Assert.Equal(204, (await plane.Delete($"/v1/hosts/hv01/switches/{sw}/holds/{hold.Body.Text("id")}")).Status);
        Assert.Equal(404, (await plane.Delete($"/v1/hosts/hv01/switches/{sw}/holds/{hold.Body.Text("id")}")).Status);
        await plane.Until($"{stopping.Location}", operation => operation.Text("state") == "done");
    }

    [Fact]
    public async Task A_planted_fault_makes_an_alarm_that_says_what_to_do()
    {
        var sw = await plane.Switch("hv02");
        var vm = await plane.Vm(sw, "hv02");
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        var planted = await plane.Post("/v1/hosts/hv02/faults", new { verb = "DisconnectNic", status = "NDIS_STATUS_FAILURE", times = 1 });
        Assert.Equal(200, planted.Status);
        var hold = await plane.Post($"/v1/hosts/hv02/switches/{sw}/holds", new { holder = "probe", target = new { portId = 1, nicIndex = 0 } });

        await plane.Post($"/v1/vms/{vm}/stop");

        var alarms = await plane.Until("/v1/alarms?limit=1000", body => body.GetProperty("items").EnumerateArray()
            .Any(alarm => alarm.Text("actor") == $"nic/{vm}/eth0" && alarm.Text("code") == "nic.edge-fault"));
        Assert.NotEmpty(alarms.GetProperty("items")[0].Text("action")!);
        await plane.Delete($"/v1/hosts/hv02/switches/{sw}/holds/{hold.Body.Text("id")}");
        await plane.Until($"/v1/vms/{vm}", body => body.Text("state") == "stopped");
        await plane.Until("/v1/alarms?limit=1000", body => !body.GetProperty("items").EnumerateArray().Any(alarm => alarm.Text("actor") == $"nic/{vm}/eth0"));
    }
}
