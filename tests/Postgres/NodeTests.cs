using System.Text.Json;
using ControlPlane.Api.Tests;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Projections.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Postgres.Tests;

/// <summary>Whole nodes on PostgreSQL, over HTTP.</summary>
[Collection(OnSharedServer.Name)]
public sealed class NodeTests(SharedServer shared)
{
    [PostgresFact]
    public async Task A_vm_that_was_started_is_there_after_a_restart_and_its_history_has_no_gap()
    {
        await using var running = await Started.Of(Plane(shared.NewDatabase()));
        var plane = running.Plane;
        var vm = await plane.Vm(await plane.Switch());
        var started = await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        Assert.Equal((200, "done"), (started.Status, started.Body.Text("state")));
        var before = await Events(plane);

        await plane.Stop();
        await plane.Start();
        await plane.Ready();

        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
        var after = await Events(plane);
        Assert.Equal(before, after.Take(before.Count));
        Assert.Equal(Enumerable.Range(1, after.Count).Select(n => $"{n}"), after.Select(line => line.Split(' ')[0]));
        Assert.Equal(200, (await plane.Post($"/v1/vms/{vm}/stop?wait=30s")).Status);
    }

    [PostgresFact]
    public async Task Another_node_shows_what_one_stores_and_takes_its_turn_at_the_tables_when_that_one_is_gone()
    {
        var database = shared.NewDatabase();
        await using var first = await Started.Of(Plane(database));
        var one = first.Plane;
        await using var second = await Started.Of(Plane(database, NodeRole.Node));
        var two = second.Plane;
        Assert.True(Projector(one).Fills);
        Assert.False(Projector(two).Fills);

        var sw = await one.Switch();

        await two.Until($"/v1/hosts/hv01/switches/{sw}", shown => shown.Text("state") == "ready");
        var seen = await Events(one);
        PostgresServer.Until(() => Projector(two).Position >= seen.Count);
        Assert.Equal(seen, (await Events(two)).Take(seen.Count));

        await one.Stop();
        PostgresServer.Until(() => Projector(two).Fills);
        Assert.Equal(201, (await two.Put("/v1/vms/after", new { host = "hv01", nics = Array.Empty<object>() })).Status);
        Assert.Equal(seen, (await Events(two)).Take(seen.Count));
    }

    [PostgresFact]
    public async Task Changes_are_refused_while_the_server_is_away_and_taken_when_it_is_back()
    {
        using var server = PostgresServer.Start();
        await using var running = await Started.Of(Plane(server, "postgres"));
        var plane = running.Plane;
        var sw = await plane.Switch();
        server.Crash();

        var path = $"/v1/hosts/hv01/switches/{sw}";
        var refused = await plane.Put(path, new { kind = "private", drift = "repair" });
        Assert.Equal((503, TimeSpan.FromSeconds(1)), (refused.Status, refused.Response.Headers.RetryAfter?.Delta));
        PostgresServer.Until(() => plane.Get("/readyz").GetAwaiter().GetResult().Status == 503);
        Assert.Equal(200, (await plane.Get("/healthz")).Status);

        server.Start();
        await plane.Ready();

        PostgresServer.Until(() => plane.Put(path, new { kind = "private", drift = "repair" }).GetAwaiter().GetResult().Status == 200);
        await plane.Until(path, shown => shown.Text("drift") == "repair");
    }

    [PostgresFact]
    public async Task A_transaction_that_stays_open_raises_an_alarm_with_its_owner_and_clears_it_when_it_ends()
    {
        var database = shared.NewDatabase();
        await using var running = await Started.Of(Plane(database));
        var plane = running.Plane;
        using (var other = shared.Server.Connect(database))
        {
            using var open = other.BeginTransaction();
            using var command = other.CreateCommand();
            command.CommandText = "SELECT pg_current_xact_id()";
            command.ExecuteNonQuery();

            var alarms = await plane.Until("/v1/alarms", body => Code(body, PostgresWatch.HeldBack) is not null);
            var alarm = Code(alarms, PostgresWatch.HeldBack)!.Value;
            Assert.Equal("node", alarm.Text("actor"));
            Assert.Contains("of postgres", alarm.Text("reason"), StringComparison.Ordinal);
        }

        await plane.Until("/v1/alarms", body => Code(body, PostgresWatch.HeldBack) is null);
    }

    static JsonElement? Code(JsonElement body, string code) =>
        body.GetProperty("items").EnumerateArray().Where(alarm => alarm.Text("code") == code).Select(alarm => (JsonElement?)alarm).FirstOrDefault();

    static Projector Projector(RunningControlPlane plane) => plane.Services.GetRequiredService<Projector>();

    static async Task<List<string>> Events(RunningControlPlane plane) =>
    [
        .. (await plane.Get("/v1/events?limit=1000")).Body.GetProperty("items").EnumerateArray()
            .Select(happened => $"{happened.Text("cursor")} {happened.Text("actor")} {happened.Text("sequence")} {happened.Text("type")} {happened.GetProperty("body")}"),
    ];

    RunningControlPlane Plane(string database, NodeRole role = NodeRole.All) => Plane(shared.Server, database, role);

    static RunningControlPlane Plane(PostgresServer server, string database, NodeRole role = NodeRole.All) => new()
    {
        Options = new NodeOptions
        {
            Port = 0,
            Driver = "simulated",
            Role = role,
            Database = new PostgresOptions(server.ConnectionString(database, more: "Timeout=30")) { Pool = 10 },
        },
    };

    /// <summary>A process that ends with the test, also when that fails.</summary>
    sealed class Started(RunningControlPlane plane) : IAsyncDisposable
    {
        public RunningControlPlane Plane => plane;

        public static async Task<Started> Of(RunningControlPlane plane)
        {
            await plane.InitializeAsync();
            return new Started(plane);
        }

        public async ValueTask DisposeAsync() => await plane.DisposeAsync();
    }
}
