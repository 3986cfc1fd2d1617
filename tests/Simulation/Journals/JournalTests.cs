using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Akka.Actor;
using Akka.Persistence;
using ControlPlane.Actors.Entities;
using ControlPlane.Journal.Tests;
using ControlPlane.Messages;
using ControlPlane.Postgres.Tests;
using Xunit.Abstractions;

namespace ControlPlane.Simulation.Journals;

/// <summary>The simulation's journal, without faults, keeps what that of production keeps, and refuses what that refuses.</summary>
public sealed class JournalTests(ITestOutputHelper output)
{
    const int Rounds = 20;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Both_journals_store_and_refuse_the_same_of_the_same_history()
    {
        using var store = new Scratch();
        await Compare(store, histories: 30);
    }

    [PostgresFact]
    public async Task Both_journals_store_and_refuse_the_same_of_the_same_history_on_PostgreSQL()
    {
        using var server = PostgresServer.Start();
        server.Execute("CREATE DATABASE histories");
        using var store = new PostgresStore(server, "histories");
        await Compare(store, histories: 10);
    }

    async Task Compare(TestStore store, int histories)
    {
        await using var a = await store.Start();
        await using var b = await store.Start();
        var met = new Tally();
        for (var seed = 1; seed <= histories; seed++)
        {
            await Compare(seed, [a, b], met);
        }
        output.WriteLine(string.Join('\n', met.Counts.Select(pair => $"{pair.Value,6} {pair.Key}")));
        Assert.Equal(["refused", "refused beside a refused one", "rows", "rows of several", "stored"], met.Counts.Keys);
    }

