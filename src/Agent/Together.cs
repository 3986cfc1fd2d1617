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
        await end.CancelAsync();

        // What the others say after the first is an echo of it.
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }
}
