using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Journal.Tests;

namespace ControlPlane.Postgres.Tests;

/// <summary>
/// The rows of the table of ambiguous commits (reliability.md 4.3): the server names a synchronous standby that is absent,
/// so that a commit is on its disk and waits. What the caller is told, and what is in the journal then.
/// </summary>
public sealed class AmbiguousCommitTests : IDisposable
{
    static readonly JournalLimits Quick = new()
    {
        LockWaitMax = TimeSpan.FromMilliseconds(300),
        CommitDeadline = TimeSpan.FromSeconds(2),
        ProbeEvery = TimeSpan.FromMilliseconds(50),
    };

    const string Waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT' LIMIT 1";

    readonly PostgresServer _server = PostgresServer.Missing is null ? PostgresServer.Start() : null!;
    readonly PostgresStore _store;

    public AmbiguousCommitTests() => _store = new PostgresStore(_server, "postgres");

    public void Dispose()
    {
        _store.Dispose();
        _server?.Dispose();
    }

    [PostgresFact]
    public async Task Row_A_and_D_a_commit_that_waits_past_every_limit_is_given_up_and_never_cancelled()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        _server.Set("synchronous_standby_names", "absent");

        var answer = await JournalNode.Append(entity, "2");

        Assert.IsType<UnknownOutcomeException>(answer.Failure);
        Assert.False(node.Health.IsOpen);
        // Longer than the limit after which the thread itself gives up its socket.
        var given = TimeProvider.System.GetTimestamp();
        await JournalNode.Until(() => TimeProvider.System.GetElapsedTime(given) > Quick.CommitDeadline + TimeSpan.FromSeconds(2));
        Assert.DoesNotContain("canceling wait for synchronous replication", _server.Log, StringComparison.Ordinal);
        Assert.Equal(1L, Events());
        Assert.InRange((long)_server.Scalar("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")!, 1, 3);
        Assert.DoesNotContain(_store.Alarms.Open, alarm => alarm.Code == PostgresJournalConnection.LocalOnly);

        _server.Set("synchronous_standby_names", "");
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task Row_B_a_commit_whose_wait_was_cancelled_is_not_acknowledged_and_raises_an_alarm()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        _server.Set("synchronous_standby_names", "absent");

        var append = JournalNode.Append(entity, "2");
        EndWait("pg_cancel_backend");
        var answer = await append;

        Assert.IsType<UnknownOutcomeException>(answer.Failure);
        Assert.Equal(2L, Events());
        Assert.False(node.Health.IsOpen);
        var alarm = Assert.Single(_store.Alarms.Open, alarm => alarm.Code == PostgresJournalConnection.LocalOnly);
        Assert.True(alarm.Critical);

        // A later commit that has reached its standby took this one along.
        _server.Set("synchronous_standby_names", "");
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Empty(_store.Alarms.Open);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task Row_C_a_commit_whose_backend_was_terminated_is_unknown_until_a_later_one_is_durable()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        _server.Set("synchronous_standby_names", "absent");

        var append = JournalNode.Append(entity, "2");
        EndWait("pg_terminate_backend");
        var answer = await append;

        Assert.IsType<UnknownOutcomeException>(answer.Failure);
        Assert.Equal(2L, Events());
        _server.Set("synchronous_standby_names", "");
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task Row_C_a_terminated_backend_is_looked_up_and_acknowledged_when_the_standby_is_back()
    {
        await using var node = await _store.Start(Quick with { CommitDeadline = TimeSpan.FromSeconds(10) });
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        _server.Set("synchronous_standby_names", "absent");

        var append = JournalNode.Append(entity, "2");
        EndWait("pg_terminate_backend");
        _server.Set("synchronous_standby_names", "");

        Assert.True((await append).Stored);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.True((await JournalNode.Append(entity, "3")).Stored);
    }

