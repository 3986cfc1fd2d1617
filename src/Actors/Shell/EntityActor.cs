using System.Text.Json;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Persistence;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Actors.Shell;

/// <summary>
/// The one persistent actor class: it feeds an <see cref="IEntityCore"/> and carries out what that says, in order. All
/// rules are in the core. It writes with PersistAllAsync, which is atomic and does not stash: the core's own stash is
/// the only one and has a bound.
/// </summary>
public sealed class EntityActor : PersistentActor
{
    // An Akka timer cannot be set for years, and a suspended machine makes long ones wrong: look again at least hourly.
    static readonly TimeSpan LongestNap = TimeSpan.FromHours(1);

    readonly EntityId _id;
    readonly EntityServices _services;
    IEntityCore _core;
    long? _lastSnapshot;
    bool _stopAsked;
    // Not the engine's timers by key: an idle entity has none, and pays for nothing here.
    ICancelable? _retry;
    Dictionary<string, ICancelable>? _naps;

    public EntityActor(EntityId id, EntityServices services)
    {
        _id = id;
        _services = services;
        _core = services.NewCore(id);
    }

    public override string PersistenceId => _id.Text;

    protected override bool ReceiveRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer offer:
                return Restore(offer);
            case StoredEvent row:
                _core.Step(new Input.Replay(row), _services.Time.GetUtcNow());
                return true;
            case RecoveryCompleted when LastSequenceNr != _core.Sequence:
                Fault(FaultKind.CorruptHistory, $"the journal's last number is {LastSequenceNr}, but events were read up to {_core.Sequence}");
                return true;
            case RecoveryCompleted:
                Context.SetReceiveTimeout(_services.IdleAfter);
                Feed(new Input.RecoveryDone());
                return true;
            default:
                throw new CorruptHistoryException($"{_id}: a {message.GetType().Name} is no stored event");
        }
    }

    /// <summary>False makes the plugin replay all events from the first, which is what an unreadable snapshot needs.</summary>
    bool Restore(SnapshotOffer offer)
    {
        try
        {
            if (offer.Snapshot is CoreSnapshot snapshot && snapshot.Entity == _id && snapshot.Sequence == offer.Metadata.SequenceNr)
            {
                _core.Step(new Input.Restore(snapshot), _services.Time.GetUtcNow());
                _lastSnapshot = offer.Metadata.SequenceNr;
                return true;
            }
            Log.Warning("{0}: snapshot {1} cannot be read ({2}); recovering from events", _id, offer.Metadata.SequenceNr, offer.Snapshot);
        }
#pragma warning disable CA1031 // A snapshot is only a short cut: whatever is wrong with it, the events tell the truth.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            Log.Warning(defect, "{0}: snapshot {1} does not fit; recovering from events", _id, offer.Metadata.SequenceNr);
            _core = _services.NewCore(_id);
        }
        return false;
    }

    /// <summary>The plugin stops the actor after this; nothing restarts it but the next message, and doors are closed while the journal is away.</summary>
    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        var cause = reason is AggregateException all ? all.GetBaseException() : reason;
        var kind = cause switch
        {
            UnknownWordException or JsonException => FaultKind.NeedsNewerNode,
            CorruptHistoryException => FaultKind.CorruptHistory,
            // The chain held up to here, so it is this release that cannot follow what another wrote.
            _ when message is StoredEvent => FaultKind.NeedsNewerNode,
            _ => FaultKind.Unreadable,
        };
        Fault(kind, cause.Message);
    }

    protected override bool ReceiveCommand(object message)
    {
        switch (message)
        {
            case Envelope envelope:
                Feed(new Input.Receive(envelope, envelope.From is null && !Sender.IsNobody() && !Sender.Equals(Context.System.DeadLetters) ? Sender : null));
                return true;
            case Answer answer:
                Feed(new Input.ReceiveAnswer(answer));
                return true;
            case Wake:
                return true;
            case RetryTick:
                Feed(new Input.Retry());
                return true;
            case Output.WakeMe tick when tick.At <= _services.Time.GetUtcNow():
                EndNap(tick.EffectId);
                Feed(new Input.TimerDue(tick.EffectId));
                return true;
            case Output.WakeMe tick:
                Nap(tick);
                return true;
            case ReceiveTimeout:
                Feed(new Input.Idle());
                return true;
            case EntityStop:
                _stopAsked = true;
                Feed(new Input.Stop());
                return true;
            case SaveSnapshotSuccess saved:
                KeepTwoSnapshots(saved.Metadata.SequenceNr);
                return true;
            case SaveSnapshotFailure failed:
                Log.Warning(failed.Cause, "{0}: snapshot {1} was not saved", _id, failed.Metadata.SequenceNr);
                return true;
            case DeleteSnapshotsSuccess:
                return true;
            case DeleteSnapshotsFailure failed:
                Log.Warning(failed.Cause, "{0}: old snapshots were not deleted", _id);
                return true;
            default:
                return false;
        }
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        Log.Warning(cause, "{0}: the outcome of write {1} is not known", _id, sequenceNr);
        Feed(new Input.WriteFailed(cause.Message));
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        Log.Error(cause, "{0}: write {1} was rejected", _id, sequenceNr);
        Feed(new Input.WriteRejected(cause.Message));
    }

    void Feed(Input input)
    {
        try
        {
            foreach (var output in _core.Step(input, _services.Time.GetUtcNow()))
            {
                CarryOut(output);
            }
        }
#pragma warning disable CA1031 // The core contains the defects of turns; one of its own ends this incarnation, without a loop of restarts.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            Fault(FaultKind.Defect, $"{defect.GetType().Name}: {defect.Message}");
            return;
        }
        if (!_core.HasOpenWork)
        {
            _retry?.Cancel();
            _retry = null;
        }
        else
        {
            _retry ??= Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
                _services.RetryEvery, _services.RetryEvery, Self, RetryTick.Instance, ActorRefs.NoSender);
        }
    }

    protected override void PostStop()
    {
        _retry?.Cancel();
        foreach (var (_, nap) in _naps ?? [])
        {
            nap.Cancel();
        }
        base.PostStop();
    }

    void CarryOut(Output output)
    {
        switch (output)
        {
            case Output.Persist(var rows):
                var stored = 0;
                PersistAllAsync(rows, _ =>
                {
                    if (++stored == rows.Length)
                    {
                        Feed(new Input.WriteDone());
                    }
                });
                break;
            case Output.Respond(var asker, var answer):
                ((IActorRef)asker).Tell(answer);
                break;
            case Output.Send(var envelope):
                _services.Entities.Tell(envelope);
                break;
            case Output.SendAnswer(var answer):
                _services.Entities.Tell(answer);
                break;
            case Output.Drive(var bridge, var session, var command):
                _services.Agents.Drive(bridge, session, command);
                break;
            case Output.WakeMe wake:
                Nap(wake);
                break;
            case Output.SaveSnapshot(var snapshot):
                SaveSnapshot(snapshot);
                break;
            case Output.Passivate:
                Context.Parent.Tell(new Passivate(EntityStop.Instance));
                break;
            case Output.End(var reason):
                End(reason);
                break;
            default:
                throw new System.Diagnostics.UnreachableException(output.ToString());
        }
    }

    void Nap(Output.WakeMe wake)
    {
        var tick = wake.SeenFrom(_services.Time.GetUtcNow());
        EndNap(tick.EffectId);
        var left = tick.At - _services.Time.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            Self.Tell(tick);
        }
        else
        {
            (_naps ??= [])[tick.EffectId] = Context.System.Scheduler.ScheduleTellOnceCancelable(
                left < LongestNap ? left : LongestNap, Self, tick, ActorRefs.NoSender);
        }
    }

    void EndNap(string effectId)
    {
        if (_naps is not null && _naps.Remove(effectId, out var nap))
        {
            nap.Cancel();
            _naps = _naps.Count > 0 ? _naps : null;
        }
    }

    /// <summary>The one before the last is kept in case that the last is damaged.</summary>
    void KeepTwoSnapshots(long saved)
    {
        if (_lastSnapshot is { } before)
        {
            DeleteSnapshots(new SnapshotSelectionCriteria(before - 1));
        }
        _lastSnapshot = saved;
    }

    void End(string reason)
    {
        Log.Debug("{0} ends: {1}", _id, reason);
        if (_core.MayOweWork && _stopAsked)
        {
            _services.Entities.Wake(_id);
        }
        else if (_core.MayOweWork)
        {
            _services.Entities.WakeLater(_id);
        }
        Context.Stop(Self);
    }

    void Fault(FaultKind kind, string reason)
    {
        Log.Error("{0} cannot be served ({1}): {2}", _id, kind, reason);
        Context.System.EventStream.Publish(new EntityFault(_id, kind, reason));
        if (kind == FaultKind.Unreadable || (kind == FaultKind.Defect && _core.MayOweWork))
        {
            _services.Entities.WakeLater(_id); // what it owes must not wait until somebody happens to ask
        }
        Context.Stop(Self);
    }

    sealed class RetryTick : INotInfluenceReceiveTimeout
    {
        public static readonly RetryTick Instance = new();
    }
}