    /// <summary>
    /// Two incarnations of each entity, one at each node: each writes after what it believes to be the last row, or
    /// repeats a place that it had. A round's writes are of one node and share a commit: a write that follows a refused one
    /// of its entity there is refused too, wherever it is.
    /// </summary>
    static async Task Compare(int seed, JournalNode[] nodes, Tally met)
    {
        var luck = Choices.Of((ulong)seed);
        var model = new Model();
        EntityId[] ids = [.. Enumerable.Range(0, 3).Select(n => EntityId.Vm(string.Create(CultureInfo.InvariantCulture, $"h{seed}-{n}")))];
        var believed = nodes.Select(_ => ids.ToDictionary(id => id, _ => 0L)).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            var at = luck.Next("node", nodes.Length);
            if (luck.Next("read", 3) == 0)
            {
                var id = luck.Pick("read.which", ids);
                believed[at][id] = (await ReadBack(seed, nodes[at], model, id)).Count;
            }
            var writes = new List<ImmutableArray<StoredEvent>>();
            var hoped = new Dictionary<EntityId, long>();
            for (var n = luck.Next("writes", 5); n >= 0; n--)
            {
                var id = luck.Pick("write.which", ids);
                var repeats = luck.Next("repeats", 5) == 0 && believed[at][id] > 0;
                var first = repeats ? 1 + luck.Next("place", (int)believed[at][id]) : hoped.GetValueOrDefault(id, believed[at][id]) + 1;
                writes.Add(Rows(id, first, 1 + luck.Next("rows", 5), $"writer:{seed}-{round}-{n}-{at}"));
                hoped[id] = writes[^1][^1].Sequence;
            }
            var real = await InOneCommit(nodes[at], EntityId.Vm(string.Create(CultureInfo.InvariantCulture, $"plug{seed}-{round}")), writes);
            var simulated = model.Append(at, writes);
            for (var n = 0; n < writes.Count; n++)
            {
                var stored = simulated[n];
                Assert.True(stored == real[n], $"""
                    seed {seed}, round {round}: {Place(writes[n])} was {(real[n] ? "stored" : "refused")}, and in the simulation not; of
                    {string.Join('\n', writes.Zip(real, (write, outcome) => $"{Place(write)} {(outcome ? "stored" : "refused")}"))}
                    """);
                met.Count(stored ? "stored" : "refused");
                if (!stored && Free(model, writes[n]))
                {
                    met.Count("refused beside a refused one");
                }
                if (stored)
                {
                    met.Count("rows", writes[n].Length);
                    met.Count("rows of several", writes[n].Length > 1 ? writes[n].Length : 0);
                    believed[at][writes[n][0].Entity] = writes[n][^1].Sequence;
                }
            }
        }
        foreach (var (id, node) in ids.SelectMany(id => nodes.Select(node => (id, node))))
        {
            await ReadBack(seed, node, model, id);
        }
    }

    static bool Free(Model model, ImmutableArray<StoredEvent> rows) => rows[0].Sequence > model.Read(rows[0].Entity).Count;

    static string Place(ImmutableArray<StoredEvent> rows) => $"{rows[0].Entity} {rows[0].Sequence}..{rows[^1].Sequence}";

    static async Task<IReadOnlyList<StoredEvent>> ReadBack(int seed, JournalNode node, Model model, EntityId id)
    {
        var (real, simulated) = (await Read(node, id), model.Read(id));
        Assert.True(Texts(simulated).SequenceEqual(Texts(real)), $"""
            seed {seed}: the rows of {id} differ: in the simulation
            {string.Join('\n', Texts(simulated))}
            and in the journal of production
            {string.Join('\n', Texts(real))}
            """);
        return real;
    }

    static IEnumerable<string> Texts(IEnumerable<StoredEvent> rows) => rows.Select(row => $"{row.Sequence} {row.HashHolds()} {Encoding.UTF8.GetString(StoredJson.Write(row))}");

    static ImmutableArray<StoredEvent> Rows(EntityId id, long first, int count, string who) =>
    [
        .. Enumerable.Range(0, count).Select(n => StoredEvent.Make(
            id, first + n, DateTimeOffset.UnixEpoch, who, null, $"c{n}", null, n == 0 ? who : null, null, [], new VmDeleted(), StoredEvent.NoHash)),
    ];

    static IActorRef JournalOf(JournalNode node) => Persistence.Instance.Apply(node.System).JournalFor("");

    static async Task<bool> Append(JournalNode node, ImmutableArray<StoredEvent> rows)
    {
        var write = new AtomicWrite([.. rows.Select(row => (IPersistentRepresentation)new Persistent(row, row.Sequence, row.Entity.Text))]);
        var answered = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ear = node.System.ActorOf(Props.Create(() => new Writing(answered)));
        JournalOf(node).Tell(new WriteMessages([write], ear, 1), ear);
        return await answered.Task.WaitAsync(Patience);
    }

    /// <summary>A write of another entity holds the writer until all of them wait for it.</summary>
    static async Task<bool[]> InOneCommit(JournalNode node, EntityId plug, List<ImmutableArray<StoredEvent>> writes)
    {
        var hold = node.Faults.HoldWriter();
        var plugged = Append(node, Rows(plug, 1, 1, "plug"));
        hold.Arrived.Wait(Patience);
        var appended = writes.Select(write => Append(node, write)).ToList();
        // The journal takes its messages in order: when it answers this one, it has taken those before.
        await Read(node, EntityId.Vm("nobody"));
        hold.Released.Set();
        await plugged;
        return await Task.WhenAll(appended);
    }

    static async Task<IReadOnlyList<StoredEvent>> Read(JournalNode node, EntityId id)
    {
        var read = new TaskCompletionSource<IReadOnlyList<StoredEvent>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ear = node.System.ActorOf(Props.Create(() => new Reading(read)));
        JournalOf(node).Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, id.Text, ear), ear);
        return await read.Task.WaitAsync(Patience);
    }

    /// <summary>The simulation's journal, which answers at its own time.</summary>
    sealed class Model
    {
        readonly Simulator _simulator = new(Choices.Of([]), new Trace());
        readonly Simulation.Journal _journal;
        readonly Process[] _processes;

        public Model()
        {
            _journal = new Simulation.Journal(
                _simulator, new JournalFaults(), new Tally(), Mutant.None, violation => throw new InvalidOperationException(violation.ToString()));
            _processes = [new Process(_simulator, "a"), new Process(_simulator, "b")];
        }

        /// <summary>Which of them were stored.</summary>
        public bool[] Append(int at, List<ImmutableArray<StoredEvent>> writes)
        {
            var ends = new WriteEnd[writes.Count];
            foreach (var (n, rows) in writes.Index())
            {
                _journal.Append(new Writer(_processes[at], at), rows, told => ends[n] = told);
            }
            Settle();
            return [.. ends.Select(end => end == WriteEnd.Stored)];
        }

        public IReadOnlyList<StoredEvent> Read(EntityId id)
        {
            IReadOnlyList<StoredEvent>? read = null;
            _journal.Read(_processes[0], id, (_, _, after) => read = after(0));
            Settle();
            return read!;
        }

        void Settle()
        {
            while (_simulator.Step(_simulator.Elapsed + TimeSpan.FromSeconds(1)))
            {
            }
        }
    }

    /// <summary>What an entity hears of its write.</summary>
    sealed class Writing(TaskCompletionSource<bool> answered) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case WriteMessageSuccess:
                    answered.TrySetResult(true);
                    Context.Stop(Self);
                    break;
                case WriteMessageFailure:
                    answered.TrySetResult(false);
                    Context.Stop(Self);
                    break;
                case WriteMessageRejected rejected:
                    answered.TrySetException(rejected.Cause);
                    Context.Stop(Self);
                    break;
            }
        }
    }

    sealed class Reading(TaskCompletionSource<IReadOnlyList<StoredEvent>> read) : UntypedActor
    {
        readonly List<StoredEvent> _rows = [];

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case ReplayedMessage row:
                    _rows.Add((StoredEvent)row.Persistent.Payload);
                    break;
                case RecoverySuccess:
                    read.TrySetResult(_rows);
                    Context.Stop(Self);
                    break;
                case ReplayMessagesFailure failed:
                    read.TrySetException(failed.Cause);
                    Context.Stop(Self);
                    break;
            }
        }
    }
}
