using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>What the caller is told when a write goes wrong, and what is really in the journal then.</summary>
public sealed class OutcomeTests : IDisposable
{
    static readonly JournalLimits Quick = new()
    {
        LockWaitMax = TimeSpan.FromMilliseconds(200),
        CommitDeadline = TimeSpan.FromSeconds(3),
        ProbeEvery = TimeSpan.FromMilliseconds(50),
    };

    readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_failure_before_the_commit_is_rolled_back()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnBegin = Once(() => node.Faults.OnBegin = null, () => throw new IOException("the disk is gone"));

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.RolledBack, Assert.IsType<JournalUnavailableException>(answer.Failure).Outcome);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_lost_answer_is_looked_up_and_found_stored()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommitted = Once(() => node.Faults.OnCommitted = null, () => throw new IOException("no answer"));

        var answer = await JournalNode.Append(entity, new Happened("2"), new Happened("3"));

        Assert.True(answer.Stored);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.True((await JournalNode.Append(entity, "4")).Stored);
        Assert.Equal(["1", "2", "3", "4"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_failed_commit_is_looked_up_and_found_absent()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommit = Once(() => node.Faults.OnCommit = null, () => throw new IOException("the sync failed"));

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.RolledBack, Assert.IsType<JournalUnavailableException>(answer.Failure).Outcome);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_lost_answer_that_cannot_be_looked_up_is_unknown()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommitted = Once(() => node.Faults.OnCommitted = null, () => throw new IOException("no answer"));
        node.Faults.OnLookup = () => throw new IOException("nor a look-up");

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.Unknown, Assert.IsType<UnknownOutcomeException>(answer.Failure).Outcome);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_commit_past_its_deadline_is_given_up_and_looked_up()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        using var hang = new ManualResetEventSlim();
        node.Faults.OnCommitted = Once(() => node.Faults.OnCommitted = null, hang.Wait);

        Assert.True((await JournalNode.Append(entity, "2")).Stored);
        Assert.NotNull(node.Health.LastFailure);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.True((await JournalNode.Append(entity, "3")).Stored);
        hang.Set();
        Assert.True((await JournalNode.Append(entity, "4")).Stored);
        Assert.Equal(["1", "2", "3", "4"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_commit_that_hangs_before_it_is_done_is_unknown_until_it_ends()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        using var hang = new ManualResetEventSlim();
        node.Faults.OnCommit = Once(() => node.Faults.OnCommit = null, hang.Wait);

        // Its transaction still holds the lock, so nobody can say yet how it will end.
        var answer = await JournalNode.Append(entity, "2");
        Assert.IsType<UnknownOutcomeException>(answer.Failure);
        Assert.False(node.Health.IsOpen);

        hang.Set();
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_batch_that_hangs_before_its_commit_was_sent_is_never_stored_later()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        using var hang = new ManualResetEventSlim();
        node.Faults.OnBegin = Once(() => node.Faults.OnBegin = null, hang.Wait);

        var answer = await JournalNode.Append(entity, "2");
        Assert.IsType<JournalUnavailableException>(answer.Failure);
        hang.Set();
        await JournalNode.Until(() => node.Health.IsOpen);
        var again = node.Entity("port/1");
        Assert.True((await JournalNode.Append(again, "2, once more")).Stored);
        Assert.Equal(["1", "2, once more"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task While_the_file_is_locked_the_gate_is_closed_and_it_opens_again()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file, Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        await JournalNode.Read(node.Entity("port/2", "other"));
        using var other = _scratch.Connect();
        Execute(other, "BEGIN IMMEDIATE");

        var answer = await JournalNode.Append(entity, "2");
        Assert.Contains("locked", Assert.IsType<JournalUnavailableException>(answer.Failure).Message, StringComparison.Ordinal);
        Assert.False(node.Health.IsOpen);

        // Refused at once, and not after another wait for the lock.
        var refused = await JournalNode.Append(node.Entity("port/3"), "1");
        Assert.IsType<JournalUnavailableException>(refused.Failure);

        Execute(other, "ROLLBACK");
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.True((await JournalNode.Append(node.Entity("port/1"), "2")).Stored);
    }

    [Fact]
    public async Task A_full_disk_is_rolled_back_and_says_so()
    {
        using var file = _scratch.Open();
        var full = new Faults();
        var pages = "";
        full.OnOpened = writer => Execute(writer, pages);
        await using var node = await JournalNode.Start(file, Quick, full);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        // A page limit below the file's size is SQLite's own way to have no space left. It is set on a new connection.
        pages = "PRAGMA max_page_count = 1";
        full.OnBegin = Once(() => full.OnBegin = null, () => throw new IOException("reconnect"));
        await JournalNode.Append(node.Entity("reconnect"), "x");
        await JournalNode.Until(() => node.Health.IsOpen);

        var answer = await JournalNode.Append(entity, new string('x', 100_000));

        var failure = Assert.IsType<JournalUnavailableException>(answer.Failure);
        Assert.Contains("full", failure.Message, StringComparison.Ordinal);
        Assert.False(answer.Rejected);
        pages = "";
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [Fact]
    public async Task A_read_only_database_is_rolled_back_and_says_so()
    {
        using var file = _scratch.Open();
        var faults = new Faults();
        var mode = "";
        faults.OnOpened = writer => Execute(writer, mode);
        await using var node = await JournalNode.Start(file, Quick, faults);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        mode = "PRAGMA query_only = 1";
        faults.OnBegin = Once(() => faults.OnBegin = null, () => throw new IOException("reconnect"));
        await JournalNode.Append(node.Entity("reconnect"), "x");
        await JournalNode.Until(() => node.Health.LastFailure!.Reason.Contains("readonly", StringComparison.Ordinal));

        var answer = await JournalNode.Append(entity, "2");

        Assert.Contains("readonly", Assert.IsType<JournalUnavailableException>(answer.Failure).Message, StringComparison.Ordinal);
        mode = "";
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    static Action Once(Action disarm, Action fault) => () =>
    {
        disarm();
        fault();
    };

    static void Execute(System.Data.Common.DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (sql.Length > 0)
        {
            command.ExecuteNonQuery();
        }
    }
}
