using System.Runtime.CompilerServices;
using Akka.Actor;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Tests.Actors.Shell;

public sealed class EntityMessageQueueTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly EntityMessageQueue _queue = new();

    [Fact]
    public void What_comes_first_is_taken_first()
    {
        Put("a", "b", "c");
        Assert.Equal(3, _queue.Count);
        Assert.Equal(["a", "b", "c"], Taken());
        Assert.Equal((0, false), (_queue.Count, _queue.HasMessages));
        Put("d");
        Assert.True(_queue.HasMessages);
        Assert.Equal(["d"], Taken());
    }

    [Fact]
    public void What_is_put_back_comes_before_what_waits_the_last_one_first()
    {
        Put("c");
        _queue.EnqueueFirst(Message("b"));
        _queue.EnqueueFirst(Message("a"));
        Assert.Equal(3, _queue.Count);
        Put("d");
        Assert.Equal(["a", "b", "c", "d"], Taken());
        _queue.EnqueueFirst(Message("e"));
        Assert.True(_queue.HasMessages);
        Assert.Equal(["e"], Taken());
    }

    [Fact]
    public void Message_is_not_kept_after_it_is_taken()
    {
        var last = PutAndTake();
        GC.Collect();
        Assert.False(last.IsAlive);
        GC.KeepAlive(_queue);
    }

    [Fact]
    public void What_waits_when_the_actor_ends_goes_to_the_dead_letters()
    {
        Put("a", "b");
        var dead = new EntityMessageQueue();
        _queue.CleanUp(ActorRefs.Nobody, dead);
        Assert.Equal((0, 2), (_queue.Count, dead.Count));
    }

    [Fact]
    public async Task Many_producers_lose_nothing_and_keep_each_its_own_order()
    {
        const int producers = 4;
        const int each = 300_000;
        using var together = new Barrier(producers);
        var puts = Task.WhenAll(Enumerable.Range(0, producers).Select(producer => Task.Run(() =>
        {
            together.SignalAndWait();
            for (var n = 0; n < each; n++)
            {
                _queue.Enqueue(ActorRefs.Nobody, Message((producer, n)));
            }
        })));
        var next = new int[producers];
        using var patience = new CancellationTokenSource(Patience);
        await Task.Run(() =>
        {
            for (var taken = 0; taken < producers * each;)
            {
                patience.Token.ThrowIfCancellationRequested();
                if (_queue.TryDequeue(out var envelope))
                {
                    var (producer, n) = ((int, int))envelope.Message;
                    Assert.Equal(next[producer]++, n);
                    taken++;
                }
            }
        });
        await puts;
        Assert.All(next, count => Assert.Equal(each, count));
        Assert.False(_queue.HasMessages);
    }

    /// <summary>The engine goes to rest only when the queue says that it is empty, and a producer wakes it only when it rests.</summary>
    [Fact]
    public async Task Actor_with_this_mailbox_answers_every_message_of_many_senders()
    {
        const int messages = 20_000;
        using var system = ActorSystem.Create("mailbox", $$"""
            akka.loglevel = WARNING
            akka.actor.default-mailbox.mailbox-type = "{{typeof(EntityMailbox).FullName}}, {{typeof(EntityMailbox).Assembly.GetName().Name}}"
            """);
        var counter = system.ActorOf(Props.Create(() => new Counter()));
        Parallel.For(0, messages, new ParallelOptions { MaxDegreeOfParallelism = 4 }, n =>
        {
            if (n % 100 == 0)
            {
                Thread.Yield(); // so that the actor comes to rest now and then
            }
            counter.Tell(n);
        });
        using var patience = new CancellationTokenSource(Patience);
        while (await counter.Ask<int>("count", Patience, patience.Token) < messages)
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    WeakReference PutAndTake()
    {
        var message = new object();
        _queue.Enqueue(ActorRefs.Nobody, Message(message));
        Assert.True(_queue.TryDequeue(out _));
        return new WeakReference(message);
    }

    void Put(params string[] messages)
    {
        foreach (var message in messages)
        {
            _queue.Enqueue(ActorRefs.Nobody, Message(message));
        }
    }

    List<object> Taken()
    {
        var taken = new List<object>();
        while (_queue.TryDequeue(out var envelope))
        {
            taken.Add(envelope.Message);
        }
        return taken;
    }

    static Envelope Message(object message) => new(message, ActorRefs.NoSender);

    sealed class Counter : ReceiveActor
    {
        int _count;

        public Counter()
        {
            Receive<int>(_ => _count++);
            Receive<string>(_ => Sender.Tell(_count));
        }
    }
}
