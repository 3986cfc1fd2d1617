using System.Diagnostics;
using Akka.Actor;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

public abstract class BatchContract : IDisposable
{
    readonly TestStore _store;

    private protected BatchContract(TestStore store) => _store = store;

    public void Dispose()
    {
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [ContractFact]
    public async Task A_thousand_writes_at_once_need_few_commits()
    {
        await using var node = await _store.Start();
        IActorRef[] entities = [.. Enumerable.Range(0, 1_000).Select(i => node.Entity($"entity-{i}"))];
        await Task.WhenAll(entities.Select(JournalNode.Read));
        var (commits, rows) = (node.Health.Commits, node.Health.Rows);

        var answers = await Task.WhenAll(entities.Select(entity => JournalNode.Append(entity, "at once")));

        Assert.All(answers, answer => Assert.True(answer.Stored));
        Assert.Equal(1_000, node.Health.Rows - rows);
        Assert.InRange(node.Health.Commits - commits, 1, 100);
    }

    [ContractFact]
    public async Task An_event_that_cannot_be_serialised_is_rejected_and_nobody_else_is()
    {
        await using var node = await _store.Start();
        var entity = node.Entity("port/1");
        await JournalNode.Append(entity, "before");

        var neighbours = Enumerable.Range(0, 20).Select(i => JournalNode.Append(node.Entity($"neighbour-{i}"), "x")).ToList();
        var rejected = await JournalNode.Append(entity, new Unwritable());

        Assert.True(rejected.Rejected);
        Assert.All(await Task.WhenAll(neighbours), answer => Assert.True(answer.Stored));
        Assert.Equal(["before"], await node.ReadFresh("port/1"));
        Assert.True(node.Health.IsOpen);
    }

    [ContractFact]
    public async Task An_oversize_event_is_rejected_with_its_size()
    {
        await using var node = await _store.Start(new JournalLimits { EventBytesMax = 1_000, WriteEventsMax = 3 });
        var entity = node.Entity("nic/1");

        var large = await JournalNode.Append(entity, new string('x', 2_000));
        Assert.True(large.Rejected);
        Assert.Contains("1000 are allowed", Assert.IsType<WriteRefusedException>(large.Failure).Message, StringComparison.Ordinal);

        var many = await JournalNode.Append(node.Entity("nic/2"), [.. Enumerable.Repeat(new Happened("x"), 4)]);
        Assert.True(many.Rejected);
        Assert.Equal(0L, _store.Scalar("SELECT count(*) FROM journal WHERE persistence_id LIKE 'nic/%'"));
    }

    [ContractFact]
    public async Task At_the_bound_of_the_queue_a_write_fails_at_once_and_the_queued_ones_are_stored()
    {
        await using var node = await _store.Start(new JournalLimits { QueueWritesMax = 10 });
        IActorRef[] entities = [.. Enumerable.Range(0, 15).Select(i => node.Entity($"entity-{i}"))];
        await Task.WhenAll(entities.Select(JournalNode.Read));

        var hold = node.Faults.HoldWriter();
        var plug = JournalNode.Append(node.Entity("plug"), "holds the writer");
        hold.Arrived.Wait();
        var answers = entities.Select(entity => JournalNode.Append(entity, "x")).ToList();
        await Task.Delay(300);
        hold.Released.Set();

        await plug;
        var all = await Task.WhenAll(answers);
        Assert.Equal(10, all.Count(answer => answer.Stored));
        var refused = all.Where(answer => !answer.Stored).Select(answer => Assert.IsType<JournalOverloadedException>(answer.Failure)).ToList();
        Assert.Equal(5, refused.Count);
        Assert.All(refused, failure => Assert.Equal(WriteOutcome.RolledBack, failure.Outcome));
        Assert.True(node.Health.IsOpen);
    }

    [ContractFact]
    public async Task Recovery_waits_for_the_entitys_own_write_under_way()
    {
        await using var node = await _store.Start();
        var entity = node.Entity("port/1", "old");
        await JournalNode.Append(entity, "1");
        var hold = node.Faults.HoldWriter();
        var write = JournalNode.Append(entity, "2");
        hold.Arrived.Wait();

        var read = node.ReadFresh("port/1");
        await Task.Delay(300);
        Assert.False(read.IsCompleted);
        hold.Released.Set();

        await write;
        Assert.Equal(["1", "2"], await read);
    }

    [ContractFact]
    public async Task A_commit_wakes_who_waits_for_it()
    {
        await using var node = await _store.Start();
        var seen = node.Health.Last;
        var woken = node.Health.WaitForCommitAfter(seen, CancellationToken.None);
        Assert.False(woken.IsCompleted);

        await JournalNode.Append(node.Entity("port/1"), "1");

        await woken.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(_store.Scalar("SELECT max(ordering) FROM journal"), node.Health.Last.Ordering);
        await node.Health.WaitForCommitAfter(seen, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(1));
    }

    [ContractFact]
    public async Task Stopping_ends_the_batch_under_way()
    {
        var node = await _store.Start();
        var entities = Enumerable.Range(0, 50).Select(i => node.Entity($"entity-{i}")).ToList();
        await Task.WhenAll(entities.Select(JournalNode.Read));
        var hold = node.Faults.HoldWriter();
        entities.ForEach(entity => entity.Tell(new TestEntity.Append(new Happened("x"))));
        hold.Arrived.Wait();
        var watch = Stopwatch.StartNew();
        var end = node.DisposeAsync();
        hold.Released.Set();
        await end;
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
        _store.Check();
    }
}
