using System.Text.Json;

namespace ControlPlane.Api.Tests;

/// <summary>The move of a VM as its callers see it: what is answered, what is shown, and what is refused.</summary>
[Collection(Shared.Name)]
public sealed class MigrationApiTests(RunningControlPlane plane)
{
    [Fact]
    public async Task A_vm_moves_and_the_migration_shows_its_stages_its_blackout_and_a_certificate()
    {
        var (vm, sw) = await Running();
        var key = Guid.NewGuid();
        var told = await plane.Post($"/v1/vms/{vm}/migrations", new { destination = "hv02", maxBlackoutMs = 60_000 }, key);
        Assert.Equal((202, $"/v1/operations/{key}", $"{vm}~1"), (told.Status, told.Location, told.Body.Text("migration")));

        var done = (await plane.Get($"/v1/operations/{key}?wait=30s")).Body;
        Assert.Equal(("done", "vm.migrate", $"{vm}~1"), (done.Text("state"), done.Text("kind"), done.Text("migration")));
        var migration = await plane.Until($"/v1/migrations/{vm}~1", seen => seen.Text("ended") is not null);

        Assert.Equal(("completed", "M13", "hv01", "hv02", "hv02"), (migration.Text("state"), migration.Text("stage"), migration.Text("source"),
            migration.Text("destination"), migration.Text("host")));
        Assert.Equal(("strict", "none", "2", "False"), (migration.Text("mode"), migration.Text("guest"), migration.Text("epoch"), migration.Text("degraded")));
        Assert.Equal(
            ["M0", "M0", "M1", "M2", "M3", "M4", "M5", "M6", "M6", "M7", "M8", "M9", "M10", "M11", "M12", "M13"],
            migration.GetProperty("stages").EnumerateArray().Select(stage => stage.Text("stage")));
        var nic = Assert.Single(migration.GetProperty("nics").EnumerateArray());
        Assert.Equal("announce", nic.GetProperty("done").EnumerateArray().Last().Text("step"));
        Assert.Empty(nic.GetProperty("remaining").EnumerateArray());
        var blackout = migration.GetProperty("blackoutMs").GetDouble();
        Assert.Equal((nic.GetProperty("openedAt").GetDateTimeOffset() - nic.GetProperty("closedAt").GetDateTimeOffset()).TotalMilliseconds, blackout, 0.01);
        Assert.InRange(blackout, 0.001, 60_000);
        var certificate = migration.GetProperty("certificate");
        Assert.Equal(("True", "hv02", "True", blackout), (certificate.Text("moved"), certificate.Text("host"), certificate.Text("maxBlackoutKept"),
            certificate.GetProperty("blackoutMs").GetDouble()));
        Assert.True(certificate.GetProperty("tookMs").GetDouble() >= blackout);

        var shown = (await plane.Get($"/v1/vms/{vm}")).Body;
        Assert.Equal(("running", "hv02", null), (shown.Text("state"), shown.Text("host"), shown.Text("migration")));
        Assert.Equal(0, (await plane.Get($"/v1/hosts/hv01/switches/{sw}")).Body.GetProperty("counts").GetProperty("ports").GetInt32());
        Assert.Contains("MigrationEnded", (await plane.Get($"/v1/migrations/{vm}~1/history?limit=1000")).Body.GetProperty("items").EnumerateArray()
            .Select(happened => happened.Text("type")));
    }

    [Fact]
    public async Task The_count_of_a_hosts_vms_follows_the_owner()
    {
        var (vm, _) = await Running();
        var (source, destination) = (await Vms("hv01"), await Vms("hv02"));
        await plane.Post($"/v1/vms/{vm}/migrations?wait=30s", new { destination = "hv02" });
        Assert.Equal((source - 1, destination + 1), (await Vms("hv01"), await Vms("hv02")));

        async Task<int> Vms(string host) => (await plane.Get($"/v1/hosts/{host}")).Body.GetProperty("counts").GetProperty("vms").GetInt32();
    }

