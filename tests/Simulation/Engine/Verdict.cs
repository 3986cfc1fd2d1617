namespace ControlPlane.Simulation;

/// <summary>How a run ended; the values are the exit codes of a single run (reliability.md 12.5).</summary>
public enum RunEnd
{
    Held = 0,
    /// <summary>Something threw that nothing may throw, or left the thread.</summary>
    Crashed = 10,
    /// <summary>An invariant did not hold.</summary>
    Unsafe = 11,
    /// <summary>Without faults, something owed was not done within its bound.</summary>
    Stuck = 12,
    /// <summary>The same seed gave another trace.</summary>
    Unequal = 13,
}

/// <summary>What did not hold.</summary>
/// <param name="Invariant">Its number in reliability.md 9, or the name of what has none.</param>
public sealed record Violation(RunEnd End, string Invariant, string What)
{
    public override string ToString() => $"{End}: {Invariant}: {What}";
}

/// <summary>Counts by name, in order of the names: faults that struck, requests by their end.</summary>
public sealed class Tally
{
    readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Count(string name, long by = 1) => _counts[name] = _counts.GetValueOrDefault(name) + by;

    public void Add(Tally other)
    {
        foreach (var (name, count) in other.Counts)
        {
            Count(name, count);
        }
    }
}
