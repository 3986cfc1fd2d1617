using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Tests.Actors.Shell;

/// <summary>The shell with real Akka.NET around it: what the core says is what the plugin does.</summary>
public sealed class EntityActorTests : TestKit, IEntityDoor, IAgentDoor
{
    static readonly CoreLimits Limits = new(4, 64, 8, 10, 3);

    readonly JournalControl _journal;
    readonly TestProbe _parent;
    readonly TestProbe _door;
    readonly TestProbe _asker;
    readonly TestProbe _faults;
    readonly EntityServices _services;

    public EntityActorTests() : this(new JournalControl())
    {
    }

    EntityActorTests(JournalControl journal) : base(journal.Config)
    {
        _journal = journal;
        _parent = CreateTestProbe("parent");
        _door = CreateTestProbe("door");
        _asker = CreateTestProbe("asker");
        _faults = CreateTestProbe("faults");
        Sys.EventStream.Subscribe(_faults, typeof(EntityFault));
        _services = new EntityServices(_ => Toy.Core(Limits), this, this, TimeProvider.System)
        {
            RetryEvery = TimeSpan.FromMilliseconds(100),
            IdleAfter = TimeSpan.FromMinutes(1),
        };
    }

    void IEntityDoor.Tell(Envelope envelope) => _door.Tell(envelope);
    void IEntityDoor.Tell(Answer answer) => _door.Tell(answer);
    void IEntityDoor.Wake(EntityId entity) => _door.Tell(("now", entity));
    void IEntityDoor.WakeLater(EntityId entity) => _door.Tell(("later", entity));
    void IAgentDoor.Drive(EntityId bridge, long session, DriverCommand command) => _door.Tell(command);

    IActorRef Start(EntityServices? services = null) => _parent.ChildActorOf((services ?? _services).PropsOf(Toy.Id));

    Answer Do(IActorRef entity, Envelope envelope)
    {
        entity.Tell(envelope, _asker);
        return _asker.ExpectMsg<Answer>();
    }

    IActorRef Restart(IActorRef entity)
    {
        Watch(entity);
        entity.Tell(EntityStop.Instance);
        ExpectTerminated(entity);
        Unwatch(entity);
        return Start();
    }

    void Ends(IActorRef entity, Action how)
    {
        Watch(entity);
        how();
        ExpectTerminated(entity);
    }

