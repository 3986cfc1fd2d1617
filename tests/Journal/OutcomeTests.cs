using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>What the contract says, and what can go wrong with a file alone.</summary>
public sealed class OutcomeTests : OutcomeContract
{
    readonly Scratch _scratch;

    public OutcomeTests()
        : this(new Scratch())
    {
    }

    OutcomeTests(Scratch scratch)
        : base(scratch) => _scratch = scratch;

    [Fact]
    public async Task While_the_file_is_locked_the_gate_is_closed_and_it_opens_again()
    {
        await using var node = await _scratch.Start(Quick);
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
        var full = new Faults();
        var pages = "";
        full.OnOpened = writer => Execute(writer, pages);
        await using var node = await _scratch.Start(Quick, full);
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
        var faults = new Faults();
        var mode = "";
        faults.OnOpened = writer => Execute(writer, mode);
        await using var node = await _scratch.Start(Quick, faults);
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
