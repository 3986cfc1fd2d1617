namespace ControlPlane.Host.Projections;

/// <summary>Rings when there may be something new in the feed, also by another node. To be rung in vain does no harm.</summary>
sealed class FeedSignal
{
    volatile TaskCompletionSource _next = New();

    /// <summary>Completes at the next ring.</summary>
    public Task Next => _next.Task;

    public void Ring() => Interlocked.Exchange(ref _next, New()).SetResult();

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
