using ControlPlane.Actors.Entities;

namespace ControlPlane.Simulation;

/// <summary>The times at which an incarnation is woken for an effect: one for each, by its node's clock.</summary>
/// <param name="stay">A long one is taken in parts, and whoever waits for it is not idle.</param>
sealed class Naps(ProcessClock clock, Action stay, Action<string> due) : IDisposable
{
    static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    readonly Dictionary<string, ITimer> _naps = new(StringComparer.Ordinal);

    public void Until(Output.WakeMe wake)
    {
        if (_naps.Remove(wake.EffectId, out var before))
        {
            before.Dispose();
        }
        var now = clock.GetUtcNow();
        var seen = wake.SeenFrom(now);
        var left = seen.At - now;
        _naps[wake.EffectId] = clock.CreateTimer(
            _ => WakeUp(seen), null, left <= TimeSpan.Zero ? TimeSpan.Zero : left < Longest ? left : Longest, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        foreach (var (_, nap) in _naps)
        {
            nap.Dispose();
        }
    }

    void WakeUp(Output.WakeMe wake)
    {
        if (wake.At > clock.GetUtcNow())
        {
            stay();
            Until(wake);
            return;
        }
        if (_naps.Remove(wake.EffectId, out var nap))
        {
            nap.Dispose();
        }
        due(wake.EffectId);
    }
}
