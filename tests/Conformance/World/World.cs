using ControlPlane.Actors;
using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// The real cores of all entities in one thread, with one queue, a clock that moves when told, a journal in memory and a
/// data path in memory. Entities are made when they are first spoken to. What is in the queue survives a crash, as what
/// is on the wire does; what a core had in memory does not.
/// </summary>
public sealed partial class World(int snapshotEvery = 200)
{
    /// <summary>More steps than this without coming to rest is a defect.</summary>
    const int StepsMax = 100_000;

    readonly SortedDictionary<EntityId, IEntityCore> _cores = [];
    readonly Dictionary<EntityId, CoreSnapshot> _snapshots = [];
    readonly Dictionary<EntityId, IReadOnlyList<StoredEvent>> _unstored = [];
    readonly HashSet<EntityId> _slowWriters = [];
    readonly Queue<Delivery> _steps = new();
    readonly List<Timer> _timers = [];
    readonly List<Question> _questions = [];
    readonly Dictionary<string, long> _sessions = [];

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Everything that was stored, by entity.</summary>
    public SortedDictionary<EntityId, List<StoredEvent>> Journal { get; } = [];

    /// <summary>Everything that was stored, in the order in which it was.</summary>
    public List<StoredEvent> Log { get; } = [];

    /// <summary>Told after each step.</summary>
    public Action? Stepped { get; set; }

    public SortedDictionary<string, DataPath> Hosts { get; } = new(StringComparer.Ordinal);

    /// <summary>Entities that were spoken to, in order of their ids.</summary>
    public IReadOnlyList<EntityId> Entities => [.. _cores.Keys];

    /// <summary>Something waits in the queue.</summary>
    public bool Busy => _steps.Count > 0;

    public long Stored => Journal.Values.Sum(rows => (long)rows.Count);

    /// <summary>Asks an entity as a door does, and waits for nothing.</summary>
    public Question Ask(EntityId to, string messageId, Command body, string who = "operator:test")
    {
        var question = new Question(new Envelope(to, messageId, who, messageId, body));
        _questions.Add(question);
        Deliver(to, new Input.Receive(question.Envelope, question));
        return question;
    }

    /// <summary>Takes one step from the queue.</summary>
    public void Step()
    {
        var step = _steps.Dequeue();
        if (step.Incarnation is null || step.Incarnation == _cores.GetValueOrDefault(step.To))
        {
            Feed(step.To, step.Input());
        }
        Stepped?.Invoke();
    }

    /// <summary>
    /// Runs until nothing moves: after each quiet moment everybody who is owed something asks again, as the retry timers
    /// would, until that stores nothing more.
    /// </summary>
    public World Settle()
    {
        for (long before = -1, taken = 0; before != Stored;)
        {
            before = Stored;
            foreach (var id in Entities.Where(id => _cores[id].HasOpenWork))
            {
                Deliver(id, new Input.Retry());
            }
            while (Busy)
            {
                Assert.True(taken++ < StepsMax, "the world does not come to rest");
                Step();
            }
        }
        return this;
    }

    /// <summary>Moves the clock; wake-ups come at their time.</summary>
    public World Advance(TimeSpan by)
    {
        var until = Now + by;
        while (_timers.Where(timer => timer.At <= until).OrderBy(timer => timer.At).FirstOrDefault() is { } due)
        {
            _timers.Remove(due);
            Now = due.At > Now ? due.At : Now;
            Deliver(due.To, new Input.TimerDue(due.EffectId));
            Settle();
        }
        Now = until;
        return Settle();
    }

    /// <summary>The entity's memory is gone; it recovers from what is stored. Doors that wait there ask again.</summary>
    public void Crash(EntityId id, bool withSnapshot = false)
    {
        _unstored.Remove(id);
        _timers.RemoveAll(timer => timer.To == id);
        var core = _cores[id] = NewCore(id);
        var from = 0L;
        if (withSnapshot && _snapshots.TryGetValue(id, out var snapshot))
        {
            core.Step(new Input.Restore(snapshot), Now);
            from = snapshot.Sequence;
        }
        foreach (var row in Rows(id).Where(row => row.Sequence > from))
        {
            core.Step(new Input.Replay(AsRead(row)), Now);
        }
        Feed(id, new Input.RecoveryDone());
        foreach (var question in _questions.Where(question => question.Answer is null && question.Envelope.To == id))
        {
            Deliver(id, new Input.Receive(question.Envelope, question));
        }
    }

    public void CrashAll(bool withSnapshot = false)
    {
        foreach (var id in Entities)
        {
            Crash(id, withSnapshot);
        }
    }

    /// <summary>Writes of this entity are not acknowledged until <see cref="FinishWrite"/>; a crash loses them.</summary>
    public void HoldWrites(EntityId id) => _slowWriters.Add(id);

