namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// Notices that this process stood still for so long that its peers may have gone on without it: it ends before it says
/// anything, and does not ask first (reliability.md 4.4 rule 13). A thread of its own, so that a full pool is no pause.
/// </summary>
sealed class PauseWatch(Departure departure, TimeProvider time) : IHostedService, IDisposable
{
    readonly ManualResetEventSlim _stop = new();
    Thread? _thread;

    /// <summary>Its peers may have gone on without a process that stood still for so long.</summary>
    public static bool TooLong(TimeSpan still) => still > Numbers.PauseMax;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _thread = new Thread(Watch) { IsBackground = true, Name = "pause watch", Priority = ThreadPriority.Highest };
        _thread.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stop.Set();
        return Task.CompletedTask;
    }

    public void Dispose() => _stop.Dispose();

    void Watch()
    {
        while (true)
        {
            var before = time.GetTimestamp();
            if (_stop.Wait(Numbers.PauseLookEvery))
            {
                return;
            }
            if (time.GetElapsedTime(before) is var still && TooLong(still))
            {
                departure.Now($"it stood still for {still.TotalSeconds:0.0} s");
            }
        }
    }
}
