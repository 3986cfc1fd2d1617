using Akka.Actor;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>When the journal last failed, and how.</summary>
sealed record JournalFailure(DateTimeOffset At, string Reason);

/// <summary>
/// What one node knows about its journal: the gate that doors ask before they accept work, and the signal that wakes the
/// projector. One per actor system; the journal writes it, everybody else reads.
/// </summary>
sealed class JournalHealth : IExtension
{
    readonly Lock _lock = new();
    TaskCompletionSource? _nextCommit;
    JournalPlace _last;
    long _commits;
    long _rows;
    long _fenced;
    volatile bool _isOpen = true;
    volatile JournalFailure? _lastFailure;

    /// <summary>
    /// False from a write that failed because the database was away, until a probe committed again. A door that
    /// sees false answers 503: persistent actors would only stop, recover and fail in a hot loop.
    /// </summary>
    public bool IsOpen => _isOpen;

    /// <summary>The last place known to be committed by this node; the default before the journal was opened.</summary>
    public JournalPlace Last
    {
        get
        {
            lock (_lock)
            {
                return _last;
            }
        }
    }

    public JournalFailure? LastFailure => _lastFailure;

    /// <summary>Transactions committed since the start; with <see cref="Rows"/> the size of a batch.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    public long Rows => Interlocked.Read(ref _rows);

    /// <summary>Writes of deposed incarnations that the unique key refused.</summary>
    public long Fenced => Interlocked.Read(ref _fenced);

    /// <summary>Left to the other side of a partition.</summary>
    public YieldedEntities Yielded { get; } = new();

    public static JournalHealth Of(ActorSystem system) =>
        system.WithExtension<JournalHealth, JournalHealthProvider>();

    /// <summary>Completes as soon as something after this place is committed by this node.</summary>
    public async Task WaitForCommitAfter(JournalPlace place, CancellationToken stop)
    {
        while (NextCommitAfter(place) is { } next)
        {
            await next.WaitAsync(stop);
        }
    }

    internal void Committed(JournalPlace place, int rows)
    {
        Interlocked.Increment(ref _commits);
        Interlocked.Add(ref _rows, rows);
        MoveTo(place);
    }

    internal void FencedOne(string persistenceId)
    {
        Interlocked.Increment(ref _fenced);
        Yielded.Yield(persistenceId);
    }

    internal void Opened(JournalPlace place)
    {
        MoveTo(place);
        _isOpen = true;
    }

    internal void Closed(JournalFailure failure)
    {
        _lastFailure = failure;
        _isOpen = false;
    }

    Task? NextCommitAfter(JournalPlace place)
    {
        lock (_lock)
        {
            if (_last > place)
            {
                return null;
            }

            _nextCommit ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _nextCommit.Task;
        }
    }

    void MoveTo(JournalPlace place)
    {
        TaskCompletionSource? woken = null;
        lock (_lock)
        {
            if (place > _last)
            {
                _last = place;
                (woken, _nextCommit) = (_nextCommit, null);
            }
        }

        woken?.SetResult();
    }
}

/// <summary>Takes the health object that the host registered with <see cref="JournalWiring"/>, or makes one.</summary>
sealed class JournalHealthProvider : ExtensionIdProvider<JournalHealth>
{
    public override JournalHealth CreateExtension(ExtendedActorSystem system) => JournalWiring.Of(system).Health;
}
