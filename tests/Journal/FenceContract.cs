using Akka.Actor;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

public abstract class FenceContract : IDisposable
{
    readonly TestStore _store;

    private protected FenceContract(TestStore store) => _store = store;

    public void Dispose()
    {
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [ContractFact]
    public async Task Of_two_live_incarnations_one_appends_and_the_other_is_fenced_and_stopped()
    {
        await using var a = await _store.Start();
        await using var b = await _store.Start();
        var winner = a.Entity("port/1");
        var deposed = b.Entity("port/1");
        await JournalNode.Read(winner);
        await JournalNode.Read(deposed);
        var stopped = deposed.WatchAsync();

        var first = await JournalNode.Append(winner, "from the winner");
        var second = await JournalNode.Append(deposed, "from the deposed");

        Assert.True(first.Stored);
        var fenced = Assert.IsType<FencedException>(second.Failure);
        Assert.Equal(("port/1", 1L), (fenced.PersistenceId, fenced.SequenceNr));
        Assert.Equal(WriteOutcome.Deterministic, fenced.Outcome);
        await stopped.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["from the winner"], await b.ReadFresh("port/1"));
        Assert.True(b.Health.IsOpen);
    }

    [ContractFact]
    public async Task While_a_peer_is_out_of_reach_a_fenced_entity_is_left_to_the_other_side()
    {
        await using var a = await _store.Start();
        await using var b = await _store.Start();
        b.Health.Yielded.Parted = true;
        var (winner, deposed) = (a.Entity("port/1", "winner"), b.Entity("port/1", "deposed"));
        await JournalNode.Read(winner);
        await JournalNode.Read(deposed);
        Assert.True((await JournalNode.Append(winner, "of the other side")).Stored);
        Assert.IsType<FencedException>((await JournalNode.Append(deposed, "of this side")).Failure);

        var again = b.Entity("port/1", "again");
        Assert.Equal(["of the other side"], await JournalNode.Read(again));
        Assert.IsType<JournalUnavailableException>((await JournalNode.Append(again, "after it")).Failure);
        Assert.True((await JournalNode.Append(b.Entity("port/2"), "nobody else's")).Stored);

        b.Health.Yielded.Parted = false;
        Assert.True((await JournalNode.Append(b.Entity("port/1", "healed"), "after it")).Stored);
        Assert.Equal(0, b.Health.Yielded.Count);
    }

    [ContractFact]
    public async Task While_a_peer_is_out_of_reach_an_entity_whose_last_event_is_another_nodes_is_left_alone()
    {
        await using var a = await _store.Start();
        await using var b = await _store.Start();
        Assert.True((await JournalNode.Append(a.Entity("port/1"), "of the other side")).Stored);
        Assert.True((await JournalNode.Append(b.Entity("port/2", "before"), "of this side")).Stored);
        await JournalNode.Stop(await b.System.ActorSelection("/user/before").ResolveOne(TimeSpan.FromSeconds(20)));
        b.Health.Yielded.Parted = true;

        Assert.IsType<JournalUnavailableException>((await JournalNode.Append(b.Entity("port/1"), "after it")).Failure);
        Assert.True((await JournalNode.Append(b.Entity("port/2"), "its own")).Stored);
        Assert.True((await JournalNode.Append(b.Entity("port/3"), "new")).Stored);

        b.Health.Yielded.Parted = false;
        Assert.True((await JournalNode.Append(b.Entity("port/1", "healed"), "after it")).Stored);
    }

