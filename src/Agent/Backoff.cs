namespace ControlPlane.Agent;

/// <summary>
/// How long to wait before the next attempt: doubling, with jitter, so that a thousand agents of a node that went away do
/// not come back in the same moment. Not for several threads.
/// </summary>
sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    TimeSpan? _last;

    public TimeSpan Next(TimeSpan? atLeast = null)
    {
        var next = _last is not { } last ? first : last * 2 < longest ? last * 2 : longest;
        _last = next;
        var pause = next * (0.5 + (0.5 * random.NextDouble()));

        // The jitter goes on top of what the node asked for: it is never less.
        return atLeast is { } asked && asked > pause ? asked + pause : pause;
    }

    public void Reset() => _last = null;
}
