using Akka.Actor;
using Akka.Persistence;

namespace ControlPlane.Journal.Tests;

sealed record Happened(string Text);

/// <summary>An event whose serialisation throws.</summary>
sealed class Unwritable
{
    public string Text => throw new NotSupportedException("this event cannot be written");
}

/// <summary>What the entity answers: stored, failed or rejected, with the journal's own exception.</summary>
sealed record Answer(long SequenceNr, Exception? Failure, bool Rejected)
{
    public bool Stored => Failure is null;
}

/// <summary>The smallest persistent actor: appends what it is told to, and says what became of it.</summary>
sealed class TestEntity : ReceivePersistentActor
{
    readonly List<string> _events = [];
    IActorRef? _asker;

    public TestEntity(string id)
    {
        PersistenceId = id;
        Recover<Happened>(happened => _events.Add(happened.Text));
        Command<Append>(append =>
        {
            _asker = Sender;
            PersistAll(append.Events, happened =>
            {
                if (happened is Happened { Text: var text })
                {
                    _events.Add(text);
                }
            });
            DeferAsync(0, _ => Sender.Tell(new Answer(LastSequenceNr, null, false)));
        });
        Command<Read>(_ => Sender.Tell(_events.ToArray()));
    }

    public override string PersistenceId { get; }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        _asker.Tell(new Answer(sequenceNr, cause, false));
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        _asker.Tell(new Answer(sequenceNr, cause, true));
        base.OnPersistRejected(cause, @event, sequenceNr);
    }

    internal sealed record Append(params object[] Events);

    internal sealed record Read;
}
