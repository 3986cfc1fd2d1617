using System.Globalization;

namespace ControlPlane.Simulation;

/// <summary>What happened, line by line: a hash over all of it, and the last lines in words.</summary>
public sealed class Trace(int kept = 2_000, Action<string>? listener = null)
{
    readonly Queue<(TimeSpan At, string What)> _tail = new();
    ulong _hash = 14695981039346656037UL;

    public string Hash => _hash.ToString("x16", CultureInfo.InvariantCulture);

    public long Lines { get; private set; }

    public IEnumerable<string> Tail => _tail.Select(Line);

    public void Add(TimeSpan at, string what)
    {
        Lines++;
        Mix((ulong)at.Ticks);
        foreach (var c in what)
        {
            Mix(c);
        }
        _tail.Enqueue((at, what));
        if (_tail.Count > kept)
        {
            _tail.Dequeue();
        }
        listener?.Invoke(Line((at, what)));
    }

    static string Line((TimeSpan At, string What) happened) =>
        string.Create(CultureInfo.InvariantCulture, $"{happened.At.TotalSeconds,11:F4}  {happened.What}");

    void Mix(ulong value) => _hash = unchecked((_hash ^ value) * 1099511628211UL);
}