    public void FinishWrite(EntityId id)
    {
        _slowWriters.Remove(id);
        if (_unstored.Remove(id, out var rows))
        {
            Store(id, rows);
        }
    }

    public IReadOnlyList<StoredEvent> Rows(EntityId id) => Journal.TryGetValue(id, out var rows) ? rows : [];

    /// <summary>The names of an entity's stored events, without versions.</summary>
    public IReadOnlyList<string> Events(EntityId id) => [.. Rows(id).Select(row => StoredNames.Kind(row.Name))];

    /// <summary>The entity's committed state.</summary>
    public object? State(EntityId id) => _cores.GetValueOrDefault(id) switch
    {
        null => null,
        EntityCore<BridgeLifecycle, BridgeState, BridgeEvent> core => core.State,
        EntityCore<SwitchLifecycle, SwitchState, SwitchEvent> core => core.State,
        EntityCore<PortLifecycle, PortState, PortEvent> core => core.State,
        EntityCore<NicLifecycle, NicState, NicEvent> core => core.State,
        EntityCore<VmLifecycle, VmState, VmEvent> core => core.State,
        EntityCore<MigrationLifecycle, MigrationState, MigrationEvent> core => core.State,
        var other => throw new InvalidOperationException(other.ToString()),
    };

    void Deliver(EntityId to, Input input) => _steps.Enqueue(new Delivery(to, () => input, null));

    void Feed(EntityId id, Input input)
    {
        var core = _cores.TryGetValue(id, out var known) ? known : _cores[id] = NewCore(id);
        foreach (var output in core.Step(input, Now))
        {
            CarryOut(id, output);
        }
    }

    void CarryOut(EntityId id, Output output)
    {
        switch (output)
        {
            case Output.Persist(var rows) when _slowWriters.Contains(id):
                _unstored[id] = rows;
                break;
            case Output.Persist(var rows):
                Store(id, rows);
                break;
            case Output.Respond(Question asker, var answer):
                asker.Answer = answer;
                break;
            case Output.Send(var envelope):
                Deliver(envelope.To, new Input.Receive(envelope, null));
                break;
            case Output.SendAnswer(var answer):
                Deliver(answer.To!.Value, new Input.ReceiveAnswer(answer));
                break;
            case Output.Drive(var bridge, var session, var command):
                Carry(bridge, session, command);
                break;
            case Output.WakeMe(var effect, var at, _):
                _timers.RemoveAll(timer => timer.To == id && timer.EffectId == effect);
                _timers.Add(new Timer(id, effect, at));
                break;
            case Output.SaveSnapshot(var snapshot):
                _snapshots[id] = snapshot with { State = StateNames.Decode(id, StateNames.Of(id), StateNames.Encode(id, snapshot.State)) };
                break;
            case Output.End:
                _cores.Remove(id);
                break;
        }
    }

    void Store(EntityId id, IReadOnlyList<StoredEvent> rows)
    {
        if (!Journal.TryGetValue(id, out var journal))
        {
            journal = Journal[id] = [];
        }
        journal.AddRange(rows);
        Log.AddRange(rows);
        _steps.Enqueue(new Delivery(id, () => new Input.WriteDone(), _cores[id]));
    }

    IEntityCore NewCore(EntityId id)
    {
        var limits = CoreLimits.For(id.Kind) with { SnapshotEvery = snapshotEvery };
        return id.Kind switch
        {
            "bridge" => new EntityCore<BridgeLifecycle, BridgeState, BridgeEvent>(id, limits),
            "switch" => new EntityCore<SwitchLifecycle, SwitchState, SwitchEvent>(id, limits),
            "port" => new EntityCore<PortLifecycle, PortState, PortEvent>(id, limits),
            "nic" => new EntityCore<NicLifecycle, NicState, NicEvent>(id, limits),
            "vm" => new EntityCore<VmLifecycle, VmState, VmEvent>(id, limits),
            "migration" => new EntityCore<MigrationLifecycle, MigrationState, MigrationEvent>(id, limits),
            _ => throw new InvalidOperationException($"no core for {id}"),
        };
    }

    /// <summary>The row as a journal gives it back: from its bytes.</summary>
    static StoredEvent AsRead(StoredEvent row) => new(
        row.Entity, row.Sequence, row.At, row.Who, row.Cause, row.Correlation, row.OperationId, row.MessageId, row.BodyHash,
        row.Answers, row.Name, row.Body, row.PreviousHash, row.Hash);

    /// <param name="Incarnation">Set where the step is for one incarnation alone: the end of a write.</param>
    sealed record Delivery(EntityId To, Func<Input> Input, IEntityCore? Incarnation);

    sealed record Timer(EntityId To, string EffectId, DateTimeOffset At);
}

/// <summary>What a door asked, and the answer when it has come.</summary>
public sealed class Question(Envelope envelope)
{
    public Envelope Envelope { get; } = envelope;

    public Answer? Answer { get; set; }
}