    [Fact]
    public async Task A_migration_is_shown_as_it_was_at_a_time()
    {
        var (vm, _) = await Running();
        await plane.Post($"/v1/vms/{vm}/migrations?wait=30s", new { destination = "hv02" });
        var stages = (await plane.Until($"/v1/migrations/{vm}~1", seen => seen.Text("ended") is not null)).GetProperty("stages").EnumerateArray().ToList();
        var quiesced = stages.Single(stage => stage.Text("stage") == "M7").Text("at");
        var then = (await plane.Get($"/v1/migrations/{vm}~1?at={quiesced}")).Body;
        Assert.Contains(then.Text("stage"), (string[])["M7", "M8"]);
        Assert.Null(then.Text("ended"));
        Assert.Equal((404, "migration.absent"), Of(await plane.Get($"/v1/migrations/{vm}~1?at=2020-01-01T00:00:00Z")));
    }

    [Fact]
    public async Task A_dry_run_tells_everything_that_stands_against_it_and_changes_nothing()
    {
        var sw = await plane.Switch();
        var other = await plane.Switch();
        var vm = $"v{Guid.NewGuid():N}"[..12];
        Assert.Equal(201, (await plane.Put($"/v1/vms/{vm}", new
        {
            host = "hv01",
            nics = new object[] { new { name = "eth0", @switch = sw }, new { name = "eth1", @switch = other, requiredFeatures = (string[])["filter.acl", "forward.vlan"] } },
        })).Status);
        Assert.Equal(["vm.migrate.stopped", "migration.destination.same"], await Refusals(vm, "hv01"));
        Assert.Equal(["vm.migrate.stopped", "host.unknown"], await Refusals(vm, "hv77"));

        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        Assert.Equal(["migration.switch.absent", "migration.switch.absent"], await Refusals(vm, "hv02"));
        await OnDestination(sw);
        await OnDestination(other, new { kind = "private", extensions = (object[])[new { name = "filter.acl", @class = "filter", enabled = false }] });
        Assert.Equal(["migration.feature.absent", "migration.feature.absent"], await Refusals(vm, "hv02"));
        await plane.Put($"/v1/hosts/hv02/switches/{other}", new
        {
            kind = "private",
            extensions = (object[])[new { name = "filter.acl", @class = "filter" }, new { name = "forward.vlan", @class = "forward" }],
        });
        await plane.Oid(sw, "OID_SWITCH_NIC_DISCONNECT", 1);
        Assert.Equal(["migration.nic.not-connected"], await Refusals(vm, "hv02"));
        await plane.Post($"/v1/vms/{vm}/stop?wait=30s");
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        var told = await plane.Post($"/v1/vms/{vm}/migrations?dryRun=true", new { destination = "hv02" });
        Assert.Equal((200, "True", "True"), (told.Status, told.Body.Text("dryRun"), told.Body.Text("possible")));
        Assert.Equal(["VmMigrationStarted"], told.Body.GetProperty("wouldStore").EnumerateArray().Select(type => type.GetString()));
        Assert.Equal((404, "migration.absent"), Of(await plane.Get($"/v1/migrations/{vm}~1")));
        Assert.Equal("hv01", (await plane.Get($"/v1/vms/{vm}")).Body.Text("host"));
        Assert.Equal((404, "vm.absent"), Of(await plane.Post("/v1/vms/never/migrations?dryRun=true", new { destination = "hv02" })));
    }

