using ControlPlane.Host.Composition;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Projections.Postgres;
using ControlPlane.Journal.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Postgres.Tests;

/// <summary>The server that answers is another one than before, or an older copy of itself.</summary>
public sealed class FailoverTests : IDisposable
{
    static readonly JournalLimits Quick = new()
    {
        LockWaitMax = TimeSpan.FromMilliseconds(500),
        CommitDeadline = TimeSpan.FromSeconds(5),
        ProbeEvery = TimeSpan.FromMilliseconds(50),
    };

    readonly PostgresServer _primary = PostgresServer.Missing is null ? PostgresServer.Start("wal_keep_size = 256MB") : null!;
    readonly List<PostgresServer> _standbys = [];
    readonly PostgresStore _store;

    public FailoverTests() => _store = new PostgresStore(_primary, "postgres");

    public void Dispose()
    {
        _store.Dispose();
        _standbys.ForEach(standby => standby.Dispose());
        _primary?.Dispose();
    }

    [PostgresFact]
    public async Task Failover_to_a_synchronous_standby_loses_nothing()
    {
        var standby = Standby("s1");
        _primary.Set("synchronous_standby_names", "s1");
        using var source = Open(standby, needsStandby: false);
        await using var node = await PostgresStore.Start(source, Quick);
        var acknowledged = new Dictionary<string, List<string>>();
        using var over = new CancellationTokenSource();
        var load = Enumerable.Range(0, 10).Select(n => Load(node, $"vm/{n}", acknowledged, over.Token)).ToList();
        PostgresServer.Until(() => { lock (acknowledged) { return acknowledged.Values.Sum(texts => texts.Count) > 200; } });

        _primary.Kill();
        standby.Promote();
        var before = Count(acknowledged);
        PostgresServer.Until(() => Count(acknowledged) > before + 50);
        await over.CancelAsync();
        await Task.WhenAll(load);

        Assert.All(acknowledged, pair => Assert.Empty(pair.Value.Except(Stored(standby, pair.Key))));
        Assert.Equal(2, source.Witness.Seen!.Timeline);
        Assert.Equal(2, standby.Scalar("SELECT timeline FROM controlplane.cluster"));
        Assert.DoesNotContain(_store.Alarms.Open, alarm => alarm.Critical);
    }

    [PostgresFact]
    public async Task Failover_to_a_standby_that_lags_is_detected_and_nobody_serves_until_an_operator_says_so()
    {
        var standby = Standby("s1");
        using var source = Open(standby, needsStandby: false, witness: "a.json");
        using var other = Open(standby, needsStandby: false, witness: "b.json");
        await using var node = await PostgresStore.Start(source, Quick);
        await using var neighbour = await PostgresStore.Start(other, Quick);
        // The neighbour misses nothing itself, and has nothing to write.
        using var watch = new PostgresWatch(other, neighbour.Health, TimeProvider.System, NullLogger<PostgresWatch>.Instance);
        await watch.StartAsync(CancellationToken.None);
        var (entity, neighbours) = (node.Entity("vm/1"), neighbour.Entity("vm/2"));
        Assert.True((await JournalNode.Append(entity, "1")).Stored);
        Assert.True((await JournalNode.Append(neighbours, "1")).Stored);
        PostgresServer.Until(() => standby.Scalar("SELECT count(*) FROM controlplane.journal WHERE persistence_id LIKE 'vm/%'") is 2L);
        standby.Configure("primary_conninfo = ''");
        standby.Execute("SELECT pg_reload_conf()");
        PostgresServer.Until(() => _primary.Scalar("SELECT count(*) FROM pg_stat_replication") is 0L);
        // Acknowledged, and on the primary alone: that is what asynchronous means.
        Assert.True((await JournalNode.Append(entity, "2")).Stored);

        _primary.Kill();
        standby.Promote();

        Assert.False((await JournalNode.Append(entity, "who finds out")).Stored);
        await JournalNode.Until(() => Refused(node) && Refused(neighbour));
        Assert.Contains("data-loss", neighbour.Health.LastFailure!.Reason, StringComparison.Ordinal);
        await watch.StopAsync(CancellationToken.None);
        var answer = await JournalNode.Append(node.Entity("vm/3"), "1");
        Assert.IsType<JournalUnavailableException>(answer.Failure);
        Assert.Contains("event 2 of vm/1", (string)standby.Scalar("SELECT loss FROM controlplane.cluster")!, StringComparison.Ordinal);
        Assert.Contains(_store.Alarms.Open, alarm => alarm.Code == PostgresChecks.Refused && alarm.Critical);
        var start = Assert.Throws<PostgresRefusedException>(() => Open(standby, needsStandby: false, witness: "fresh.json"));
        Assert.Equal("postgres.data-loss", start.Code);

        var said = DatabaseVerbs.Run(new NodeOptions { DatabaseVerb = "accept-loss", Database = new PostgresOptions(standby.ConnectionString()) });
        Assert.Contains("event 2 of vm/1", said, StringComparison.Ordinal);
        // What this process remembers is gone: only a new one serves.
        await JournalNode.Until(() => node.Health.LastFailure!.Reason.Contains("restart this node", StringComparison.Ordinal));
        await using var restarted = await PostgresStore.Start(Open(standby, needsStandby: false, witness: "a.json"), Quick);
        Assert.Equal(["1"], await restarted.ReadFresh("vm/1"));
        Assert.True((await JournalNode.Append(restarted.Entity("vm/1"), "2, once more")).Stored);
    }

