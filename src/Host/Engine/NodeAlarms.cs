using System.Collections.Concurrent;

namespace ControlPlane.Host.Engine;

/// <summary>Something about this node or its database that an operator must know; no event tells of it.</summary>
sealed record NodeAlarm(string Code, bool Critical, DateTimeOffset Since, string Reason, string Action);

/// <summary>This process's own open alarms, one of each code; they are gone with it.</summary>
sealed class NodeAlarms(TimeProvider time)
{
    readonly ConcurrentDictionary<string, NodeAlarm> _open = new(StringComparer.Ordinal);

    public IEnumerable<NodeAlarm> Open => _open.Values;

    /// <summary>Opens it, or changes what an open one says; it keeps the time at which it began.</summary>
    public void Raise(string code, bool critical, string reason, string action)
    {
        var now = time.GetUtcNow();
        _open.AddOrUpdate(
            code, _ => new NodeAlarm(code, critical, now, reason, action),
            (_, known) => new NodeAlarm(code, critical, known.Since, reason, action));
    }

    public void Clear(string code) => _open.TryRemove(code, out _);
}
