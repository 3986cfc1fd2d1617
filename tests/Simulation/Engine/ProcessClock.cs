namespace ControlPlane.Simulation;

/// <summary>
/// A process's clock: the simulator's time, at a rate of its own, and a wall clock that may be set. Timers follow the
/// rate and not the wall, as those of a kernel do.
/// </summary>
public sealed class ProcessClock(Simulator simulator, Process process) : TimeProvider
{
    static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    TimeSpan _rateFrom;
    TimeSpan _before;
    double _rate = 1;

    /// <summary>By how much the wall clock is wrong.</summary>
    public TimeSpan WallOff { get; set; }

    /// <summary>How fast it goes: 1.01 gains a hundredth.</summary>
    public double Rate
    {
        get => _rate;
        set => (_before, _rateFrom, _rate) = (Mine, simulator.Elapsed, value);
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    TimeSpan Mine => _before + ((simulator.Elapsed - _rateFrom) * _rate);

    public override long GetTimestamp() => Mine.Ticks;

    public override DateTimeOffset GetUtcNow() => Beginning + Mine + WallOff;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    sealed class Timer(ProcessClock clock, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan _period;
        long _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Set(dueTime);
            return true;
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        void Set(TimeSpan due)
        {
            var setting = ++_setting;
            if (due != Timeout.InfiniteTimeSpan)
            {
                clock.After(due, () => Fire(setting));
            }
        }

        void Fire(long setting)
        {
            if (setting != _setting)
            {
                return;
            }
            if (_period > TimeSpan.Zero)
            {
                Set(_period);
            }
            callback(state);
        }
    }

    /// <summary>As a task of the process, so that what follows stays on it.</summary>
    void After(TimeSpan delay, Action what) => process.After(
        delay / _rate, () => Task.Factory.StartNew(what, CancellationToken.None, TaskCreationOptions.DenyChildAttach, process));
}