    [PostgresFact]
    public async Task A_primary_of_before_a_failover_is_refused()
    {
        var standby = Standby("s1");
        using (var source = Open(standby, needsStandby: false, witness: "a.json"))
        {
            await using var node = await PostgresStore.Start(source, Quick);
            var entity = node.Entity("vm/1");
            Assert.True((await JournalNode.Append(entity, "1")).Stored);
            PostgresServer.Until(() => standby.Scalar("SELECT count(*) FROM controlplane.journal WHERE persistence_id = 'vm/1'") is 1L);
            _primary.Kill();
            standby.Promote();
            Assert.False((await JournalNode.Append(entity, "who finds out")).Stored);
            await JournalNode.Until(() => source.Witness.Seen!.Timeline == 2 && node.Health.IsOpen);
        }
        standby.Stop();
        _primary.Start();

        var refused = Assert.Throws<PostgresRefusedException>(() => Open(standby, needsStandby: false, witness: "a.json"));

        Assert.Equal("postgres.old-timeline", refused.Code);
    }

    [PostgresFact]
    public void Another_server_with_the_same_journal_is_refused_until_an_operator_accepts_it()
    {
        _store.Open(witness: "a.json").Dispose();
        // As after a restored dump, or a changed address: the same rows on a server with another identity.
        _primary.Execute("UPDATE controlplane.cluster SET system_identifier = system_identifier + 1");

        Assert.Equal("postgres.copied", Assert.Throws<PostgresRefusedException>(() => _store.Open(witness: "a.json")).Code);
        var said = DatabaseVerbs.Run(new NodeOptions { DatabaseVerb = "accept-copy", Database = new PostgresOptions(_primary.ConnectionString()) });

        Assert.Contains("is now that of server", said, StringComparison.Ordinal);
        _store.Open(witness: "a.json").Dispose();
    }

    [PostgresFact]
    public async Task A_server_that_became_unsafe_is_refused_at_the_next_connection_and_taken_again_when_it_is_mended()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("vm/1");
        await JournalNode.Append(entity, "1");
        _primary.Set("full_page_writes", "off");
        _primary.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'controlplane'");

        await JournalNode.Append(entity, "it finds out");
        await JournalNode.Until(() => Refused(node));
        Assert.Contains("postgres.full-page-writes", node.Health.LastFailure!.Reason, StringComparison.Ordinal);
        Assert.Contains(_store.Alarms.Open, alarm => alarm.Code == PostgresChecks.Refused);

