using Akka.Actor;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Actors.Shell;

/// <summary>The shard wants the entity to end: on hand-over, or because it asked to be passivated. The open write is finished first.</summary>
public sealed class EntityStop : INoSerializationVerificationNeeded
{
    public static readonly EntityStop Instance = new();

    EntityStop()
    {
    }
}

/// <summary>Starts an entity that has open work, and says nothing else to it.</summary>
public sealed record Wake(EntityId To);

/// <summary>A stored snapshot that this release cannot read: the entity recovers from its events alone.</summary>
public sealed record UnreadableSnapshot(string Manifest, string Reason);

/// <summary>Why an entity cannot be served.</summary>
public enum FaultKind
{
    /// <summary>A gap or a broken hash in its history: only an operator can help.</summary>
    CorruptHistory = 1,
    /// <summary>Its history has a word that this release does not know: a newer node can serve it.</summary>
    NeedsNewerNode,
    /// <summary>Its history could not be read now; the next message tries again.</summary>
    Unreadable,
    /// <summary>The core itself failed; the entity starts anew with the next message.</summary>
    Defect,
}

/// <summary>Published on the event stream when an entity stopped because it cannot be served; the host makes it an alarm.</summary>
public sealed record EntityFault(EntityId Entity, FaultKind Kind, string Reason);

/// <summary>How an entity reaches other entities, wherever they live.</summary>
public interface IEntityDoor
{
    void Tell(Envelope envelope);

    void Tell(Answer answer);

    /// <summary>Brings an entity back at once: it ended by a hand-over or passivation while it still owed something.</summary>
    void Wake(EntityId entity);

    /// <summary>Brings an entity back when the journal is well, at a bounded rate: it ended by a failed write.</summary>
    void WakeLater(EntityId entity);
}

/// <summary>How a bridge reaches its host's agent. A command for a session that has gone is dropped: the retry brings it again.</summary>
public interface IAgentDoor
{
    void Drive(EntityId bridge, long session, DriverCommand command);
}

/// <summary>What the shell of every entity needs of the world.</summary>
public sealed record EntityServices(CoreFactory NewCore, IEntityDoor Entities, IAgentDoor Agents, TimeProvider Time)
{
    /// <summary>What is still owed is asked for again this often: a lost message costs so much.</summary>
    public TimeSpan RetryEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>An entity without open work leaves memory after so long without a message.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromSeconds(120);

    public Props PropsOf(EntityId id) => Props.CreateBy(new Producer(id, this));

    sealed class Producer(EntityId id, EntityServices services) : IIndirectActorProducer
    {
        public Type ActorType => typeof(EntityActor);

        public ActorBase Produce() => new EntityActor(id, services);

        public void Release(ActorBase actor)
        {
        }
    }
}
