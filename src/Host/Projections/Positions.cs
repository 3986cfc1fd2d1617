namespace ControlPlane.Host.Projections;

/// <summary>
/// Who waits for the read tables to show something: a key (an entity, an operation, or everything) and the number that it
/// has to reach. The number of waiters has a bound.
/// </summary>
sealed class Positions(TimeProvider time)
{
    public const int WaitersMax = 10_000;

    readonly Lock _lock = new();
    readonly Dictionary<string, List<Waiter>> _waiters = new(StringComparer.Ordinal);
    int _count;

    /// <summary>
    /// True when the key has reached the number, false when the time was up or too many wait.
    /// <paramref name="now"/> is asked after the waiter is registered, so that nothing falls between.
    /// </summary>
    public async Task<bool> Reached(string key, long number, Func<long> now, TimeSpan patience, CancellationToken stop)
    {
        var waiter = new Waiter(number);
        if (!Add(key, waiter))
        {
            return now() >= number;
        }
        try
        {
            if (now() >= number)
            {
                return true;
            }
            await waiter.Done.Task.WaitAsync(patience, time, stop);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            Remove(key, waiter);
        }
    }

    public void Signal(string key, long number)
    {
        List<Waiter> woken;
        lock (_lock)
        {
            if (!_waiters.TryGetValue(key, out var waiting))
            {
                return;
            }
            woken = [.. waiting.Where(waiter => waiter.Number <= number)];
        }
        woken.ForEach(waiter => waiter.Done.TrySetResult());
    }

    bool Add(string key, Waiter waiter)
    {
        lock (_lock)
        {
            if (_count >= WaitersMax)
            {
                return false;
            }
            _count++;
            if (!_waiters.TryGetValue(key, out var waiting))
            {
                _waiters[key] = waiting = [];
            }
            waiting.Add(waiter);
            return true;
        }
    }

    void Remove(string key, Waiter waiter)
    {
        lock (_lock)
        {
            _count--;
            if (_waiters.TryGetValue(key, out var waiting) && waiting.Remove(waiter) && waiting.Count == 0)
            {
                _waiters.Remove(key);
            }
        }
    }

    sealed record Waiter(long Number)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
