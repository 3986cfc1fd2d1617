using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>What the caller is told when a write goes wrong, and what is really in the journal then.</summary>
public abstract class OutcomeContract : IDisposable
{
    private protected static readonly JournalLimits Quick = new()
    {
        LockWaitMax = TimeSpan.FromMilliseconds(200),
        CommitDeadline = TimeSpan.FromSeconds(3),
        ProbeEvery = TimeSpan.FromMilliseconds(50),
    };

    readonly TestStore _store;

    private protected OutcomeContract(TestStore store) => _store = store;

    public void Dispose()
    {
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [ContractFact]
    public async Task A_failure_before_the_commit_is_rolled_back()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnBegin = Once(() => node.Faults.OnBegin = null, () => throw new IOException("the disk is gone"));

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.RolledBack, Assert.IsType<JournalUnavailableException>(answer.Failure).Outcome);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [ContractFact]
    public async Task A_lost_answer_is_looked_up_and_found_stored()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommitted = Once(() => node.Faults.OnCommitted = null, () => throw new IOException("no answer"));

        var answer = await JournalNode.Append(entity, new Happened("2"), new Happened("3"));

        Assert.True(answer.Stored);
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.True((await JournalNode.Append(entity, "4")).Stored);
        Assert.Equal(["1", "2", "3", "4"], await node.ReadFresh("port/1"));
    }

    [ContractFact]
    public async Task A_failed_commit_is_looked_up_and_found_absent()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommit = Once(() => node.Faults.OnCommit = null, () => throw new IOException("the sync failed"));

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.RolledBack, Assert.IsType<JournalUnavailableException>(answer.Failure).Outcome);
        Assert.Equal(["1"], await node.ReadFresh("port/1"));
    }

    [ContractFact]
    public async Task A_lost_answer_that_cannot_be_looked_up_is_unknown()
    {
        await using var node = await _store.Start(Quick);
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "1");
        node.Faults.OnCommitted = Once(() => node.Faults.OnCommitted = null, () => throw new IOException("no answer"));
        node.Faults.OnLookup = () => throw new IOException("nor a look-up");

        var answer = await JournalNode.Append(entity, "2");

        Assert.Equal(WriteOutcome.Unknown, Assert.IsType<UnknownOutcomeException>(answer.Failure).Outcome);
        Assert.Equal(["1", "2"], await node.ReadFresh("port/1"));
    }

    [ContractFact]
    public async Task A_commit_past_its_deadline_is_given_up_and_looked_up()
    {
        await using var node = await _store.Start(Quick);
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

    [ContractFact]
    public async Task A_commit_that_hangs_before_it_is_done_is_unknown_until_it_ends()
    {
        await using var node = await _store.Start(Quick);
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

    [ContractFact]
    public async Task A_batch_that_hangs_before_its_commit_was_sent_is_never_stored_later()
    {
        await using var node = await _store.Start(Quick);
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

    private protected static Action Once(Action disarm, Action fault) => () =>
    {
        disarm();
        fault();
    };
}
