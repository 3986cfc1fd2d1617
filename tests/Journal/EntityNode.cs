using System.Collections.Concurrent;
using Akka.Actor;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Journal.Tests;

/// <summary>One node with entities as they are in production, except that what they send to others is only written down.</summary>
sealed class EntityNode : IEntityDoor, IAgentDoor, IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly JournalNode _node;
    readonly EntityServices _services;

    EntityNode(JournalNode node)
    {
        _node = node;
        // What is owed is sent once, so that what was sent can be counted.
        _services = new EntityServices(EntityKinds.NewCore, this, this, TimeProvider.System) { RetryEvery = TimeSpan.FromHours(1) };
    }

    /// <summary>What entities here sent to other entities.</summary>
    public ConcurrentQueue<Envelope> Sent { get; } = new();

    public long Fenced => _node.Health.Fenced;

    public static async Task<EntityNode> Start(TestStore store) => new(await store.Start());

    /// <summary>An incarnation that has recovered, and how many events it has seen.</summary>
    public async Task<(IActorRef Entity, long Sequence)> Incarnate(EntityId id)
    {
        var entity = _node.System.ActorOf(_services.PropsOf(id));
        var looked = new Envelope(id, "look", "operator:ann", "look", new DeleteVm(), DryRun: true);
        return (entity, (await entity.Ask<Messages.Answer>(looked, Patience)).Sequence);
    }

    public static Task<Messages.Answer> Ask(IActorRef entity, Envelope envelope) => entity.Ask<Messages.Answer>(envelope, Patience);

    /// <summary>As a hand-over stops it: the open write is finished first.</summary>
    public static async Task HandOver(IActorRef entity)
    {
        var ended = entity.WatchAsync();
        entity.Tell(EntityStop.Instance);
        await Ended(ended);
    }

    public static async Task Ended(Task ended) => await ended.WaitAsync(Patience);

    void IEntityDoor.Tell(Envelope envelope) => Sent.Enqueue(envelope);

    void IEntityDoor.Tell(Messages.Answer answer) => throw new InvalidOperationException($"nobody here is asked by an entity: {answer}");

    void IEntityDoor.Wake(EntityId entity)
    {
    }

    void IEntityDoor.WakeLater(EntityId entity)
    {
    }

    void IAgentDoor.Drive(EntityId bridge, long session, DriverCommand command) => throw new InvalidOperationException($"there is no bridge here: {command}");

    public ValueTask DisposeAsync() => _node.DisposeAsync();
}
