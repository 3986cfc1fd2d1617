namespace ControlPlane.Agent;

/// <summary>Parts of one thing that live and end together.</summary>
public static class Together
{
    /// <summary>Runs all until the first ends; then the others are cancelled and waited for. Its outcome is the outcome.</summary>
    public static async Task Run(CancellationToken stop, params Func<CancellationToken, Task>[] parts)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var tasks = Array.ConvertAll(parts, part => part(end.Token));
        var first = await Task.WhenAny(tasks);
        Cancel(end);

        // What the others say after the first is an echo of it.
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await first;
    }

    /// <summary>
    /// Waits for a signal that is given under somebody's lock. WaitAsync would go on, for a moment, on another scheduler than
    /// the one that all of this runs on.
    /// </summary>
    public static async Task Until(Task signal, CancellationToken stop)
    {
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var given = stop.Register(() => first.TrySetCanceled(stop));
        // With the token: of a wait that was given up nothing stays at a signal that may not come for long.
        _ = signal.ContinueWith(_ => first.TrySetResult(), stop, TaskContinuationOptions.DenyChildAttach, TaskScheduler.Current);
        await first.Task;
    }

    /// <summary>Here and now: CancelAsync would go on another scheduler than the one that all of this runs on.</summary>
    public static void Cancel(CancellationTokenSource source) => source.Cancel();
}