    [Fact]
    public async Task A_guest_moved_from_outside_is_waited_for_and_the_open_migration_stands_at_the_vm()
    {
        var (vm, _) = await Running();
        var begun = await plane.Post($"/v1/vms/{vm}/migrations", new { destination = "hv02", guest = "external", deadlineSeconds = 60 });
        Assert.Equal(202, begun.Status);
        var path = $"/v1/migrations/{vm}~1";
        await plane.Until(path, seen => seen.Text("state") == "copying");
        Assert.Equal($"{vm}~1", (await plane.Get($"/v1/vms/{vm}")).Body.Text("migration"));
        Assert.Equal((409, "vm.migrate.migrating"), Of(await plane.Post($"/v1/vms/{vm}/migrations", new { destination = "hv02" })));
        Assert.Equal(["vm.migrate.migrating"], await Refusals(vm, "hv02"));
        Assert.Equal((409, "migration.guest.copying"), Of(await plane.Post($"{path}/guest", new { @event = "resumed" })));

        var paused = await plane.Post($"{path}/guest", new { @event = "paused" });
        Assert.Equal((200, "paused"), (paused.Status, paused.Body.Text("guestReported")));
        await plane.Until(path, seen => seen.Text("state") == "destActivated");
        Assert.Equal((409, "migration.cancel.destActivated"), Of(await plane.Post($"{path}/cancel")));
        Assert.Equal(200, (await plane.Post($"{path}/guest", new { @event = "resumed" })).Status);
        await plane.Until(path, seen => seen.Text("state") == "completed");
    }

    [Fact]
    public async Task A_cancelled_migration_leaves_the_vm_where_it_was_and_is_not_cancelled_twice()
    {
        var (vm, sw) = await Running();
        await plane.Post($"/v1/vms/{vm}/migrations", new { destination = "hv02", guest = "external", maxBlackoutMs = 5 });
        var path = $"/v1/migrations/{vm}~1";
        Assert.Equal(200, (await plane.Get(path)).Status); // at once
        await plane.Until(path, seen => seen.Text("state") == "copying");
        var key = Guid.NewGuid();
        var cancelled = await plane.Post($"{path}/cancel", key: key);
        Assert.Equal(200, cancelled.Status);
        Assert.Contains(cancelled.Body.Text("state"), (string[])["aborting", "rolledBack"]);
        var ended = await plane.Until(path, seen => seen.Text("state") == "rolledBack");
        Assert.Equal(("hv01", "migration.cancelled"), (ended.Text("host"), ended.GetProperty("problem").Text("code")));
        Assert.Equal(("False", "0", "True"), (ended.GetProperty("certificate").Text("moved"), ended.GetProperty("certificate").Text("blackoutMs"),
            ended.GetProperty("certificate").Text("maxBlackoutKept")));
        Assert.Equal(200, (await plane.Post($"{path}/cancel", key: key)).Status); // the same again
        Assert.Equal((409, "migration.cancel.rolledBack"), Of(await plane.Post($"{path}/cancel")));
        Assert.Equal((409, "migration.guest.rolledBack"), Of(await plane.Post($"{path}/guest", new { @event = "failed" })));
        Assert.Equal(0, (await plane.Get($"/v1/hosts/hv02/switches/{sw}")).Body.GetProperty("counts").GetProperty("ports").GetInt32());
        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
    }

