using System.Diagnostics;
using Akka.Actor;
using ControlPlane.Host.Engine.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Api.Tests;

/// <summary>The database goes away under a running process, because another program holds the write lock of the journal's file.</summary>
public sealed class JournalAwayTests(RunningControlPlane plane) : IClassFixture<RunningControlPlane>
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>An answer that waited for the lock would take as long as the writer waits for it.</summary>
    static readonly TimeSpan AtOnce = JournalLimits.Default.LockWaitMax / 2;

    JournalHealth Journal => plane.Services.GetRequiredService<JournalHealth>();

    [Fact]
    public async Task Changes_are_refused_while_the_database_is_away_and_the_same_key_succeeds_once_when_it_is_back()
    {
        var vm = await plane.Vm(await plane.Switch());
        var (path, body) = ($"/v1/vms/{vm}-2", new { host = "hv01", nics = Array.Empty<object>() });
        var (defineKey, startKey) = (Guid.NewGuid(), Guid.NewGuid());
        using (var outage = new Outage(plane.Data))
        {
            // The first one finds out, and waits for the lock.
            var first = await Define();
            Assert.Equal((503, "journal.unknown", true), (first.Status, first.Code, first.Response.Headers.RetryAfter is not null));

            var clock = Stopwatch.StartNew();
            foreach (var told in new[] { await Define(), await Start(), await plane.Put($"/v1/hosts/hv01/switches/s{vm}", new { kind = "private" }) })
            {
                Assert.Equal((503, "journal.unavailable", TimeSpan.FromSeconds(1)), (told.Status, told.Code, told.Response.Headers.RetryAfter?.Delta));
            }
            var ready = await plane.Get("/readyz");
            Assert.Equal((503, "not ready", "False"), (ready.Status, ready.Body.Text("status"), ready.Body.Text("journal")));
            Assert.Contains("the journal is away", ready.Body.GetProperty("reasons").ToString(), StringComparison.Ordinal);
            Assert.Equal(200, (await plane.Get("/healthz")).Status);
            Assert.Equal("stopped", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));
            Assert.Equal(404, (await plane.Get(path)).Status);
            Assert.True(clock.Elapsed < AtOnce, $"refused and read only after {clock.Elapsed}");
        }

        await plane.Ready();

        for (var time = 0; time < 2; time++)
        {
            Assert.Equal(time == 0 ? 201 : 200, (await Define()).Status);
            Assert.Equal("done", (await Start()).Body.Text("state"));
        }
        Assert.Equal(["VmDefined"], await History($"/v1/vms/{vm}-2/history"));
        Assert.Single(await History($"/v1/vms/{vm}/history"), "VmStartRequested");
        Assert.Equal("running", (await plane.Get($"/v1/vms/{vm}")).Body.Text("state"));

        Task<Told> Define() => plane.Put(path, body, request => request.Headers.Add("Idempotency-Key", defineKey.ToString("D")));
        Task<Told> Start() => plane.Post($"/v1/vms/{vm}/start?wait=30s", key: startKey);
    }

    [Fact]
    public async Task Starts_that_were_accepted_end_when_the_database_is_back_and_no_entity_restarts_in_a_loop_meanwhile()
    {
        var sw = await plane.Switch();
        var starts = new Dictionary<string, Guid>();
        for (var n = 0; n < 40; n++)
        {
            starts[await plane.Vm(sw)] = Guid.NewGuid();
        }
        var ends = new Incarnations(plane.Services.GetRequiredService<ActorSystem>());
        var accepted = await Task.WhenAll(starts.Select(start => plane.Post($"/v1/vms/{start.Key}/start", key: start.Value)));
        Assert.All(accepted, told => Assert.Equal(202, told.Status));

        using (var outage = new Outage(plane.Data))
        {
            // The switch for which most of them wait is sure to have a write of its own that fails.
            Assert.Equal(503, (await plane.Put($"/v1/hosts/hv01/switches/{sw}", new { kind = "private", drift = "repair" })).Status);
            Assert.False(Journal.IsOpen);
            Assert.Contains("running", await Task.WhenAll(starts.Values.Select(State)));

            // A probe waits longer for the lock than entities do before they ask again for what they are owed.
            await ProbeFails();
            var ended = ends.Ended;
            await ProbeFails();
            await ProbeFails();
            Assert.Equal(ended, ends.Ended);
            Assert.InRange(ends.OfOneEntity, 1, 2); // by the write under way, and by what was past the door by then
        }

        await plane.Ready();
        foreach (var (vm, key) in starts)
        {
            await plane.Until($"/v1/operations/{key}", operation => operation.Text("state") == "done");
            Assert.Equal(["NicCreateProposed", "NicCreated", "NicConnectProposed", "NicConnected"], await History($"/v1/nics/{vm}/eth0/history"));
        }
    }

    async Task<string?> State(Guid operation) => (await plane.Get($"/v1/operations/{operation}")).Body.Text("state");

    async Task<List<string?>> History(string path) =>
        [.. (await plane.Get(path)).Body.GetProperty("items").EnumerateArray().Select(happened => happened.Text("type"))];

    Task ProbeFails()
    {
        var last = Journal.LastFailure;
        return Until(() => Journal.LastFailure != last, "another probe failed");
    }

    static async Task Until(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Patience, $"not within {Patience}: {what}");
            await Task.Delay(20);
        }
    }

    /// <summary>Nobody can write to the journal's file until the end of this.</summary>
    sealed class Outage : IDisposable
    {
        readonly SqliteConnection _other;

        public Outage(string data)
        {
            _other = new SqliteConnection($"Data Source={Path.Combine(data, "journal.db")};Pooling=False");
            _other.Open();
            Run("PRAGMA busy_timeout = 5000");
            Run("BEGIN IMMEDIATE");
        }

        public void Dispose()
        {
            Run("ROLLBACK");
            _other.Dispose();
        }

        void Run(string sql)
        {
            using var command = _other.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }
}
