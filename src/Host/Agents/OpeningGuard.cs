namespace ControlPlane.Host.Agents;

/// <summary>An agent that opens streams in a storm is sent away, longer each time; each opening is a write at its bridge.</summary>
sealed class OpeningGuard(AgentGatewayOptions options, TimeProvider time)
{
    const int HostsMax = 10_000;
    static readonly TimeSpan FirstAway = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestAway = TimeSpan.FromSeconds(30);

    readonly Lock _sync = new();
    readonly Dictionary<string, History> _hosts = new(StringComparer.Ordinal);

    /// <summary>Null: welcome. Else how long to stay away.</summary>
    public TimeSpan? SendAway(string host)
    {
        lock (_sync)
        {
            var now = time.GetTimestamp(); // not the wall clock: one that is set back would keep agents away until it is caught up
            if (!_hosts.TryGetValue(host, out var history))
            {
                Forget(now);
                _hosts[host] = history = new History();
            }
            while (history.Opens.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) > options.OpensWithin)
            {
                history.Opens.Dequeue();
            }
            if (history.Opens.Count < options.OpensMax)
            {
                history.Opens.Enqueue(now);
                history.Away = history.Opens.Count == 1 ? FirstAway : history.Away;
                return null;
            }
            var away = history.Away;
            history.Away = away * 2 < LongestAway ? away * 2 : LongestAway;
            return away;
        }
    }

    /// <summary>Names are free to invent, so the table has a bound: the quiet ones go, and if none is quiet, all do.</summary>
    void Forget(long now)
    {
        if (_hosts.Count < HostsMax)
        {
            return;
        }
        foreach (var (host, _) in _hosts.Where(pair => pair.Value.Opens.All(open => time.GetElapsedTime(open, now) > options.OpensWithin)).ToList())
        {
            _hosts.Remove(host);
        }
        if (_hosts.Count >= HostsMax)
        {
            _hosts.Clear();
        }
    }

    sealed class History
    {
        public Queue<long> Opens { get; } = new();

        public TimeSpan Away { get; set; } = FirstAway;
    }
}
