using System.Globalization;

namespace ControlPlane.Simulation;

/// <summary>
/// One thread, one clock, one queue. Things happen at their virtual time; what is ready at the same time is taken in an
/// order that is a choice. Each thing that happens is a step, and enters the trace.
/// </summary>
public sealed class Simulator
{
    readonly PriorityQueue<Happening, (long At, long Order)> _agenda = new();
    readonly List<Happening> _ready = [];
    readonly int _thread = Environment.CurrentManagedThreadId;
    readonly int _reorderPerMille;
    long _order;

    /// <param name="reorderPerMille">How often something other than the oldest ready thing is taken next.</param>
    public Simulator(Choices luck, Trace trace, int reorderPerMille = 0) => (Luck, Trace, _reorderPerMille) = (luck, trace, reorderPerMille);

    public Choices Luck { get; }

    public Trace Trace { get; }

    /// <summary>Since the beginning.</summary>
    public TimeSpan Elapsed { get; private set; }

    public long Steps { get; private set; }

    /// <summary>What left the thread, if anything did: the run has failed then.</summary>
    public string? Escaped { get; private set; }

    /// <summary>The first exception that nothing awaited: a defect, of the product or of the simulation.</summary>
    public Exception? Defect { get; set; }

    /// <summary>Called after each step.</summary>
    public Action? AfterStep { get; set; }

    public bool Idle => _ready.Count == 0 && _agenda.Count == 0;

    /// <summary>Something that happens once the time has come, unless its process is dead by then.</summary>
    public void After(TimeSpan delay, Process? where, Action what) =>
        _agenda.Enqueue(new Happening(where, what), ((Elapsed + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero)).Ticks, ++_order));

    /// <summary>Something that is ready now.</summary>
    public void Ready(Process where, Action what)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            // Nothing else is touched: the run's own thread may be at work.
            Escaped ??= string.Create(CultureInfo.InvariantCulture, $"{where.Name} was woken from thread {Environment.CurrentManagedThreadId}: {Environment.StackTrace}");
            return;
        }
        _ready.Add(new Happening(where, what));
    }

    /// <summary>Takes one step. False: nothing will ever happen any more, or not before <paramref name="until"/>.</summary>
    public bool Step(TimeSpan until)
    {
        Happening next;
        if (_ready.Count > 0)
        {
            var at = _ready.Count > 1 && Luck.Happens("schedule", _reorderPerMille) ? Luck.Next("schedule.which", _ready.Count) : 0;
            next = _ready[at];
            _ready.RemoveAt(at);
        }
        else if (_agenda.TryPeek(out next, out var due) && due.At <= until.Ticks)
        {
            _agenda.Dequeue();
            Elapsed = TimeSpan.FromTicks(Math.Max(due.At, Elapsed.Ticks));
        }
        else
        {
            Elapsed = until > Elapsed ? until : Elapsed;
            return false;
        }
        Steps++;
        if (next.Where is { } process)
        {
            process.Take(next.What);
        }
        else
        {
            next.What();
        }
        AfterStep?.Invoke();
        return true;
    }

    readonly record struct Happening(Process? Where, Action What);
}
