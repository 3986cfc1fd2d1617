using Akka.Actor;
using Akka.Cluster;
using Akka.Hosting;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Host.Engine;

/// <summary>Key of the region of what stays on a host.</summary>
sealed class HostRegion;

/// <summary>Key of the region of what moves with a VM.</summary>
sealed class VmRegion;

/// <summary>
/// The way to every entity, on whichever node it lives, and the door's bounds in front of it: so many open asks for one
/// entity, and nothing while the journal is away. Mailboxes behind it have no bound of their own.
/// </summary>
sealed class ShardedEntities : IEntityDoor, IDisposable
{
    readonly Lazy<ActorSystem> _system;
    readonly TimeProvider _time;
    readonly Func<bool> _open;
    readonly Func<int> _wire;
    readonly ITimer _waking;
    readonly Lock _lock = new();
    readonly Dictionary<EntityId, int> _asks = [];
    readonly HashSet<EntityId> _asleep = [];

    /// <param name="open">False while the journal is away: what comes then is refused and not queued.</param>
    /// <param name="wire">The wire version that all members may speak.</param>
    public ShardedEntities(Func<ActorSystem> system, TimeProvider time, Func<bool> open, Func<int> wire)
    {
        _system = new Lazy<ActorSystem>(system);
        _time = time;
        _open = open;
        _wire = wire;
        _waking = time.CreateTimer(_ => WakeSome(), null, Numbers.WakeEvery, Numbers.WakeEvery);
    }

    /// <summary>
    /// The node is leaving. A region that leaves waits for what is buffered in it, and on the only node nobody will take
    /// that: some ten seconds for nothing. What entities tell each other then is dropped; who wakes up asks again.
    /// </summary>
    bool Leaving => CoordinatedShutdown.Get(_system.Value).ShutdownReason is not null;

    bool Alone => Cluster.Get(_system.Value).State.Members.Count <= 1;

    /// <summary>
    /// While the journal is away nobody could store what is said, and each message would start its addressee anew only to
    /// end it at its write, as often as all who wait ask again. Who is owed something asks again when it is back.
    /// </summary>
    bool Carries => _open() && (!Leaving || !Alone);

    /// <summary>
    /// Sends a message and waits for its answer. Every outcome is an answer: one that did not come is the refusal
    /// "unknown", after which the same message id may be sent again.
    /// </summary>
    public async Task<Answer> Ask(Envelope envelope, TimeSpan timeout, CancellationToken stop)
    {
        if (!_open())
        {
            return Refuse(envelope, RefusalKind.Unavailable, "journal.unavailable", "The journal is away; try again later.");
        }
        if (Leaving)
        {
            return Refuse(envelope, RefusalKind.Unavailable, "node.leaving", "This node is leaving; ask another, or again later.");
        }
        if (StoredNames.Since(StoredNames.Of(envelope.Body)) > _wire())
        {
            return Refuse(envelope, RefusalKind.Conflict, "cluster.mixed", "A node of the cluster may not speak this yet: it is of an older release, or is set to its wire version.");
        }
        if (!Enter(envelope.To))
        {
            return Refuse(envelope, RefusalKind.Overloaded, "actor.overloaded", $"{Numbers.AsksPerEntity} requests wait for {envelope.To}; try again later.");
        }
        try
        {
            var bounded = envelope with { Deadline = envelope.Deadline ?? _time.GetUtcNow() + timeout };
            return await Answered(bounded, timeout, stop) ?? Refuse(
                envelope, RefusalKind.Unknown, "request.timeout", $"{envelope.To} did not answer in time; ask again with the same key.");
        }
        finally
        {
            Leave(envelope.To);
        }
    }

    /// <summary>
    /// The one place that asks again: what is on its way to a node that dies is lost without a word, and an entity that is
    /// handed over is elsewhere in a moment. Null: no answer in time.
    /// </summary>
    async Task<Answer?> Answered(Envelope envelope, TimeSpan timeout, CancellationToken stop)
    {
        var (began, patience) = (_time.GetTimestamp(), Numbers.AskAgain);
        while (timeout - _time.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            try
            {
                var answer = await Region(envelope.To).Ask<Answer>(envelope, left < patience || Alone ? left : patience, stop);
                if (!IsElsewhere(answer) || Alone || !_open() || left < Numbers.AskMovedAgain)
                {
                    return answer;
                }
                await Task.Delay(Numbers.AskMovedAgain, _time, stop);
            }
            catch (AskTimeoutException)
            {
                // Lost, or only slow: the message id tells the entity that it is the same question.
                patience = patience < Numbers.AskAgainMax ? patience * 2 : patience;
            }
        }
        return null;
    }

    /// <summary>The incarnation that was asked has ended: the same message finds the next one, which knows the truth from its history.</summary>
    static bool IsElsewhere(Answer answer) => answer.Refusal is { Code: "actor.moved" or "journal.unknown" };

    public void Tell(Envelope envelope)
    {
        if (Carries)
        {
            Region(envelope.To).Tell(envelope, ActorRefs.NoSender);
        }
    }

    public void Tell(Answer answer)
    {
        if (answer.To is { } to && Carries)
        {
            Region(to).Tell(answer, ActorRefs.NoSender);
        }
    }

    public void Wake(EntityId entity)
    {
        if (!Leaving || !Alone)
        {
            Region(entity).Tell(new Wake(entity), ActorRefs.NoSender);
        }
    }

    public void WakeLater(EntityId entity)
    {
        lock (_lock)
        {
            _asleep.Add(entity);
        }
    }

    public void Dispose() => _waking.Dispose();

    void WakeSome()
    {
        if (!_open())
        {
            return;
        }
        EntityId[] some;
        lock (_lock)
        {
            some = [.. _asleep.Take(Numbers.WakesAtOnce)];
            _asleep.ExceptWith(some);
        }
        foreach (var entity in some)
        {
            Wake(entity);
        }
    }

    IActorRef Region(EntityId entity)
    {
        var regions = ActorRegistry.For(_system.Value);
        return entity.Region == ShardIds.VmRegion ? regions.Get<VmRegion>() : regions.Get<HostRegion>();
    }

    bool Enter(EntityId entity)
    {
        lock (_lock)
        {
            var open = _asks.GetValueOrDefault(entity);
            if (open >= Numbers.AsksPerEntity)
            {
                return false;
            }
            _asks[entity] = open + 1;
            return true;
        }
    }

    void Leave(EntityId entity)
    {
        lock (_lock)
        {
            if (--_asks[entity] == 0)
            {
                _asks.Remove(entity);
            }
        }
    }

    static Answer Refuse(Envelope envelope, RefusalKind kind, string code, string detail) =>
        new(envelope.MessageId, envelope.To, envelope.From, 0, 0, null, new Refusal(kind, code, detail));
}