    [ContractFact]
    public async Task Three_hundred_neighbours_in_the_batch_of_a_fenced_write_are_stored_exactly_once()
    {
        await using var node = await _store.Start();
        var winner = node.Entity("contested", "winner");
        var deposed = node.Entity("contested", "deposed");
        IActorRef[] neighbours = [.. Enumerable.Range(0, 300).Select(i => node.Entity($"neighbour-{i}"))];
        await Task.WhenAll(neighbours.Append(winner).Append(deposed).Select(JournalNode.Read));
        await JournalNode.Append(winner, "mine");

        var commits = node.Health.Commits;
        var hold = node.Faults.HoldWriter();
        var plug = JournalNode.Append(node.Entity("plug"), "holds the writer");
        hold.Arrived.Wait();
        var answers = neighbours.Take(150).Select((n, i) => JournalNode.Append(n, new Happened($"{i}"), new Happened("2nd"))).ToList();
        var loser = JournalNode.Append(deposed, new Happened("not mine"), new Happened("nor this"));
        answers.AddRange(neighbours.Skip(150).Select((n, i) => JournalNode.Append(n, $"{150 + i}")));
        await Task.Delay(300);
        hold.Released.Set();

        Assert.IsType<FencedException>((await loser).Failure);
        Assert.All(await Task.WhenAll(answers), answer => Assert.True(answer.Stored));
        Assert.True((await plug).Stored);
        Assert.Equal(2, node.Health.Commits - commits);
        Assert.Equal(300L, _store.Scalar("SELECT count(DISTINCT persistence_id) FROM journal WHERE persistence_id LIKE 'neighbour-%'"));
        Assert.Equal(450L, _store.Scalar("SELECT count(*) FROM journal WHERE persistence_id LIKE 'neighbour-%'"));
        Assert.Equal(1L, _store.Scalar("SELECT count(*) FROM journal WHERE persistence_id = 'contested'"));
        Assert.Equal(1, node.Health.Fenced);
    }

    [ContractFact]
    public async Task Of_two_incarnations_in_one_batch_one_is_stored_and_the_other_is_fenced()
    {
        await using var node = await _store.Start();
        var one = node.Entity("twice", "one");
        var two = node.Entity("twice", "two");
        await Task.WhenAll(JournalNode.Read(one), JournalNode.Read(two));

        var hold = node.Faults.HoldWriter();
        var plug = JournalNode.Append(node.Entity("plug"), "holds the writer");
        hold.Arrived.Wait();
        var answers = new[] { JournalNode.Append(one, "one"), JournalNode.Append(two, "two") };
        await Task.Delay(200);
        hold.Released.Set();

        await plug;
        var both = await Task.WhenAll(answers);
        Assert.Single(both, answer => answer.Stored);
        Assert.Single(both, answer => answer.Failure is FencedException);
        Assert.Single(await node.ReadFresh("twice"));
    }

    [ContractFact]
    public async Task PersistAll_that_meets_a_taken_number_in_its_middle_stores_nothing()
    {
        await using var a = await _store.Start();
        await using var b = await _store.Start();
        var deposed = b.Entity("port/2");
        await JournalNode.Read(deposed);
        var winner = a.Entity("port/2");
        await JournalNode.Append(winner, "1");
        await JournalNode.Append(winner, "2");
        // As after a write that was lost in between: number 1 is free again, 2 is taken.
        _store.Scalar("DELETE FROM journal WHERE persistence_id = 'port/2' AND sequence_number = 1");

        var answer = await JournalNode.Append(deposed, new Happened("a"), new Happened("b"), new Happened("c"));

        Assert.Equal(2, Assert.IsType<FencedException>(answer.Failure).SequenceNr);
        Assert.Equal(1L, _store.Scalar("SELECT count(*) FROM journal WHERE persistence_id = 'port/2'"));
    }

    [ContractFact]
    public async Task Entity_moved_away_and_back_recovers_every_event() =>
        Assert.Equal(["1", "2", "3", "4", "5", "6"], await RecoveredAfterMovingAwayAndBack(""));

    [ContractFact]
    public async Task Replay_filter_would_lose_events_of_an_entity_moved_away_and_back() =>
        Assert.Equal(4, (await RecoveredAfterMovingAwayAndBack("akka.persistence.journal.sql.replay-filter.mode = repair-by-discard-old")).Length);

    /// <summary>Two events each on A, on B and on A again; what a recovery on B then sees.</summary>
    async Task<string[]> RecoveredAfterMovingAwayAndBack(string hocon)
    {
        await using var a = await _store.Start(hocon: hocon);
        await using var b = await _store.Start(hocon: hocon);
        foreach (var (node, texts) in ((JournalNode, string[])[])[(a, ["1", "2"]), (b, ["3", "4"]), (a, ["5", "6"])])
        {
            var entity = node.Entity("vm/1");
            foreach (var text in texts)
            {
                Assert.True((await JournalNode.Append(entity, text)).Stored);
            }

            await JournalNode.Stop(entity);
        }

        Assert.Equal(6L, _store.Scalar("SELECT count(*) FROM journal WHERE persistence_id = 'vm/1'"));
        return await b.ReadFresh("vm/1");
    }
}
