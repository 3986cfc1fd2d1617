namespace ControlPlane.Messages;

/// <summary>
/// Something that happened. The stored names and versions of all events are in <see cref="StoredNames"/>; their fields
/// are storage formats and change only compatibly.
/// </summary>
[System.Text.Json.Serialization.JsonConverter(typeof(NamedJson<Event>))]
public abstract record Event
{
    private protected Event()
    {
    }
}

/// <summary>An event that an entity keeps for itself: nothing that people see has changed, so no revision counts it (api.md 2).</summary>
public interface IBookkeeping;

/// <summary>
/// An event that belongs to a message of an earlier turn, whichever turn it happens in: an OID that waited for the slot
/// starts when another one ends. It is stored under that message's person and operation.
/// </summary>
public interface IOnBehalf
{
    /// <summary>The message that waits for the outcome.</summary>
    string MessageId { get; }
}

/// <summary>A request was refused; nothing else changed. Written so that a refusal, too, is fenced and audited.</summary>
public sealed record RequestRefused(string Request, Refusal Refusal) : Event;

/// <summary>A request was answered and nothing changed (it was already so).</summary>
public sealed record RequestNoted(string Request) : Event;

/// <summary>A message failed three times with a defect; the entity refuses work until an operator unparks it.</summary>
public sealed record Parked(string PoisonMessageId, string Request, string Error) : Event;

/// <summary>An operator unparked the entity; with drop the message is never tried again.</summary>
public sealed record Unparked(string PoisonMessageId, bool Drop) : Event;

/// <summary>The operator's word to a parked entity.</summary>
public sealed record Unpark(bool Drop) : Command;

/// <summary>The answer to an effect of ours has come; made by the core, never sent.</summary>
public sealed record AnswerArrived(string EffectId, Reply? Reply, Refusal? Refusal) : Command;

/// <summary>A wake-up that the entity asked for is due; made by the core, never sent.</summary>
public sealed record TimerElapsed(string EffectId) : Command;