    [Fact]
    public void Reply_waits_for_the_append()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Blocks;
        entity.Tell(Toy.Take("b", "ask"), _asker);
        _asker.ExpectNoMsg(TimeSpan.FromMilliseconds(200));
        _door.ExpectNoMsg(TimeSpan.FromMilliseconds(10));
        _journal.Mood = JournalMood.Works;
        Assert.Equal(new HoldTaken("b"), _asker.ExpectMsg<Answer>().Reply);
        Assert.Equal(Toy.Other, _door.ExpectMsg<Envelope>().To);
    }

    [Fact]
    public void Messages_during_an_open_write_are_one_write_and_over_the_bound_overloaded()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Blocks;
        foreach (var hold in "bcdefg")
        {
            entity.Tell(Toy.Take($"{hold}"), _asker);
        }
        Assert.Equal("actor.overloaded", _asker.ExpectMsg<Answer>().Refusal!.Code);
        _journal.Mood = JournalMood.Works;
        Assert.Equal(["take-b", "take-c", "take-d", "take-e", "take-f"], _asker.ReceiveN(5).Cast<Answer>().Select(answer => answer.InReplyTo));
        Assert.Equal([1, 1, 4], _journal.WriteSizes);
    }

    [Fact]
    public void Same_message_is_answered_from_the_record_after_recovery()
    {
        var entity = Start();
        var first = Do(entity, Toy.Take("a"));
        entity = Restart(entity);
        Assert.Equal(first, Do(entity, Toy.Take("a")));
        Assert.Equal([1], _journal.WriteSizes);
    }

    [Fact]
    public void Open_work_is_sent_again_until_answered_and_after_recovery()
    {
        var entity = Start();
        Do(entity, Toy.Take("a", "ask"));
        var first = _door.ExpectMsg<Envelope>();
        Assert.Equal(first, _door.ExpectMsg<Envelope>());
        entity = Restart(entity);
        _door.FishForMessage(message => message is ("now", EntityId id) && id == Toy.Id);
        Assert.Equal(first, _door.ExpectMsg<Envelope>());
        entity.Tell(new Answer(first.MessageId, Toy.Other, Toy.Id, 1, 1, null, new Refusal(RefusalKind.Unavailable, "x", "x")));
        Assert.Equal(first, _door.ExpectMsg<Envelope>());
        entity.Tell(new Answer(first.MessageId, Toy.Other, Toy.Id, 1, 1, new Done(), null));
        AwaitAssert(() => Assert.Equal([1, 1], _journal.WriteSizes));
        _door.ReceiveWhile(TimeSpan.FromMilliseconds(200), message => message);
        _door.ExpectNoMsg(TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public void Entity_that_asks_is_answered_through_the_door()
    {
        var entity = Start();
        entity.Tell(Toy.Take("a") with { From = Toy.Other }, _asker);
        Assert.Equal(Toy.Other, _door.ExpectMsg<Answer>().To);
        _asker.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void Wake_up_comes_at_its_time()
    {
        var clock = new SetClock { Now = Toy.Dawn.AddSeconds(4.8) };
        var entity = Start(_services with { Time = clock, RetryEvery = TimeSpan.FromHours(1) });
        Do(entity, Toy.Take("a", "wake"));
        clock.Now = Toy.Dawn.AddSeconds(6);
        AwaitAssert(() => Assert.Equal([1, 1], _journal.WriteSizes), TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void Snapshot_and_tail_recover_and_two_snapshots_are_kept()
    {
        var entity = Start();
        for (var n = 0; n < 45; n++)
        {
            Do(entity, Toy.Take($"h{n}"));
        }
        var read = new List<long>();
        _journal.Reading = row =>
        {
            read.Add(row.SequenceNr);
            return row.Payload;
        };
        entity = Restart(entity);
        Assert.Equal(new HoldTaken("h44"), Do(entity, Toy.Take("h44")).Reply);
        Assert.Equal([41, 42, 43, 44, 45], read);
        AwaitAssert(() => Assert.Equal([40, 30, null], new long?[] { Saved(99), Saved(39), Saved(29) }));
    }

    long? Saved(long upTo)
    {
        Persistence.Instance.Apply(Sys).SnapshotStoreFor("").Tell(new LoadSnapshot(Toy.Id.Text, new SnapshotSelectionCriteria(upTo), upTo), _asker);
        return _asker.ExpectMsg<LoadSnapshotResult>().Snapshot?.Metadata.SequenceNr;
    }

    [Fact]
    public void Unreadable_snapshot_is_ignored_and_all_events_are_replayed()
    {
        var entity = Start();
        for (var n = 0; n < 12; n++)
        {
            Do(entity, Toy.Take($"h{n}"));
        }
        entity = Restart(entity);
        Spoil(new UnreadableSnapshot("PortState.9", "newer"), 11);
        entity = Restart(entity);
        Assert.Equal("hold.taken", Do(entity, Toy.Take("h3", message: "other")).Refusal!.Code);
        Spoil(new CoreSnapshot(Toy.Id, 12, 12, StoredEvent.NoHash, "no state", [], [], System.Collections.Immutable.ImmutableSortedDictionary<string, Origin>.Empty, null), 12);
        entity = Restart(entity);
        Assert.Equal("hold.taken", Do(entity, Toy.Take("h3", message: "third")).Refusal!.Code);
        _faults.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    void Spoil(object snapshot, long sequence)
    {
        var store = Persistence.Instance.Apply(Sys).SnapshotStoreFor("");
        store.Tell(new SaveSnapshot(new SnapshotMetadata(Toy.Id.Text, sequence, DateTime.UtcNow), snapshot), _asker);
        _asker.ExpectMsg<SaveSnapshotSuccess>();
    }

    [Fact]
    public void Idle_entity_asks_to_be_passivated_and_a_busy_one_does_not()
    {
        var services = _services with { IdleAfter = TimeSpan.FromMilliseconds(200) };
        var entity = Start(services);
        Do(entity, Toy.Take("a", "ask"));
        _parent.ExpectNoMsg(TimeSpan.FromMilliseconds(600));
        entity.Tell(new Answer($"{Toy.Id}>ask:a", Toy.Other, Toy.Id, 1, 1, new Done(), null));
        var passivate = _parent.ExpectMsg<Passivate>();
        Ends(entity, () => entity.Tell(passivate.StopMessage));
    }

    [Fact]
    public void Hand_over_finishes_the_open_write_and_answers_it()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Blocks;
        entity.Tell(Toy.Take("b"), _asker);
        entity.Tell(EntityStop.Instance);
        entity.Tell(Toy.Take("c"), _asker);
        var moved = _asker.ExpectMsg<Answer>();
        Assert.Equal(("take-c", "actor.moved"), (moved.InReplyTo, moved.Refusal!.Code));
        Ends(entity, () => _journal.Mood = JournalMood.Works);
        Assert.Equal(new HoldTaken("b"), _asker.ExpectMsg<Answer>().Reply);
    }

    [Theory]
    [InlineData(JournalMood.Fails, 1)]
    [InlineData(JournalMood.LosesAnswers, 2)]
    public void Unknown_write_outcome_is_said_and_the_journal_tells_the_truth(JournalMood mood, int stored)
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Blocks;
        entity.Tell(Toy.Take("b"), _asker);
        entity.Tell(Toy.Take("c"), _asker);
        Ends(entity, () => _journal.Mood = mood);
        var unknown = _asker.ExpectMsg<Answer>();
        Assert.Equal(("take-b", RefusalKind.Unknown), (unknown.InReplyTo, unknown.Refusal!.Kind));
        var waited = _asker.ExpectMsg<Answer>();
        Assert.Equal(("take-c", RefusalKind.Unavailable), (waited.InReplyTo, waited.Refusal!.Kind));
        _journal.Mood = JournalMood.Works;
        Assert.Equal(stored, _journal.WriteSizes.Sum());
        entity = Start();
        Assert.Equal(new HoldTaken("b"), Do(entity, Toy.Take("b")).Reply);
        Assert.Equal(2, _journal.WriteSizes.Sum());
    }

    [Fact]
    public void Failed_write_of_an_entity_with_open_work_asks_to_be_woken_later()
    {
        var entity = Start(_services with { RetryEvery = TimeSpan.FromHours(1) });
        Do(entity, Toy.Take("a", "ask"));
        _door.ExpectMsg<Envelope>();
        _journal.Mood = JournalMood.Fails;
        Ends(entity, () => entity.Tell(Toy.Take("b"), _asker));
        Assert.Equal(("later", Toy.Id), _door.ExpectMsg<(string, EntityId)>());
    }

    [Fact]
    public void Failed_write_that_would_have_opened_work_asks_to_be_woken_later_too()
    {
        var entity = Start(_services with { RetryEvery = TimeSpan.FromHours(1) });
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Fails;
        Ends(entity, () => entity.Tell(Toy.Take("b", "ask"), _asker));
        Assert.Equal(("later", Toy.Id), _door.ExpectMsg<(string, EntityId)>());
    }

    [Fact]
    public void Third_failure_of_a_message_parks_the_entity_until_an_operator_unparks_it()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        Assert.Equal("actor.defect", Do(entity, Toy.Take("x", "boom")).Refusal!.Code);
        Assert.Equal("actor.defect", Do(entity, Toy.Take("x", "boom")).Refusal!.Code);
        Assert.Equal("actor.parked", Do(entity, Toy.Take("x", "boom")).Refusal!.Code);
        entity = Restart(entity);
        Assert.Equal("actor.parked", Do(entity, Toy.Take("b")).Refusal!.Code);
        Assert.IsType<Done>(Do(entity, new Messages.Envelope(Toy.Id, "unpark", "operator:ann", "c", new Unpark(Drop: true))).Reply);
        Assert.Equal("actor.dropped", Do(entity, Toy.Take("x", "boom")).Refusal!.Code);
        Assert.Equal(new HoldTaken("b"), Do(entity, Toy.Take("b")).Reply);
    }

    [Fact]
    public void Rejected_write_stores_nothing_and_ends_the_entity()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Rejects;
        Ends(entity, () => entity.Tell(Toy.Take("m", "many"), _asker));
        Assert.Equal("journal.rejected", _asker.ExpectMsg<Answer>().Refusal!.Code);
        _journal.Mood = JournalMood.Works;
        Assert.Equal(2, Do(Start(), Toy.Take("b")).Sequence);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Gap_in_replay_stops_the_entity(int missing)
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        Do(entity, Toy.Take("b"));
        Do(entity, Toy.Take("c"));
        _journal.Reading = row => row.SequenceNr == missing ? null : row.Payload;
        entity = Restart(entity);
        Assert.Equal(FaultKind.CorruptHistory, _faults.ExpectMsg<EntityFault>().Kind);
        Ends(entity, () => { });
    }

    [Fact]
    public void Flipped_bit_stops_the_entity()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        Do(entity, Toy.Take("b"));
        _journal.Reading = row => row is { SequenceNr: 1, Payload: StoredEvent stored } ? stored with { Who = "operator:bob" } : row.Payload;
        entity = Restart(entity);
        Assert.Equal((Toy.Id, FaultKind.CorruptHistory), _faults.ExpectMsg<EntityFault>() is var fault ? (fault.Entity, fault.Kind) : default);
        Ends(entity, () => { });
    }

    [Fact]
    public void Event_of_a_newer_release_stops_the_entity_and_says_so()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Reading = _ => throw new UnknownWordException("PortPainted.1");
        entity = Restart(entity);
        Assert.Equal(FaultKind.NeedsNewerNode, _faults.ExpectMsg<EntityFault>().Kind);
        Ends(entity, () => { });
    }

    [Fact]
    public void Journal_away_makes_no_loop_of_restarts()
    {
        var entity = Start();
        Do(entity, Toy.Take("a"));
        _journal.Mood = JournalMood.Away;
        Ends(entity, () => entity.Tell(Toy.Take("b"), _asker));
        Assert.Equal(RefusalKind.Unknown, _asker.ExpectMsg<Answer>().Refusal!.Kind);
        var reads = _journal.Reads;
        entity = Start();
        Assert.Equal(FaultKind.Unreadable, _faults.ExpectMsg<EntityFault>().Kind);
        Ends(entity, () => { });
        _faults.ExpectNoMsg(TimeSpan.FromMilliseconds(300));
        Assert.Equal(reads + 1, _journal.Reads);
    }

    [Fact]
    public void Defect_of_the_core_ends_one_incarnation()
    {
        var entity = Start(_services with { NewCore = _ => new Broken() });
        Ends(entity, () => entity.Tell(Toy.Take("a"), _asker));
        Assert.Equal(FaultKind.Defect, _faults.ExpectMsg<EntityFault>().Kind);
    }

    sealed class Broken : IEntityCore
    {
        public long Sequence => 0;
        public bool HasOpenWork => false;

        public bool MayOweWork => false;
        public IReadOnlyList<Output> Step(Input input, DateTimeOffset now) => input is Input.Receive ? throw new InvalidOperationException("defect") : [];
    }

    sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
