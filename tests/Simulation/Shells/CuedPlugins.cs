using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using ControlPlane.Actors.Entities;

namespace ControlPlane.Simulation.Shells;

/// <summary>A journal that ends a write when it is told to, and how; it speaks the plugins' protocol and nothing more.</summary>
sealed class CuedJournal : UntypedActor
{
    Stage _stage = new();
    WriteMessages? _open;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Stage stage:
                _stage = stage;
                break;
            case WriteMessages write:
                _open = write;
                _stage.Offer([.. Rows(write).Select(row => (StoredEvent)row.Payload)]);
                break;
            case Fate fate:
                _stage.EndWrite(fate);
                Answer(_open!, fate);
                break;
            case ReplayMessages replay:
                Replay(replay);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    static void Answer(WriteMessages write, Fate fate)
    {
        var cause = new IOException("the test's");
        ImmutableArray<IPersistentRepresentation> rows = [.. Rows(write)];
        write.PersistentActor.Tell(fate is Fate.Lost or Fate.Committed
            ? new WriteMessagesFailed(cause, write.Messages.Count())
            : WriteMessagesSuccessful.Instance, ActorRefs.NoSender);
        foreach (var row in rows)
        {
            write.PersistentActor.Tell(fate switch
            {
                Fate.Stored => new WriteMessageSuccess(row, write.ActorInstanceId),
                Fate.Rejected => new WriteMessageRejected(row, cause, write.ActorInstanceId),
                _ => new WriteMessageFailure(row, cause, write.ActorInstanceId),
            }, ActorRefs.NoSender);
        }
    }

    void Replay(ReplayMessages replay)
    {
        try
        {
            foreach (var row in _stage.Read(replay.FromSequenceNr - 1))
            {
                replay.PersistentActor.Tell(new ReplayedMessage(new Persistent(row, row.Sequence, replay.PersistenceId)), ActorRefs.NoSender);
            }
            replay.PersistentActor.Tell(new RecoverySuccess(_stage.Rows.Count), ActorRefs.NoSender);
        }
#pragma warning disable CA1031 // As plugins do: what goes wrong is said to the one that reads.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            replay.PersistentActor.Tell(new ReplayMessagesFailure(defect), ActorRefs.NoSender);
        }
    }

    static IEnumerable<IPersistentRepresentation> Rows(WriteMessages write) =>
        write.Messages.OfType<AtomicWrite>().SelectMany(atomic => (IEnumerable<IPersistentRepresentation>)atomic.Payload);
}

/// <summary>A snapshot store that gives out what it has when it is told to.</summary>
sealed class CuedSnapshots : UntypedActor
{
    public const string Cue = "cue";

    Stage _stage = new();
    (IActorRef To, LoadSnapshot Load)? _waiting;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Stage stage:
                _stage = stage;
                break;
            case LoadSnapshot load:
                _waiting = (Sender, load);
                break;
            case Cue when _waiting is var (to, load):
                to.Tell(new LoadSnapshotResult(Selected(load.PersistenceId), load.ToSequenceNr));
                _waiting = null;
                break;
            case SaveSnapshot save:
                _stage.Save((CoreSnapshot)save.Snapshot);
                Sender.Tell(new SaveSnapshotSuccess(save.Metadata));
                break;
            case DeleteSnapshots delete:
                Sender.Tell(new DeleteSnapshotsSuccess(delete.Criteria));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    SelectedSnapshot? Selected(string id) =>
        _stage.Offered is var (snapshot, sequence) ? new SelectedSnapshot(new SnapshotMetadata(id, sequence, DateTime.UnixEpoch), snapshot) : null;
}