    [PostgresFact]
    public async Task Row_C_a_backend_that_was_terminated_before_its_commit_is_rolled_back()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommit = () =>
        {
            node.Faults.OnCommit = null;
            _server.Execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle in transaction'");
        };

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.RolledBack, Assert.IsType<JournalUnavailableException>(answer.Failure).Outcome);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task Row_E_a_commit_that_a_crash_of_the_server_met_is_unknown_and_there_after_its_recovery()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        _server.Set("synchronous_standby_names", "absent");

        var append = JournalNode.Append(entity, "2");
        PostgresServer.Until(() => _server.Scalar(Waiting) is int);
        _server.Crash();
        var answer = await append;

        Assert.IsType<UnknownOutcomeException>(answer.Failure);
        _server.Configure("synchronous_standby_names = ''");
        _server.Start();
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task A_commit_whose_answer_the_wire_lost_is_looked_up_and_found_stored()
    {
        using var proxy = new Proxy(_server.Port);
        using var source = Open(proxy);
        await using var node = await PostgresStore.Start(source, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommit = () =>
        {
            node.Faults.OnCommit = null;
            proxy.LoseAnswers();
        };

        Assert.True((await JournalNode.Append(entity, "2")).Stored);

        proxy.Cut();
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task A_commit_that_the_wire_lost_is_looked_up_and_found_absent()
    {
        using var proxy = new Proxy(_server.Port);
        using var source = Open(proxy);
        await using var node = await PostgresStore.Start(source, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommit = () =>
        {
            node.Faults.OnCommit = null;
            proxy.Cut();
        };

        var answer = await JournalNode.Append(entity, "2");

        Assert.IsType<JournalUnavailableException>(answer.Failure);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task A_statement_that_the_server_refuses_before_the_commit_is_rolled_back()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        using var other = _server.Connect();
        using var block = other.BeginTransaction();
        using (var command = other.CreateCommand())
        {
            command.CommandText = "LOCK TABLE controlplane.journal IN SHARE MODE";
            command.ExecuteNonQuery();
        }

        var answer = await JournalNode.Append(entity, "2");

        Assert.Contains("55P03", Assert.IsType<JournalUnavailableException>(answer.Failure).Message, StringComparison.Ordinal);
        await block.RollbackAsync();
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [PostgresFact]
    public async Task Rows_that_the_server_refuses_for_what_they_are_harm_no_neighbour()
    {
        await using var node = await _store.Start(Quick);
        _server.Execute("ALTER TABLE controlplane.journal ADD CONSTRAINT no_evil CHECK (persistence_id <> 'evil')");
        var entities = Enumerable.Range(0, 20).Select(i => node.Entity($"good-{i}")).ToList();
        await Task.WhenAll(entities.Select(JournalNode.Read));
        var evil = node.Entity("evil");
        await JournalNode.Read(evil);
        var hold = node.Faults.HoldWriter();
        var plug = JournalNode.Append(node.Entity("plug"), "holds the writer");
        hold.Arrived.Wait();

        var good = entities.Select(entity => JournalNode.Append(entity, "x")).ToList();
        var bad = JournalNode.Append(evil, "x");
        await Task.Delay(300);
        hold.Released.Set();

        Assert.Equal(WriteOutcome.Deterministic, Assert.IsType<WriteRefusedException>((await bad).Failure).Outcome);
        Assert.All(await Task.WhenAll(good), answer => Assert.True(answer.Stored));
        Assert.True((await plug).Stored);
        Assert.True(node.Health.IsOpen);
    }

    [PostgresFact]
    public async Task A_frozen_writer_keeps_an_entity_from_others_for_no_longer_than_its_bound()
    {
        await using var frozen = await _store.Start(Quick with { CommitDeadline = TimeSpan.FromMinutes(1) });
        await using var node = await _store.Start(Quick);
        using var hang = new ManualResetEventSlim();
        frozen.Faults.OnCommit = () =>
        {
            frozen.Faults.OnCommit = null;
            hang.Wait();
        };
        var lost = JournalNode.Append(frozen.Entity("port/1"), "by the frozen one");
        PostgresServer.Until(() => _server.Scalar("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") is 1L);
        var began = TimeProvider.System.GetTimestamp();

        var answer = await JournalNode.Append(node.Entity("port/1"), "2");
        Assert.IsType<JournalUnavailableException>(answer.Failure);
        await JournalNode.Until(() =>
            node.Health.IsOpen && JournalNode.Append(node.Entity("port/1"), "by the next one").GetAwaiter().GetResult().Stored);

        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, PostgresLimits.IdleInTransactionMax + TimeSpan.FromSeconds(5));
        hang.Set();
        Assert.False((await lost).Stored);
        Assert.Equal(["by the next one"], await node.ReadFresh("port/1"));
    }

    PostgresSource Open(Proxy proxy) =>
        _store.Open(new PostgresOptions($"Host=127.0.0.1;Port={proxy.Port};Username=postgres;Database=postgres") { Pool = 10 });

    void EndWait(string how)
    {
        PostgresServer.Until(() => _server.Scalar(Waiting) is int);
        // The connection that asks would wait as well, if it wrote anything.
        _server.Execute($"SELECT {how}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'");
    }

    long Events() => (long)_server.Scalar("SELECT count(*) FROM controlplane.journal WHERE persistence_id = 'port/1'")!;
}
