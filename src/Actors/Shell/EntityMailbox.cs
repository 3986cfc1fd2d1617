using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;
using Envelope = Akka.Actor.Envelope;

namespace ControlPlane.Actors.Shell;

/// <summary>
/// The mailbox of entities: almost all of them have nothing to do, so that an empty one has to be small. The engine's own
/// keeps room for 32 messages in each, over 1 KiB.
/// </summary>
public sealed class EntityMailbox(Settings settings, Config config)
    : MailboxType(settings, config), IProducesMessageQueue<EntityMessageQueue>
{
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new EntityMessageQueue();
}

/// <summary>
/// A linked queue of many producers and one consumer, first in, first out. A producer puts its message at the end with
/// one exchange and links it then; until it is linked, the consumer waits those few instructions. Whoever sees the
/// queue empty may go to rest: the exchange comes before the producer looks whether the consumer rests. It has no bound,
/// as the engine's has none: the doors have one (design.md 4).
/// </summary>
public sealed class EntityMessageQueue : IMessageQueue, IUnboundedDequeBasedMessageQueueSemantics
{
    Node _last;
    Node _taken; // the one taken last; what follows it is waiting
    Node? _first; // what was put back, before all others; the consumer's alone

    public EntityMessageQueue() => _last = _taken = new Node(default);

    public bool HasMessages => _first is not null || Volatile.Read(ref _last) != Volatile.Read(ref _taken);

    /// <summary>Counts one by one: for people who look, not for the path of a message.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            for (var node = _first; node is not null; node = node.Next)
            {
                count++;
            }
            for (var node = Volatile.Read(ref _taken).Next; node is not null; node = node.Next)
            {
                count++;
            }
            return count;
        }
    }

    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        var node = new Node(envelope);
        Interlocked.Exchange(ref _last, node).Next = node;
    }

    /// <summary>Puts a message back before all others. Called by the actor itself, as its stash does.</summary>
    public void EnqueueFirst(Envelope envelope) => _first = new Node(envelope) { Next = _first };

    public bool TryDequeue(out Envelope envelope)
    {
        if (_first is { } first)
        {
            (_first, envelope) = (first.Next, first.Take());
            return true;
        }
        var taken = _taken;
        if (Volatile.Read(ref _last) == taken)
        {
            envelope = default;
            return false;
        }
        var wait = new SpinWait();
        Node? next;
        while ((next = taken.Next) is null)
        {
            wait.SpinOnce(); // a producer is between its exchange and its link
        }
        Volatile.Write(ref _taken, next);
        envelope = next.Take();
        return true;
    }

    public void CleanUp(IActorRef owner, IMessageQueue deadletters)
    {
        while (TryDequeue(out var envelope))
        {
            deadletters.Enqueue(owner, envelope);
        }
    }

    sealed class Node(Envelope envelope)
    {
        Envelope _envelope = envelope;
        Node? _next;

        public Node? Next
        {
            get => Volatile.Read(ref _next);
            set => Volatile.Write(ref _next, value);
        }

        /// <summary>The node stays as the queue's mark; nothing of the message may stay with it.</summary>
        public Envelope Take()
        {
            var envelope = _envelope;
            _envelope = default;
            return envelope;
        }
    }
}