        _primary.Set("full_page_writes", "on");
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Empty(_store.Alarms.Open);
        Assert.Equal(["1"], await node.ReadFresh("vm/1"));
    }

    [PostgresFact]
    public void The_run_time_role_may_append_and_read_and_nothing_else_and_cannot_make_the_schema()
    {
        _primary.Execute("CREATE ROLE worker LOGIN; CREATE ROLE owner LOGIN");
        _primary.Execute("CREATE DATABASE split OWNER owner");
        var worker = new PostgresOptions(_primary.ConnectionString("split", "worker")) { Pool = 4 };

        var refused = Assert.Throws<PostgresRefusedException>(() => _store.Open(worker));
        Assert.Equal("postgres.schema", refused.Code);
        Assert.Contains("postgresOwner", refused.Action, StringComparison.Ordinal);

        _store.Open(worker with { Owner = _primary.ConnectionString("split", "owner") }).Dispose();
        _store.Open(worker).Dispose();
        using var connection = _primary.Connect("split", "worker");
        foreach (var forbidden in new[] { "DELETE FROM controlplane.journal", "UPDATE controlplane.journal SET deleted = true", "DROP TABLE controlplane.journal" })
        {
            using var command = connection.CreateCommand();
            command.CommandText = forbidden;
            Assert.Equal("42501", Assert.Throws<Npgsql.PostgresException>(() => command.ExecuteNonQuery()).SqlState);
        }
    }

    PostgresServer Standby(string name)
    {
        // The schema first, so that it is on both.
        _store.Open(witness: "schema.json").Dispose();
        var standby = _primary.Standby(name);
        _standbys.Add(standby);
        PostgresServer.Until(() => _primary.Scalar("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") is 1L);
        return standby;
    }

    PostgresSource Open(PostgresServer standby, bool needsStandby, string? witness = null) => _store.Open(
        new PostgresOptions($"Host=127.0.0.1:{_primary.Port},127.0.0.1:{standby.Port};Username=postgres;Database=postgres;Timeout=30") { Pool = 10, NeedsStandby = needsStandby },
        witness);

    static bool Refused(JournalNode node) => !node.Health.IsOpen && node.Health.LastFailure!.Reason.StartsWith("postgres.", StringComparison.Ordinal);

    static int Count(Dictionary<string, List<string>> acknowledged)
    {
        lock (acknowledged)
        {
            return acknowledged.Values.Sum(texts => texts.Count);
        }
    }

    static async Task Load(JournalNode node, string id, Dictionary<string, List<string>> acknowledged, CancellationToken over)
    {
        var n = 0;
        while (!over.IsCancellationRequested)
        {
            var entity = node.Entity(id);
            try
            {
                while (!over.IsCancellationRequested)
                {
                    var text = $"{id}/{n++}";
                    if (!(await JournalNode.Append(entity, text)).Stored)
                    {
                        break;
                    }
                    lock (acknowledged)
                    {
                        (acknowledged.TryGetValue(id, out var texts) ? texts : acknowledged[id] = []).Add(text);
                    }
                }
            }
            catch (Akka.Actor.AskTimeoutException)
            {
                // It could not recover; another one tries again.
            }
            await JournalNode.Until(() => node.Health.IsOpen || over.IsCancellationRequested);
        }
    }

    static List<string> Stored(PostgresServer server, string id)
    {
        using var connection = server.Connect();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT convert_from(message, 'UTF8') FROM controlplane.journal WHERE persistence_id = '{id}'";
        using var reader = command.ExecuteReader();
        var texts = new List<string>();
        while (reader.Read())
        {
            texts.Add(System.Text.Json.JsonDocument.Parse(reader.GetString(0)[reader.GetString(0).IndexOf('{', StringComparison.Ordinal)..]).RootElement.GetProperty("Text").GetString()!);
        }
        return texts;
    }
}