    [Fact]
    public async Task A_refused_migration_ends_its_operation_with_the_problem()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        var told = await plane.Post($"/v1/vms/{vm}/migrations?wait=30s", new { destination = "hv02" });
        Assert.Equal((200, "refused", "migration.switch.absent"), (told.Status, told.Body.Text("state"), told.Body.GetProperty("problem").Text("code")));
    }

    [Fact]
    public async Task A_second_move_is_a_second_migration_and_both_are_listed()
    {
        var (vm, _) = await Running();
        await plane.Post($"/v1/vms/{vm}/migrations?wait=30s", new { destination = "hv02" });
        var back = await plane.Post($"/v1/vms/{vm}/migrations?wait=30s", new { destination = "hv01" });
        Assert.Equal(("done", $"{vm}~2"), (back.Body.Text("state"), back.Body.Text("migration")));
        var seen = new List<string?>();
        for (string? token = ""; token is not null;)
        {
            var page = (await plane.Get($"/v1/migrations?limit=1{(token.Length == 0 ? "" : $"&pageToken={token}")}")).Body;
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(migration => migration.Text("id")));
            token = page.Text("nextPageToken");
        }
        Assert.Equal([$"{vm}~1", $"{vm}~2"], seen.Where(id => id!.StartsWith($"{vm}~", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Required_features_are_shown_with_the_nic_and_change_while_it_runs()
    {
        var (vm, sw) = await Running();
        object Body(params string[] features) => new { host = "hv01", nics = (object[])[new { name = "eth0", @switch = sw, requiredFeatures = features }] };
        Assert.Equal(200, (await plane.Put($"/v1/vms/{vm}", Body("filter.acl"))).Status);
        Assert.Equal("filter.acl", (await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics")[0].GetProperty("requiredFeatures")[0].GetString());
        Assert.Equal(200, (await plane.Put($"/v1/vms/{vm}", Body("filter.acl"))).Status);
        Assert.Equal(200, (await plane.Put($"/v1/vms/{vm}", Body())).Status);
        Assert.Null((await plane.Get($"/v1/vms/{vm}")).Body.GetProperty("nics")[0].Text("requiredFeatures"));
    }

    [Fact]
    public async Task The_description_agrees_with_what_a_migration_is_answered_with()
    {
        var (vm, _) = await Running();
        await plane.Post($"/v1/vms/{vm}/migrations?wait=30s", new { destination = "hv02", maxBlackoutMs = 60_000 });
        var migration = await plane.Until($"/v1/migrations/{vm}~1", seen => seen.Text("ended") is not null);
        var description = (await plane.Get("/openapi/v1.json")).Body;
        var schemas = description.GetProperty("components").GetProperty("schemas");
        var paths = description.GetProperty("paths");
        Assert.All(
            (string[])["/v1/vms/{vm}/migrations", "/v1/migrations", "/v1/migrations/{id}", "/v1/migrations/{id}/history", "/v1/migrations/{id}/cancel", "/v1/migrations/{id}/guest"],
            path => Assert.True(paths.TryGetProperty(path, out _), path));
        Agrees(migration, schemas.GetProperty("MigrationDocument"), "MigrationDocument");
        Assert.Equal(
            ["deadlineSeconds", "destination", "guest", "maxBlackoutMs", "mode"],
            schemas.GetProperty("MigrateVm").GetProperty("properties").EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal));

        void Agrees(JsonElement value, JsonElement schema, string at)
        {
            if (schema.Text("$ref") is { } reference)
            {
                Agrees(value, schemas.GetProperty(reference[(reference.LastIndexOf('/') + 1)..]), at);
            }
            else if (schema.TryGetProperty("oneOf", out var one))
            {
                Agrees(value, one.EnumerateArray().First(choice => choice.Text("type") != "null"), at);
            }
            else if (value.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties))
            {
                foreach (var field in value.EnumerateObject())
                {
                    Assert.True(properties.TryGetProperty(field.Name, out var described), $"{at}.{field.Name} is not described");
                    Agrees(field.Value, described, $"{at}.{field.Name}");
                }
            }
            else if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
            {
                Assert.All(value.EnumerateArray(), item => Agrees(item, items, $"{at}[]"));
            }
        }
    }

    /// <summary>A VM that runs on hv01, on a switch that hv02 has too.</summary>
    async Task<(string Vm, string Switch)> Running()
    {
        var sw = await plane.Switch();
        await OnDestination(sw);
        var vm = await plane.Vm(sw);
        Assert.Equal("done", (await plane.Post($"/v1/vms/{vm}/start?wait=30s")).Body.Text("state"));
        return (vm, sw);
    }

    async Task OnDestination(string sw, object? body = null)
    {
        Assert.Equal(201, (await plane.Put($"/v1/hosts/hv02/switches/{sw}", body ?? new { kind = "private" })).Status);
        await plane.Until($"/v1/hosts/hv02/switches/{sw}", seen => seen.Text("state") == "ready");
    }

    async Task<IReadOnlyList<string?>> Refusals(string vm, string destination)
    {
        var told = await plane.Post($"/v1/vms/{vm}/migrations?dryRun=true", new { destination });
        Assert.Equal((200, "False"), (told.Status, told.Body.Text("possible")));
        return [.. told.Body.GetProperty("refusals").EnumerateArray().Select(refusal => refusal.Text("code"))];
    }

    static (int, string?) Of(Told told) => (told.Status, told.Code);
}
