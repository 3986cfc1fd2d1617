using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// The whole behaviour of one kind of actor, as pure functions: no clock, I/O, randomness, await or Akka type. The core
/// around it stores before it speaks, removes duplicates and parks poison (design.md 3).
/// </summary>
public interface ILifecycle<TState, TEvent>
    where TState : class
    where TEvent : Event
{
    /// <summary>The state before any event.</summary>
    static abstract TState Initial(EntityId id);

    /// <summary>Answers a command: events and a reply, or a refusal that names the rule.</summary>
    static abstract Decision<TEvent> Decide(TState state, Command command, in Turn turn);

    /// <summary>What the event makes of the state. May not refuse: the event has happened.</summary>
    static abstract TState Evolve(TState state, TEvent happened);

    /// <summary>
    /// What the world still owes: the same state yields the same effects with the same ids. The core carries out what is
    /// newly due after each stored turn, and all of it after recovery and by timer.
    /// </summary>
    static abstract IEnumerable<Effect> Outstanding(TState state);
}

/// <summary>What a turn knows besides state and command.</summary>
/// <param name="Now">The time at which the message is handled.</param>
/// <param name="MessageId">The message's name; "" for answers and timers, which need no answer.</param>
/// <param name="OperationId">Set when the message begins an operation.</param>
public readonly record struct Turn(DateTimeOffset Now, string MessageId, string Who, string Correlation, string? OperationId);

/// <summary>An answer to a message of an earlier turn.</summary>
public sealed record LateAnswer(string MessageId, Reply? Reply, Refusal? Refusal);

/// <summary>What a turn came to.</summary>
public abstract record Decision<TEvent>
{
    Decision()
    {
    }

    /// <summary>Events to store and, if it can be said now, the reply to this message.</summary>
    /// <param name="Reply">Null: the answer to this message comes in a later turn, or none is awaited.</param>
    /// <param name="Late">Answers to earlier messages that this turn settles.</param>
    public sealed record Accepted(ImmutableArray<TEvent> Events, Reply? Reply, ImmutableArray<LateAnswer> Late) : Decision<TEvent>;

    /// <summary>Refused; the state is unchanged.</summary>
    public sealed record Refused(Refusal Refusal) : Decision<TEvent>;

    public static Decision<TEvent> Accept(Reply? reply, params ReadOnlySpan<TEvent> events) =>
        new Accepted([.. events], reply, []);

    public static Decision<TEvent> Accept(ImmutableArray<TEvent> events, Reply? reply, ImmutableArray<LateAnswer> late) =>
        new Accepted(events, reply, late);

    /// <summary>Nothing happened and nobody waits: a late answer, a timer of a state that has gone.</summary>
    public static readonly Decision<TEvent> Ignore = new Accepted([], null, []);

    public static Decision<TEvent> Refuse(Refusal refusal) => new Refused(refusal);

    /// <summary>The command is no word for this kind of actor.</summary>
    public static Decision<TEvent> NotMine(Command command) => new Refused(new Refusal(
        RefusalKind.Unprocessable, "actor.word", $"{StoredNames.Kind(StoredNames.Of(command))} is no request for this actor."));
}

/// <summary>Something due in the world. Ids are unique for ever within an entity: they carry a request or step id.</summary>
public abstract record Effect(string Id)
{
    /// <summary>Ask another entity; the answer arrives as <see cref="AnswerArrived"/>. Repeated until answered.</summary>
    public sealed record Ask(string Id, EntityId To, Command Body) : Effect(Id);

    /// <summary>Hand a command to the host's agent, under the session that is open now.</summary>
    public sealed record Drive(string Id, long Session, DriverCommand Command) : Effect(Id);

    /// <summary>Wake this entity at a time; arrives as <see cref="TimerElapsed"/>.</summary>
    /// <param name="Within">The wait that was meant: a clock that was set back makes it begin anew, and no longer. Null: the time itself was meant.</param>
    public sealed record WakeAt(string Id, DateTimeOffset At, TimeSpan? Within = null) : Effect(Id);
}
