using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// What every entity needs around its lifecycle, as one step function: input in, outputs out. It stores before it
/// speaks, has the only stash, keeps one write open at a time, answers a repeated message from the record, and parks
/// poison. It does no I/O and reads no clock, so the simulation runs it unchanged (design.md 3).
/// <list type="bullet">
/// <item>While a write is open, messages wait in the stash; a full one answers actor.overloaded. When the write is
/// done, all that waits is decided in one batch and stored in one write.</item>
/// <item>No answer is given without an append, unless it repeats a stored one: a deposed incarnation could otherwise
/// answer from an old memory. A turn that changed nothing therefore stores RequestNoted, a refusal RequestRefused.</item>
/// <item>A turn that throws changed nothing, as state is immutable. The third time the message is parked.</item>
/// </list>
/// </summary>
public sealed class EntityCore<TLifecycle, TState, TEvent> : IEntityCore
    where TLifecycle : ILifecycle<TState, TEvent>
    where TState : class
    where TEvent : Event
{
    readonly EntityId _id;
    readonly CoreLimits _limits;
    readonly Queue<StashItem> _stash = new();
    ImmutableDictionary<string, ImmutableList<Asker>> _waiting = ImmutableDictionary<string, ImmutableList<Asker>>.Empty;
    ImmutableDictionary<string, int> _tries = ImmutableDictionary<string, int>.Empty;
    List<Output> _out = [];
    CoreMemory<TLifecycle, TState, TEvent> _memory;
    Batch? _writing;
    bool _stopping;
    bool _ended;
    long _snapshotAt;

    public EntityCore(EntityId id, CoreLimits limits)
    {
        _id = id;
        _limits = limits;
        _memory = CoreMemory<TLifecycle, TState, TEvent>.Initial(id);
    }

    /// <summary>The committed state.</summary>
    public TState State => _memory.State;

    public long Sequence => _memory.Sequence;

    public long Revision => _memory.Revision;

    /// <summary>Something is owed: the shell keeps the entity and its retry timer.</summary>
    public bool HasOpenWork => _memory.Open.Count > 0;

    public bool MayOweWork => HasOpenWork || _writing?.Memory.Open.Count > 0;

    /// <summary>Takes one input and says what is to be done, in order.</summary>
    public IReadOnlyList<Output> Step(Input input, DateTimeOffset now)
    {
        if (_ended)
        {
            return [];
        }
        switch (input)
        {
            case Input.Receive receive:
                Enqueue(receive, now);
                break;
            case Input.ReceiveAnswer(var answer) when answer.Refusal is not { Transient: true } && EffectOf(answer.InReplyTo) is { } effect:
                _stash.Enqueue(new StashItem.Inner(effect, new AnswerArrived(effect, answer.Reply, answer.Refusal)));
                break;
            case Input.ReceiveAnswer:
                break; // Nothing was decided there, and the retry timer asks again; or we never asked.
            case Input.TimerDue(var effect):
                _stash.Enqueue(new StashItem.Inner(effect, new TimerElapsed(effect)));
                break;
            case Input.WriteDone:
                Commit();
                break;
            case Input.WriteFailed(var reason):
                Fail(reason, RefusalKind.Unknown, "journal.unknown", "It is not known whether the change is stored; ask again with the same key.");
                break;
            case Input.WriteRejected(var reason):
                Fail(reason, RefusalKind.Unavailable, "journal.rejected", "The change was not stored.");
                break;
            case Input.Restore(var snapshot):
                _snapshotAt = snapshot.Sequence;
                _memory = CoreMemory<TLifecycle, TState, TEvent>.Of(snapshot);
                break;
            case Input.Replay(var row):
                _memory = _memory.Replay(row, _limits.ExecutedMax);
                break;
            case Input.RecoveryDone:
                _out.AddRange(_memory.Open.Values.Select(Due).OfType<Output>());
                break;
            case Input.Retry when _writing is null:
                // A timer that fired while the entity was parked, or in a turn that failed, was lost: it is set again.
                _out.AddRange(_memory.Open.Values
                    .Where(work => work.Effect is not Effect.WakeAt wake || wake.At <= now).Select(Due).OfType<Output>());
                break;
            case Input.Retry:
                break;
            case Input.Idle:
                if (_writing is null && _stash.Count == 0 && _waiting.Count == 0 && !HasOpenWork && _memory.Poison is null)
                {
                    _out.Add(new Output.Passivate());
                }
                break;
            case Input.Stop:
                _stopping = true;
                break;
            default:
                throw new System.Diagnostics.UnreachableException(input.ToString());
        }
        DecideStashed(now);
        if (_stopping && _writing is null && !_ended)
        {
            End("handed over");
        }
        var outputs = _out;
        _out = []; // an idle entity keeps nothing of what it said last, and no room for what waited
        if (_stash.Count == 0)
        {
            _stash.TrimExcess();
        }
        return outputs;
    }

    void Enqueue(Input.Receive receive, DateTimeOffset now)
    {
        var asker = new Asker(receive.Asker, receive.Envelope.From);
        if (_stopping)
        {
            Answer(asker, receive.Envelope.MessageId, null, Moved);
        }
        else if (_stash.Count >= _limits.StashMax)
        {
            Answer(asker, receive.Envelope.MessageId, null, new Refusal(
                RefusalKind.Overloaded, "actor.overloaded", $"{_stash.Count} messages wait for {_id}; try again later."));
        }
        else
        {
            _stash.Enqueue(new StashItem.Message(receive.Envelope, asker, now));
        }
    }

    /// <summary>Decides all that waits, in batches, until a write is open or nothing waits.</summary>
    void DecideStashed(DateTimeOffset now)
    {
        while (_writing is null && !_ended && _stash.Count > 0)
        {
            var batch = new Batch(_memory);
            for (var n = 0; n < _limits.BatchMax && _stash.TryDequeue(out var item); n++)
            {
                switch (item)
                {
                    case StashItem.Message message:
                        Handle(batch, message, now);
                        break;
                    case StashItem.Inner inner when batch.Memory.Open.TryGetValue(inner.EffectId, out var work):
                        HandleInner(batch, inner, work.Origin, now);
                        break;
                    case StashItem.Inner:
                        break; // Answered before: the effect is no longer open.
                }
            }
            if (batch.Rows.Count > 0)
            {
                _writing = batch;
                _out.Add(new Output.Persist([.. batch.Rows]));
            }
            else
            {
                _out.AddRange(batch.Say);
            }
        }
    }

    void Handle(Batch batch, StashItem.Message message, DateTimeOffset now)
    {
        var envelope = message.Envelope;
        var id = envelope.MessageId;
        if (batch.Memory.Book.Find(id) is { } executed)
        {
            Repeat(batch, executed, message);
        }
        else if (batch.Memory.Book.HasForgotten(id))
        {
            Say(batch, message.Asker, id, null, new Refusal(
                RefusalKind.Conflict, "request.forgotten", "It was executed before, so long ago that the answer is not remembered; nothing was done."));
        }
        else if (envelope.Deadline is { } deadline && deadline <= now)
        {
            Say(batch, message.Asker, id, null, new Refusal(RefusalKind.Expired, "request.expired", "The deadline passed before the work began."));
        }
        else if (envelope.Body is Unpark unpark)
        {
            HandleUnpark(batch, message, unpark, now);
        }
        else if (batch.Memory.Poison is { } poison)
        {
            Say(batch, message.Asker, id, null, new Refusal(
                RefusalKind.Unavailable, "actor.parked", $"{_id} is parked since message {poison.MessageId} failed: {poison.Error}"));
        }
        else if (envelope.IfRevision is { } revision && revision != batch.Memory.Revision)
        {
            Finish(batch, message, new Decision<TEvent>.Refused(new Refusal(
                RefusalKind.Stale, "revision.stale", $"The revision is {batch.Memory.Revision}, not {revision}.")), now);
        }
        else if (Try(batch, id, envelope.Body, new Turn(now, id, envelope.Who, envelope.Correlation, envelope.OperationId), out var decision, out var error))
        {
            Finish(batch, message, decision, now);
        }
        else if (envelope.DryRun)
        {
            Say(batch, message.Asker, id, null, new Refusal(RefusalKind.Defect, "actor.defect", error)); // counts for nothing
        }
        else
        {
            Failed(batch, message.Asker, id, envelope.Body, error, new Origin(envelope.Who, envelope.Correlation, envelope.Cause ?? ""), now);
        }
    }

    void Repeat(Batch batch, Executed executed, StashItem.Message message)
    {
        if (message.Envelope.BodyHash is { } hash && executed.BodyHash is { } first && hash != first)
        {
            Say(batch, message.Asker, executed.MessageId, null, new Refusal(
                RefusalKind.Unprocessable, "idempotency.mismatch", "The key was used before with another body.", Field: "Idempotency-Key"));
        }
        else if (executed.Answer is { } answer)
        {
            Say(batch, message.Asker, executed.MessageId, answer.Reply, answer.Refusal);
        }
        else
        {
            Wait(executed.MessageId, message.Asker);
        }
    }

    void HandleUnpark(Batch batch, StashItem.Message message, Unpark unpark, DateTimeOffset now)
    {
        var envelope = message.Envelope;
        if (batch.Memory.Poison is not { } poison)
        {
            Say(batch, message.Asker, envelope.MessageId, null, new Refusal(
                RefusalKind.Conflict, "actor.not-parked", $"{_id} is not parked."));
            return;
        }
        ImmutableArray<StoredAnswer> answers = [StoredAnswer.Of(envelope.MessageId, new Done(), null)];
        if (unpark.Drop)
        {
            answers = answers.Add(StoredAnswer.Of(poison.MessageId, null, new Refusal(
                RefusalKind.Conflict, "actor.dropped", "An operator dropped this message after it failed.")));
        }
        _tries = _tries.Remove(poison.MessageId);
        Append(batch, [new Unparked(poison.MessageId, unpark.Drop)], envelope, answers, now);
        Say(batch, message.Asker, envelope.MessageId, new Done(), null);
    }

    void HandleInner(Batch batch, StashItem.Inner inner, Origin origin, DateTimeOffset now)
    {
        if (batch.Memory.Poison is not null)
        {
            return; // The retry after the unparking brings it again.
        }
        var turn = new Turn(now, "", origin.Who, origin.Correlation, null);
        if (!Try(batch, inner.EffectId, inner.Command, turn, out var decision, out var error))
        {
            Failed(batch, new Asker(null, null), inner.EffectId, inner.Command, error, origin, now);
        }
        else if (decision is Decision<TEvent>.Accepted accepted && (accepted.Events.Length > 0 || accepted.Late.Length > 0))
        {
            var late = accepted.Late.Select(answer => StoredAnswer.Of(answer.MessageId, answer.Reply, answer.Refusal));
            var envelope = new Envelope(_id, "", origin.Who, origin.Correlation, inner.Command, origin.Cause);
            Append(batch, OrNoted(accepted.Events, inner.Command), envelope, [.. late], now);
            SayLate(batch, accepted.Late);
        }
    }

    void Finish(Batch batch, StashItem.Message message, Decision<TEvent> decision, DateTimeOffset now)
    {
        var envelope = message.Envelope;
        if (envelope.DryRun)
        {
            DryRun(batch, message, decision);
            return;
        }
        switch (decision)
        {
            case Decision<TEvent>.Refused(var refusal) when refusal.Transient:
                Say(batch, message.Asker, envelope.MessageId, null, refusal);
                break;
            case Decision<TEvent>.Refused(var refusal):
                Append(batch, [new RequestRefused(StoredNames.Kind(StoredNames.Of(envelope.Body)), refusal)], envelope,
                    [StoredAnswer.Of(envelope.MessageId, null, refusal)], now);
                Say(batch, message.Asker, envelope.MessageId, null, refusal);
                break;
            case Decision<TEvent>.Accepted accepted:
                var answers = accepted.Late.Select(late => StoredAnswer.Of(late.MessageId, late.Reply, late.Refusal)).ToList();
                var repeatable = envelope.Body is IRepeatable { Repeatable: true } && accepted.Reply is not null;
                if (accepted.Reply is { } reply && !repeatable)
                {
                    answers.Insert(0, StoredAnswer.Of(envelope.MessageId, reply, null));
                }
                Append(batch, OrNoted(accepted.Events, envelope.Body), repeatable ? envelope with { MessageId = "" } : envelope, [.. answers], now);
                if (accepted.Reply is not null)
                {
                    Say(batch, message.Asker, envelope.MessageId, accepted.Reply, null);
                }
                else if (batch.Memory.Book.Find(envelope.MessageId) is { Answer: null })
                {
                    Wait(envelope.MessageId, message.Asker);
                }
                SayLate(batch, accepted.Late, message);
                break;
        }
    }

    void DryRun(Batch batch, StashItem.Message message, Decision<TEvent> decision)
    {
        var accepted = decision as Decision<TEvent>.Accepted;
        var refusal = (decision as Decision<TEvent>.Refused)?.Refusal
            ?? accepted?.Late.FirstOrDefault(late => late.MessageId == message.Envelope.MessageId)?.Refusal;
        var events = refusal is null ? accepted?.Events ?? [] : [];
        Say(batch, message.Asker, new Answer(
            message.Envelope.MessageId, _id, message.Asker.Entity, batch.Memory.Sequence, batch.Memory.Revision,
            refusal is null ? new Done() : null, refusal)
        {
            WouldStore = [.. events.Select(happened => StoredNames.Kind(StoredNames.Of(happened)))],
        });
    }

    bool Try(Batch batch, string id, Command command, in Turn turn, out Decision<TEvent> decision, out string error)
    {
        try
        {
            decision = TLifecycle.Decide(batch.Memory.State, command, turn);
            if (decision is Decision<TEvent>.Accepted(var events, _, _))
            {
                // The whole turn is tried, so that an event that cannot follow, has no name, or leaves two effects of
                // one id, fails here and not after it is stored.
                var state = batch.Memory.State;
                foreach (var happened in events)
                {
                    _ = StoredNames.Of(happened);
                    state = TLifecycle.Evolve(state, happened);
                }
                _ = TLifecycle.Outstanding(state).ToDictionary(effect => effect.Id, StringComparer.Ordinal);
            }
            _tries = _tries.Remove(id);
            error = "";
            return true;
        }
#pragma warning disable CA1031 // Any defect of a turn is contained: nothing was changed, and the message is counted.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            decision = Decision<TEvent>.Ignore;
            error = $"{defect.GetType().Name}: {defect.Message}";
            return false;
        }
    }

    void Failed(Batch batch, Asker asker, string id, Command body, string error, Origin origin, DateTimeOffset now)
    {
        if (_tries.Count >= _limits.StashMax)
        {
            _tries = _tries.Clear(); // messages that failed and never came again; those that come again are counted anew
        }
        var tries = _tries.GetValueOrDefault(id) + 1;
        _tries = _tries.SetItem(id, tries);
        if (tries < _limits.TriesMax)
        {
            Say(batch, asker, id, null, new Refusal(RefusalKind.Defect, "actor.defect", $"The request failed ({tries} of {_limits.TriesMax} tries): {error}"));
            return;
        }
        var envelope = new Envelope(_id, "", origin.Who, origin.Correlation, body, origin.Cause);
        Append(batch, [new Parked(id, StoredNames.Kind(StoredNames.Of(body)), error)], envelope, [], now);
        Say(batch, asker, id, null, new Refusal(RefusalKind.Unavailable, "actor.parked", $"{_id} is parked since message {id} failed: {error}"));
    }

    static ImmutableArray<Event> OrNoted(ImmutableArray<TEvent> events, Command command) =>
        events.Length > 0 ? [.. events] : [new RequestNoted(StoredNames.Kind(StoredNames.Of(command)))];

    void Append(Batch batch, ImmutableArray<Event> events, Envelope envelope, ImmutableArray<StoredAnswer> answers, DateTimeOffset now)
    {
        for (var i = 0; i < events.Length; i++)
        {
            var first = i == 0;
            var asked = events[i] is IOnBehalf other ? batch.Memory.Book.Find(other.MessageId) : null;
            var row = StoredEvent.Make(
                _id, batch.Memory.Sequence + 1, now, asked?.Who ?? envelope.Who, envelope.Cause, asked?.Correlation ?? envelope.Correlation, first ? envelope.OperationId : null,
                first && envelope.MessageId.Length > 0 ? envelope.MessageId : null, first ? envelope.BodyHash : null,
                first ? answers : [], events[i], batch.Memory.Hash);
            batch.Rows.Add(row);
            batch.Memory = batch.Memory.Follow(row, _limits.ExecutedMax);
        }
    }

    void Commit()
    {
        var batch = _writing ?? throw new InvalidOperationException("no write is open");
        var before = _memory.Open;
        _memory = batch.Memory;
        _writing = null;
        _out.AddRange(batch.Say);
        _out.AddRange(_memory.Open.Values.Where(work => !before.ContainsKey(work.Effect.Id)).Select(Due).OfType<Output>());
        if (_memory.Sequence - _snapshotAt >= _limits.SnapshotEvery)
        {
            _snapshotAt = _memory.Sequence;
            _out.Add(new Output.SaveSnapshot(_memory.Snapshot()));
        }
    }

    /// <summary>The memory as a snapshot stores it.</summary>
    public CoreSnapshot Snapshot() => _memory.Snapshot();

    void Fail(string reason, RefusalKind kind, string code, string detail)
    {
        var refusal = new Refusal(kind, code, detail);
        foreach (var (asker, answer) in _writing?.Said ?? [])
        {
            Answer(asker, answer.InReplyTo, null, AsStored(answer.InReplyTo, refusal));
        }
        End(reason, refusal);
    }

    /// <summary>What was stored before, and is only asked or waited for again, is not in doubt.</summary>
    Refusal AsStored(string messageId, Refusal refusal) => _memory.Book.Find(messageId) is null ? refusal : Moved;

    /// <param name="failed">What is said of the write that was open; null: none was.</param>
    void End(string reason, Refusal? failed = null)
    {
        while (_stash.TryDequeue(out var item))
        {
            if (item is StashItem.Message message)
            {
                Answer(message.Asker, message.Envelope.MessageId, null, Moved);
            }
        }
        foreach (var (message, askers) in _waiting)
        {
            askers.ForEach(asker => Answer(asker, message, null, AsStored(message, failed ?? Moved)));
        }
        _waiting = _waiting.Clear();
        _ended = true;
        _out.Add(new Output.End(reason));
    }

    static readonly Refusal Moved = new(RefusalKind.Unavailable, "actor.moved", "The actor is being restarted; ask again.");

    Output? Due(OpenWork work) => work.Effect switch
    {
        Effect.Ask ask => new Output.Send(new Envelope(
            ask.To, MessageIdOf(ask.Id), work.Origin.Who, work.Origin.Correlation, ask.Body, work.Origin.Cause, From: _id)),
        Effect.Drive drive => new Output.Drive(_id, drive.Session, drive.Command),
        Effect.WakeAt wake => new Output.WakeMe(wake.Id, wake.At, wake.Within),
        _ => null,
    };

    string MessageIdOf(string effect) => $"{_id}>{effect}";

    string? EffectOf(string messageId)
    {
        var prefix = $"{_id}>";
        return messageId.StartsWith(prefix, StringComparison.Ordinal) ? messageId[prefix.Length..] : null;
    }

    void Wait(string messageId, Asker asker)
    {
        var askers = _waiting.GetValueOrDefault(messageId, []);
        if (asker is not { Door: null, Entity: null } && !askers.Contains(asker) && askers.Count < _limits.StashMax)
        {
            _waiting = _waiting.SetItem(messageId, askers.Add(asker));
        }
    }

    void SayLate(Batch batch, ImmutableArray<LateAnswer> late, StashItem.Message? current = null)
    {
        foreach (var answer in late)
        {
            if (_waiting.TryGetValue(answer.MessageId, out var askers))
            {
                _waiting = _waiting.Remove(answer.MessageId);
                askers.ForEach(asker => Say(batch, asker, answer.MessageId, answer.Reply, answer.Refusal));
            }
            if (current is not null && current.Envelope.MessageId == answer.MessageId && askers?.Contains(current.Asker) != true)
            {
                Say(batch, current.Asker, answer.MessageId, answer.Reply, answer.Refusal);
            }
        }
    }

    void Say(Batch batch, Asker asker, string messageId, Reply? reply, Refusal? refusal) =>
        Say(batch, asker, new Answer(messageId, _id, asker.Entity, batch.Memory.Sequence, batch.Memory.Revision, reply, refusal));

    static void Say(Batch batch, Asker asker, Answer answer)
    {
        batch.Said.Add((asker, answer));
        if (Speak(asker, answer) is { } output)
        {
            batch.Say.Add(output);
        }
    }

    void Answer(Asker asker, string messageId, Reply? reply, Refusal? refusal)
    {
        if (Speak(asker, new Answer(messageId, _id, asker.Entity, _memory.Sequence, _memory.Revision, reply, refusal)) is { } output)
        {
            _out.Add(output);
        }
    }

    static Output? Speak(Asker asker, Answer answer) =>
        asker.Door is { } door ? new Output.Respond(door, answer)
        : asker.Entity is not null ? new Output.SendAnswer(answer)
        : null;

    /// <summary>The turns of one write: what they store, what the memory is then, what is said then.</summary>
    sealed class Batch(CoreMemory<TLifecycle, TState, TEvent> memory)
    {
        public CoreMemory<TLifecycle, TState, TEvent> Memory { get; set; } = memory;
        public List<StoredEvent> Rows { get; } = [];
        public List<Output> Say { get; } = [];
        public List<(Asker Asker, Answer Answer)> Said { get; } = [];
    }
}
