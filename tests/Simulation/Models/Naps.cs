namespace ControlPlane.Simulation;

/// <summary>The times at which an incarnation is woken for an effect: one for each, by its node's clock.</summary>
/// <param name="stay">A long one is taken in parts, and whoever waits for it is not idle.</param>
sealed class Naps(ProcessClock clock, Action stay, Action<string> due) : IDisposable
{
    static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    readonly Dictionary<string, ITimer> _naps = new(StringComparer.Ordinal);

    public void Until(string effect, DateTimeOffset at)
    {
        if (_naps.Remove(effect, out var before))
        {
            before.Dispose();
        }
        var left = at - clock.GetUtcNow();
        _naps[effect] = clock.CreateTimer(
            _ => WakeUp(effect, at), null, left <= TimeSpan.Zero ? TimeSpan.Zero : left < Longest ? left : Longest, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        foreach (var (_, nap) in _naps)
        {
            nap.Dispose();
        }
    }

    void WakeUp(string effect, DateTimeOffset at)
    {
        if (at > clock.GetUtcNow())
        {
            stay();
            Until(effect, at);
            return;
        }
        if (_naps.Remove(effect, out var nap))
        {
            nap.Dispose();
        }
        due(effect);
    }
}
