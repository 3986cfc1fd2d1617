namespace ControlPlane.DriverLinux;

/// <summary>
/// A change of what one device has, in steps that each take effect between two frames. If the kernel refuses a step,
/// those before it are undone, last first: the programs that held before are attached again with their counters.
/// </summary>
sealed class TrafficChange(Traffic traffic, LinkInfo link) : IDisposable
{
    readonly List<(Action Do, Action Undo)> _steps = [];
    readonly List<BpfProgram> _held = [];

    /// <summary>The program, or none, in the place of what is there at that side and priority.</summary>
    public void Replace(TrafficSide side, int priority, List<TrafficFilter> there, (string Name, BpfProgram Program)? wanted)
    {
        (string Name, BpfProgram Program)? before = null;
        foreach (var filter in there.Where(filter => filter.IsReplaceable))
        {
            before = BpfProgram.Find(filter.Program) is { } held ? (filter.Name, Keep(held)) : null;
        }

        // Another hand's, which cannot be replaced, is taken away and does not come back.
        var removed = wanted is null || there.Exists(filter => !filter.IsReplaceable);
        if (removed)
        {
            _steps.Add((() => traffic.RemoveFilters(link, side, priority), () => PutBack(side, priority, before)));
        }

        if (wanted is { } next)
        {
            _steps.Add((
                () => traffic.SetFilter(link, side, priority, next.Name, next.Program),
                () => PutBack(side, priority, removed ? null : before)));
        }
    }

    public void SetBucket(TokenBucket? wanted, TokenBucket? before) => _steps.Add((() => Bucket(wanted), () => Bucket(before)));

    /// <summary>Keeps a program open until this change is over.</summary>
    public BpfProgram Keep(BpfProgram program)
    {
        _held.Add(program);
        return program;
    }

    /// <summary>All steps, or none.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Do()
    {
        for (var done = 0; done < _steps.Count; done++)
        {
            try
            {
                _steps[done].Do();
            }
            catch (KernelException error)
            {
                // Also the one that was refused: whether it took effect is not known if the answer was lost.
                throw Undo(_steps[..(done + 1)], error);
            }
        }

        return _steps.Count > 0;
    }

    public void Dispose() => _held.ForEach(program => program.Dispose());

    static KernelException Undo(List<(Action Do, Action Undo)> steps, KernelException refused)
    {
        List<string> failed = [];
        foreach (var (_, undo) in Enumerable.Reverse(steps))
        {
            try
            {
                undo();
            }
            catch (KernelException error)
            {
                failed.Add(error.Message);
            }
        }

        return refused.Then(failed.Count == 0
            ? "what held before holds"
            : "what held before is not all there: " + string.Join("; ", failed));
    }

    void PutBack(TrafficSide side, int priority, (string Name, BpfProgram Program)? before)
    {
        if (before is { } filter)
        {
            traffic.SetFilter(link, side, priority, filter.Name, filter.Program);
        }
        else
        {
            traffic.RemoveFilters(link, side, priority);
        }
    }

    void Bucket(TokenBucket? wanted)
    {
        if (wanted is { } bucket)
        {
            traffic.SetBucket(link, bucket);
        }
        else
        {
            traffic.RemoveBucket(link);
        }
    }
}
