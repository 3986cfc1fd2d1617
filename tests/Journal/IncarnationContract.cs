using Akka.Actor;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Journal.Tests;

/// <summary>Two live incarnations of one entity, and one that moves: the actor, a lifecycle and the journal of production.</summary>
public abstract class IncarnationContract : IDisposable
{
    static readonly EntityId Vm = EntityId.Vm("web-1");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "web-1--eth0");

    readonly TestStore _store;

    private protected IncarnationContract(TestStore store) => _store = store;

    public void Dispose()
    {
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [ContractFact]
    public Task Of_two_live_incarnations_of_a_vm_one_appends_and_the_other_ends_without_having_spoken() => OneAppends("vm");

    [ContractFact]
    public Task Of_two_live_incarnations_of_a_port_one_appends_and_the_other_ends_without_having_spoken() => OneAppends("port");

    async Task OneAppends(string kind)
    {
        await using var a = await EntityNode.Start(_store);
        await using var b = await EntityNode.Start(_store);
        var id = kind == "vm" ? Vm : Port;
        var (winner, _) = await a.Incarnate(id);
        var begun = 0L;
        if (kind == "vm")
        {
            begun = (await EntityNode.Ask(winner, Define("define"))).Sequence;
        }
        var (deposed, seen) = await b.Incarnate(id);
        Assert.Equal(begun, seen);
        var ended = deposed.WatchAsync();

        winner.Tell(Begin(kind, "by the winner"));
        await JournalNode.Until(() => !a.Sent.IsEmpty);
        var answer = await EntityNode.Ask(deposed, Begin(kind, "by the deposed"));

        Assert.Equal(RefusalKind.Unknown, answer.Refusal?.Kind);
        await EntityNode.Ended(ended);
        Assert.Empty(b.Sent);
        Assert.Equal(1, b.Fenced);
        Assert.Equal(begun + 1, Rows(id));

        // Its next incarnation owes what the winner began, and judges the same message by it.
        var (recovered, all) = await b.Incarnate(id);
        Assert.Equal(begun + 1, all);
        Assert.Equal(Assert.Single(a.Sent), Assert.Single(b.Sent));
        var judged = await EntityNode.Ask(recovered, Begin(kind, "by the deposed"));
        Assert.Equal((RefusalKind.Conflict, begun + 2), (judged.Refusal?.Kind, judged.Sequence));

        // Now the first one is behind: it is fenced in its turn.
        var first = winner.WatchAsync();
        Assert.Equal(RefusalKind.Unknown, (await EntityNode.Ask(winner, Begin(kind, "too late"))).Refusal?.Kind);
        await EntityNode.Ended(first);
        Assert.Equal(begun + 2, (await a.Incarnate(id)).Sequence);
    }

    [ContractFact]
    public async Task Of_two_that_append_at_once_exactly_one_does_and_the_other_recovers_what_it_lost_against()
    {
        await using var a = await EntityNode.Start(_store);
        await using var b = await EntityNode.Start(_store);
        EntityNode[] nodes = [a, b];
        var live = new (IActorRef Entity, long Sequence)[] { await a.Incarnate(Vm), await b.Incarnate(Vm) };
        for (var round = 1L; round <= 20; round++)
        {
            Assert.All(live, incarnation => Assert.Equal(round - 1, incarnation.Sequence));
            var ended = live.Select(incarnation => incarnation.Entity.WatchAsync()).ToArray();

            var answers = await Task.WhenAll(live.Select((incarnation, n) => EntityNode.Ask(incarnation.Entity, Define($"{round}/{n}"))));

            var loser = Array.FindIndex(answers, answer => answer.Refusal is not null);
            Assert.Equal((new Done(), round), (answers[1 - loser].Reply, answers[1 - loser].Sequence));
            Assert.Equal(RefusalKind.Unknown, answers[loser].Refusal!.Kind);
            await EntityNode.Ended(ended[loser]);
            live[loser] = await nodes[loser].Incarnate(Vm);
            live[1 - loser].Sequence = round;
        }

        Assert.Equal(20, Rows(Vm));
        Assert.Equal(20, a.Fenced + b.Fenced);
    }

    [ContractFact]
    public async Task Entity_moved_away_and_back_recovers_every_event()
    {
        await using var a = await EntityNode.Start(_store);
        await using var b = await EntityNode.Start(_store);
        var answered = new List<Messages.Answer>();
        foreach (var node in (EntityNode[])[a, b, a])
        {
            var (entity, seen) = await node.Incarnate(Vm);
            Assert.Equal(answered.Count, seen);
            for (var n = 0; n < 2; n++)
            {
                answered.Add(await EntityNode.Ask(entity, Define($"{answered.Count}")));
            }
            await EntityNode.HandOver(entity);
        }

        // Each message is known to the last incarnation: none is carried out again.
        var (last, all) = await b.Incarnate(Vm);
        Assert.Equal(6, all);
        foreach (var answer in answered)
        {
            Assert.Equal(new Done(), answer.Reply);
            Assert.Equal((answer.Reply, 6L), (await EntityNode.Ask(last, Define(answer.InReplyTo))) is var again ? (again.Reply, again.Sequence) : default);
        }
        Assert.Equal(6, Rows(Vm));
    }

    static Envelope Define(string message) =>
        new(Vm, message, "operator:ann", "correlation", new DefineVm(new VmDefinition("hv01", [])));

    /// <summary>Something that is answered later, after another entity was asked.</summary>
    static Envelope Begin(string kind, string message) => kind == "vm"
        ? new(Vm, message, "operator:ann", "correlation", new StartVm())
        : new(Port, message, "operator:ann", "correlation", new ArriveOid(
            new OidRequest(message, OidCode.PortCreate, 1, 0, new PortParameters("web-1--eth0")), EntityId.Switch("hv01", "sw"), Port, null, null));

    long Rows(EntityId id) => (long)_store.Scalar($"SELECT count(*) FROM journal WHERE persistence_id = '{id}'")!;
}
