using System.Text.Json;
using Akka.Actor;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Api.Tests;

[Collection(Shared.Name)]
public sealed class ConventionTests(RunningControlPlane plane)
{
    [Fact]
    public async Task B26_a_key_repeated_a_thousand_times_at_once_has_one_effect_and_one_answer()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        var key = Guid.NewGuid();

        var all = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => plane.Post($"/v1/vms/{vm}/start", key: key)));

        Assert.All(all, told => Assert.Equal((202, key.ToString()), (told.Status, told.Body.Text("id"))));
        await plane.Until($"/v1/operations/{key}", operation => operation.Text("state") == "done");
        var history = (await plane.Get($"/v1/vms/{vm}/history")).Body.GetProperty("items").EnumerateArray();
        Assert.Single(history, happened => happened.Text("type") == "VmStartRequested");
    }

    [Fact]
    public async Task The_same_key_with_another_body_or_path_is_refused()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        var key = Guid.NewGuid();
        var path = $"/v1/hosts/hv01/switches/{sw}/holds";
        var first = await plane.Post(path, new { holder = "a", target = new { portId = 1 } }, key);

        Assert.Equal(201, first.Status);
        Assert.Equal(first.Body.Text("id"), (await plane.Post(path, """{ "target":{"portId":1}, "holder":"a" }""", key)).Body.Text("id"));
        Assert.Equal((422, "idempotency.mismatch"), Of(await plane.Post(path, new { holder = "b", target = new { portId = 1 } }, key)));
        Assert.Equal((422, "idempotency.mismatch"), Of(await plane.Post($"/v1/vms/{vm}/stop", key: key)));
    }

    [Fact]
    public async Task B29_a_stale_revision_is_refused_and_says_the_present_one()
    {
        var sw = await plane.Switch();
        var path = $"/v1/hosts/hv01/switches/{sw}";
        var before = (await plane.Get(path)).ETag;
        var changed = await plane.Put(path, new { kind = "private", drift = "repair" }, request => request.Headers.TryAddWithoutValidation("If-Match", before));
        Assert.Equal(200, changed.Status);
        Assert.NotEqual(before, changed.ETag);

        var stale = await plane.Put(path, new { kind = "private" }, request => request.Headers.TryAddWithoutValidation("If-Match", before));

        Assert.Equal((412, "revision.stale"), Of(stale));
        Assert.Contains(changed.ETag!.Trim('"'), stale.Body.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(changed.ETag, (await plane.Get(path)).ETag);
    }

    [Fact]
    public async Task What_was_written_is_what_is_read_next()
    {
        for (var n = 0; n < 20; n++)
        {
            var name = $"w{Guid.NewGuid():N}"[..12];
            Assert.Equal(201, (await plane.Put($"/v1/vms/{name}", new { host = "hv01", nics = Array.Empty<object>() })).Status);
            Assert.Equal(200, (await plane.Get($"/v1/vms/{name}")).Status);
            Assert.Equal(204, (await plane.Delete($"/v1/vms/{name}")).Status);
            Assert.Equal(404, (await plane.Get($"/v1/vms/{name}")).Status);
        }
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_stored_and_changes_nothing()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);

        var told = await plane.Post($"/v1/vms/{vm}/start?dryRun=true");

        Assert.Equal((200, "True"), (told.Status, told.Body.Text("dryRun")));
        Assert.Equal("VmStartRequested", told.Body.GetProperty("wouldStore")[0].GetString());
        Assert.Equal("stopped", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
        Assert.Equal((409, "vm.stop.stopped"), Of(await plane.Post($"/v1/vms/{vm}/stop?dryRun=true")));
        Assert.Equal(404, (await plane.Get("/v1/hosts/hv01/switches/never")).Status);
        Assert.Equal(200, (await plane.Put("/v1/hosts/hv01/switches/never?dryRun=true", new { kind = "private" })).Status);
        Assert.Equal(404, (await plane.Get("/v1/hosts/hv01/switches/never")).Status);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repeat()
    {
        var names = new List<string>();
        for (var n = 0; n < 7; n++)
        {
            names.Add($"page-{Guid.NewGuid():N}"[..20]);
            await plane.Put($"/v1/vms/{names[^1]}", new { host = "hv02", nics = Array.Empty<object>() });
        }

        var seen = new List<string>();
        string? token = null;
        do
        {
            var page = (await plane.Get($"/v1/vms?limit=3{(token is null ? "" : $"&pageToken={token}")}")).Body;
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(vm => vm.Text("name")!));
            token = page.Text("nextPageToken");
        }
        while (token is not null);

        Assert.Equal(seen.Distinct().Order(StringComparer.Ordinal), seen);
        Assert.Superset(names.ToHashSet(), seen.ToHashSet());
    }

    [Fact]
    public async Task B32_a_page_token_of_another_list_or_caller_is_refused()
    {
        var token = (await plane.Get("/v1/events?limit=1")).Body.Text("nextPageToken")!;
        var changed = (token[0] == 'A' ? 'B' : 'A') + token[1..];

        Assert.Equal(200, (await plane.Get($"/v1/events?limit=5&pageToken={token}")).Status);
        Assert.Equal((400, "query.pageToken"), Of(await plane.Get($"/v1/events?limit=1&pageToken={changed}")));
        Assert.Equal((400, "query.pageToken"), Of(await plane.Get($"/v1/events?limit=1&type=VmDefined&pageToken={token}")));
        Assert.Equal((400, "query.pageToken"), Of(await plane.Get($"/v1/vms?pageToken={token}")));
        var asNobody = await plane.Raw(new HttpRequestMessage(HttpMethod.Get, new Uri(plane.Address, $"/v1/events?limit=1&pageToken={token}")));
        Assert.Equal((400, "query.pageToken"), Of(asNobody));
    }

    [Fact]
    public async Task The_same_request_id_gives_the_recorded_answer_and_no_second_event()
    {
        var sw = await plane.Switch();
        var id = Guid.NewGuid().ToString("N");
        var first = await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 7, new { portName = "p7" }, id);
        Assert.Equal((200, "NDIS_STATUS_SUCCESS", "Created"), (first.Status, first.Body.Text("status"), first.Body.Text("portState")));
        var before = (await plane.Get($"/v1/hosts/hv01/switches/{sw}/history?limit=1000")).Body.GetProperty("items").GetArrayLength();

        var again = await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 7, new { portName = "p7" }, id);

        Assert.Equal(first.Body.GetRawText(), again.Body.GetRawText());
        Assert.Equal(before, (await plane.Get($"/v1/hosts/hv01/switches/{sw}/history?limit=1000")).Body.GetProperty("items").GetArrayLength());
        Assert.Equal((422, "idempotency.mismatch"), Of(await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 8, new { portName = "p8" }, id)));
    }

    [Fact]
    public async Task A_repeat_is_answered_from_the_record_also_when_the_switch_is_gone()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        var key = Guid.NewGuid();
        var first = await plane.Post($"/v1/vms/{vm}/start?wait=30s", key: key);
        await plane.Post($"/v1/vms/{vm}/stop?wait=30s");
        Assert.Equal(204, (await plane.Delete($"/v1/hosts/hv01/switches/{sw}")).Status);

        var again = await plane.Post($"/v1/vms/{vm}/start?wait=30s", key: key);

        Assert.Equal((200, first.Body.GetRawText()), (again.Status, again.Body.GetRawText()));
        Assert.Equal((422, "vm.switch.unknown"), Of(await plane.Post($"/v1/vms/{vm}/start")));
    }

    [Fact]
    public async Task The_alarm_of_an_entity_that_failed_ends_when_it_stores_something_again()
    {
        var sw = await plane.Switch();
        var id = EntityId.Switch("hv01", sw);
        plane.Services.GetRequiredService<ActorSystem>().EventStream.Publish(new EntityFault(id, FaultKind.Unreadable, "planted"));
        await plane.Until("/v1/alarms?limit=1000", alarms => HasFault(alarms));

        await plane.Put($"/v1/hosts/hv01/switches/{sw}", new { kind = "private", drift = "repair" });

        await plane.Until("/v1/alarms?limit=1000", alarms => !HasFault(alarms));

        bool HasFault(JsonElement alarms) => alarms.GetProperty("items").EnumerateArray()
            .Any(alarm => alarm.GetRawText().Contains(id.Text, StringComparison.Ordinal) && alarm.Text("code") == "entity.unreadable");
    }

    [Fact]
    public async Task An_illegal_oid_is_a_conflict_with_its_rule_and_an_audit_event()
    {
        var sw = await plane.Switch();

        var told = await plane.Oid(sw, "OID_SWITCH_NIC_CONNECT", 3);

        Assert.Equal((409, "port.absent", "X01"), (told.Status, told.Code, told.Body.Text("rule")));
        var history = (await plane.Get($"/v1/hosts/hv01/switches/{sw}/history?limit=1000")).Body.GetProperty("items").EnumerateArray();
        Assert.Contains(history, happened => happened.Text("type") == "OidRejected");
    }

    [Fact]
    public async Task B70_a_request_after_its_own_deadline_is_not_begun()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);

        var told = await plane.Post($"/v1/vms/{vm}/start", with: request => request.Headers.Add("Request-Deadline", "2020-01-01T00:00:00Z"));

        Assert.Equal((504, "request.expired"), Of(told));
        Assert.Equal("stopped", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
    }

    static (int, string?) Of(Told told) => (told.Status, told.Code);
}
