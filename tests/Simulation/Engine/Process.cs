namespace ControlPlane.Simulation;

/// <summary>
/// A program that runs somewhere: its tasks and timers are on the simulator and nowhere else. When it is killed, they are
/// gone without a last word, as those of a real program are; when it is paused, they wait.
/// </summary>
public sealed class Process : TaskScheduler
{
    readonly Simulator _simulator;
    readonly Queue<Action> _held = new();

    public Process(Simulator simulator, string name)
    {
        (_simulator, Name) = (simulator, name);
        Clock = new ProcessClock(simulator, this);
    }

    public string Name { get; }

    public ProcessClock Clock { get; }

    public bool Alive { get; private set; } = true;

    public bool Paused { get; private set; }

    /// <summary>Runs at once only from the simulator's steps; everything else is queued.</summary>
    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Begins an asynchronous program. What it throws ends the run as a defect.</summary>
    public void Run(Func<Task> program)
    {
        var task = Task.Factory.StartNew(program, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();
        _ = task.ContinueWith(
            ended => _simulator.Defect ??= new InvalidOperationException(Name, ended.Exception),
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, this);
    }

    public void After(TimeSpan delay, Action what) => _simulator.After(delay, this, what);

    public void Kill()
    {
        Alive = false;
        _held.Clear();
    }

    public void Pause() => Paused = true;

    public void Continue()
    {
        Paused = false;
        while (_held.TryDequeue(out var what))
        {
            _simulator.Ready(this, what);
        }
    }

    internal void Take(Action what)
    {
        if (!Alive)
        {
            return;
        }
        if (Paused)
        {
            _held.Enqueue(what);
            return;
        }
        what();
    }

    protected override void QueueTask(Task task) => _simulator.Ready(this, () => TryExecuteTask(task));

    /// <summary>Never: the order of everything is the simulator's.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
