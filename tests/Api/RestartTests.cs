using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Api.Tests;

/// <summary>What holds after the process, or a part of what it keeps, was away.</summary>
public sealed class RestartTests(RunningControlPlane plane) : IClassFixture<RunningControlPlane>
{
    [Fact]
    public async Task An_operation_of_a_vm_whose_view_stopped_ends_all_the_same()
    {
        var vm = await plane.Vm(await plane.Switch());
        await plane.Stop();
        Run($"INSERT INTO stopped_views VALUES ('vm/{vm}', 1, 'planted')");
        await plane.Start();
        await plane.Ready();

        var started = await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        Assert.Equal((200, "done"), (started.Status, started.Body.Text("state")));
    }

    [Fact]
    public async Task No_change_is_taken_before_the_read_tables_show_what_was_stored()
    {
        var sw = await plane.Switch();
        await plane.Stop();
        Run("UPDATE position SET ordering = 0; DELETE FROM entities");
        var path = $"/v1/hosts/hv01/switches/{sw}";
        using (var busy = Open())
        {
            using var hold = busy.BeginTransaction();
            await plane.Start();
            var told = await plane.Put(path, new { kind = "private" });
            var ready = await plane.Get("/readyz");

            Assert.Equal((503, "read.behind", TimeSpan.FromSeconds(1)), (told.Status, told.Code, told.Response.Headers.RetryAfter?.Delta));
            Assert.Equal(503, ready.Status);
            Assert.Contains("the read tables are being filled from the journal", ready.Body.GetProperty("reasons").ToString());
        }

        await plane.Ready();

        Assert.Equal(200, (await plane.Put(path, new { kind = "private" })).Status);
    }

    [Fact]
    public async Task A_view_that_is_late_is_not_shown_as_what_was_put()
    {
        var sw = await plane.Switch();
        await plane.Stop();
        Run($"INSERT INTO stopped_views VALUES ('switch/hv01/{sw}', 1, 'planted')");
        await plane.Start();
        await plane.Ready();

        var path = $"/v1/hosts/hv01/switches/{sw}";
        var told = await plane.Put(path, new { kind = "private", drift = "repair" });

        Assert.Equal((202, null, path), (told.Status, told.ETag, told.Location));
    }

    [Fact]
    public async Task B57_a_viewer_reads_and_is_refused_every_change()
    {
        var asViewer = await As("viewer", "vera");

        var read = await plane.Send(HttpMethod.Get, "/v1/vms", with: asViewer);
        var changed = await plane.Put("/v1/vms/theirs", new { host = "hv01", nics = Array.Empty<object>() }, asViewer);

        Assert.Equal(200, read.Status);
        Assert.Equal((403, "auth.role"), (changed.Status, changed.Code));
        Assert.Equal(404, (await plane.Get("/v1/vms/theirs")).Status);
        var moved = await plane.Send(HttpMethod.Post, "/v1/vms/theirs/migrations", new { destination = "hv02" }, asViewer);
        Assert.Equal((403, "auth.role"), (moved.Status, moved.Code));
    }

    [Fact]
    public async Task Only_an_admin_lets_a_host_join()
    {
        var asOperator = await As("operator", "olga");
        var told = await plane.Send(HttpMethod.Post, "/v1/hosts/hv77/join-token", with: request =>
        {
            asOperator(request);
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        });
        Assert.Equal((403, "auth.role", "Only an admin lets a host join."), (told.Status, told.Code, told.Body.Text("detail")));
        Assert.Equal(404, (await plane.Get("/v1/hosts/hv77")).Status);
    }

    [Fact]
    public async Task A_migrator_moves_vms_and_is_refused_every_other_change()
    {
        var sw = await plane.Switch();
        await plane.Put($"/v1/hosts/hv02/switches/{sw}", new { kind = "private" });
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        var asMigrator = await As("migrator", "max");

        var stopped = await plane.Send(HttpMethod.Post, $"/v1/vms/{vm}/stop", with: Keyed);
        Assert.Equal((403, "auth.role"), (stopped.Status, stopped.Code));
        var begun = await plane.Send(HttpMethod.Post, $"/v1/vms/{vm}/migrations", new { destination = "hv02", guest = "external" }, Keyed);
        Assert.Equal(202, begun.Status);
        await plane.Until($"/v1/migrations/{vm}~1", seen => seen.Text("state") == "copying");
        Assert.Equal(200, (await plane.Send(HttpMethod.Post, $"/v1/migrations/{vm}~1/guest", new { @event = "paused" }, Keyed)).Status);
        await plane.Until($"/v1/migrations/{vm}~1", seen => seen.Text("state") == "destActivated");
        Assert.Equal(200, (await plane.Send(HttpMethod.Post, $"/v1/migrations/{vm}~1/guest", new { @event = "resumed" }, Keyed)).Status);
        await plane.Until($"/v1/migrations/{vm}~1", seen => seen.Text("state") == "completed");
        Assert.Equal("migrator:max", (await plane.Get($"/v1/events?actor=vm/{vm}&type=VmMigrationStarted")).Body.GetProperty("items")[0].Text("who"));

        void Keyed(HttpRequestMessage request)
        {
            asMigrator(request);
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        }
    }

    /// <summary>Somebody with this role has a token from now on: how a request becomes theirs.</summary>
    async Task<Action<HttpRequestMessage>> As(string role, string name)
    {
        await plane.Stop();
        var file = Path.Combine(plane.Data, "tokens.json");
        var tokens = JsonNode.Parse(await File.ReadAllTextAsync(file))!.AsArray();
        var hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"a token of {name}")));
        tokens.Add(new JsonObject { ["name"] = name, ["role"] = role, ["sha256"] = hash, ["created"] = "2026-11-22T10:00:00Z" });
        await File.WriteAllTextAsync(file, tokens.ToJsonString());
        await plane.Start();
        await plane.Ready();
        return request => request.Headers.Authorization = new("Bearer", $"a token of {name}");
    }

    void Run(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(plane.Data, "read.db")};Pooling=False");
        connection.Open();
        return connection;
    }
}
