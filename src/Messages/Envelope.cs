namespace ControlPlane.Messages;

/// <summary>Something an entity is asked or told.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(NamedJson<Command>))]
public abstract record Command
{
    private protected Command()
    {
    }
}

/// <summary>
/// A command that may be decided again with the same outcome, a report of what is so or a question. It is not remembered,
/// so that many of them do not push out the answers that must be given again.
/// </summary>
public interface IRepeatable
{
    /// <summary>False: this one changes something and is remembered like all others.</summary>
    bool Repeatable => true;
}

/// <summary>What an entity answers when the request was carried out. Stored with the event, so that a repeat gets the same.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(NamedJson<Reply>))]
public abstract record Reply
{
    private protected Reply()
    {
    }

    /// <summary>What the record keeps of it: all, unless the reply says otherwise and how the asker learns it.</summary>
    public virtual Reply AsRecorded() => this;
}

/// <summary>One message to one entity, with where it came from.</summary>
/// <param name="MessageId">Names the request for ever: the same id again is answered from the record, once executed.</param>
/// <param name="Who">The person or program behind it: operator:ann, entity:vm/web-1, agent:hv01.</param>
/// <param name="Correlation">The operation that this belongs to; every message that follows from it carries the same.</param>
/// <param name="Cause">The event that led to it, as ENTITY#SEQUENCE, or null at the door.</param>
/// <param name="OperationId">Set when the message begins an operation that people can look up.</param>
/// <param name="BodyHash">SHA-256 of the request's body: the same idempotency key with another body is refused.</param>
/// <param name="Deadline">After this the work is refused before it starts.</param>
/// <param name="From">The entity that waits for the answer, or null when a door does.</param>
/// <param name="IfRevision">Refuse as stale unless the entity's revision is this.</param>
/// <param name="DryRun">Say what would happen and change nothing.</param>
public sealed record Envelope(
    EntityId To,
    string MessageId,
    string Who,
    string Correlation,
    Command Body,
    string? Cause = null,
    string? OperationId = null,
    string? BodyHash = null,
    DateTimeOffset? Deadline = null,
    EntityId? From = null,
    long? IfRevision = null,
    bool DryRun = false);

/// <summary>The answer to one <see cref="Envelope"/>: a reply or a refusal, and the position at which it became true.</summary>
/// <param name="Sequence">The entity's sequence number after the change; views that have reached it show the change.</param>
public sealed record Answer(string InReplyTo, EntityId From, EntityId? To, long Sequence, long Revision, Reply? Reply, Refusal? Refusal)
{
    /// <summary>Types of the events that a dry run would have stored.</summary>
    public IReadOnlyList<string>? WouldStore { get; init; }
}

/// <summary>Done; there is nothing more to say.</summary>
public sealed record Done : Reply;
