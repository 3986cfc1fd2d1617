using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Tests.Actors.Shell;

public enum JournalMood
{
    Works,
    /// <summary>Writes wait until it works again.</summary>
    Blocks,
    /// <summary>Writes fail and nothing is stored.</summary>
    Fails,
    /// <summary>Writes are stored, and then fail.</summary>
    LosesAnswers,
    /// <summary>Writes are not attempted.</summary>
    Rejects,
    /// <summary>Neither writes nor reads.</summary>
    Away,
}

/// <summary>What a test does to the journal of its actor system, and what it sees of it.</summary>
public sealed class JournalControl
{
    static readonly ConcurrentDictionary<string, JournalControl> All = new();
    readonly object _lock = new();
    TaskCompletionSource _works = new(TaskCreationOptions.RunContinuationsAsynchronously);
    JournalMood _mood;
    int _reads;

    public JournalControl() => All[Name] = this;

    public string Name { get; } = Guid.NewGuid().ToString("n");

    /// <summary>Edits each row as it is read: null removes it.</summary>
    public Func<IPersistentRepresentation, object?> Reading { get; set; } = row => row.Payload;

    public int Reads => Volatile.Read(ref _reads);

    public void CountRead() => Interlocked.Increment(ref _reads);

    public ConcurrentQueue<int> WriteSizes { get; } = new();

    public static JournalControl Find(string name) => All[name];

    public JournalMood Mood
    {
        get => _mood;
        set
        {
            lock (_lock)
            {
                _mood = value;
                if (value is JournalMood.Blocks)
                {
                    _works = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
                else
                {
                    _works.TrySetResult();
                }
            }
        }
    }

    public Task Unblocked() => _mood is JournalMood.Blocks ? _works.Task : Task.CompletedTask;

    public Config Config => ConfigurationFactory.ParseString($$"""
        akka.persistence {
            journal.plugin = "akka.persistence.journal.test"
            journal.test { class = "{{typeof(TestJournal).AssemblyQualifiedName}}", control = "{{Name}}", circuit-breaker.max-failures = 1000 }
            snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
        }
        akka.loglevel = WARNING
        akka.actor.mailbox.unbounded-deque-based.mailbox-type = "{{typeof(EntityMailbox).AssemblyQualifiedName}}"
        """);
}

/// <summary>The in-memory journal, with bad days on demand.</summary>
public sealed class TestJournal(Config config) : MemoryJournal
{
    readonly JournalControl _control = JournalControl.Find(config.GetString("control"));

    protected override async Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        var writes = messages.ToArray();
        await _control.Unblocked();
        switch (_control.Mood)
        {
            case JournalMood.Fails or JournalMood.Away:
                throw new IOException("the journal is away");
            case JournalMood.Rejects:
                return writes.Select(_ => (Exception)new IOException("rejected")).ToImmutableList();
            default:
                var answer = await base.WriteMessagesAsync(writes, cancellationToken);
                foreach (var write in writes)
                {
                    _control.WriteSizes.Enqueue(write.Size);
                }
                return _control.Mood is JournalMood.LosesAnswers ? throw new IOException("the answer was lost") : answer;
        }
    }

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr, CancellationToken cancellationToken) =>
        Read() ?? base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr, cancellationToken);

    Task<long>? Read()
    {
        _control.CountRead();
        return _control.Mood is JournalMood.Away ? Task.FromException<long>(new IOException("the journal is away")) : null;
    }

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback) =>
        base.ReplayMessagesAsync(context, persistenceId, fromSequenceNr, toSequenceNr, max, row =>
        {
            if (_control.Reading(row) is { } payload)
            {
                recoveryCallback(row.WithPayload(payload));
            }
        });
}
