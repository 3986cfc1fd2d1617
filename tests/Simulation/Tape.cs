using System.Globalization;

namespace ControlPlane.Simulation;

/// <summary>The choices of a run as text, one to a line: stream, index, value. A line with # is for people.</summary>
public static class Tape
{
    public static string Write(IEnumerable<Choice> choices, params IEnumerable<string> comments) => string.Concat([
        .. comments.Select(comment => $"# {comment}\n"),
        .. choices.Select(choice => string.Create(CultureInfo.InvariantCulture, $"{choice.Stream} {choice.Index} {choice.Value}\n")),
    ]);

    /// <summary>Throws <see cref="FormatException"/> with the line that is none.</summary>
    public static IReadOnlyList<Choice> Read(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#')).Select(line =>
        line.Split(' ') is [var stream, var index, var value]
        && int.TryParse(index, CultureInfo.InvariantCulture, out var at) && int.TryParse(value, CultureInfo.InvariantCulture, out var chosen)
            ? new Choice(stream, at, chosen)
            : throw new FormatException($"not a choice: {line}"))];

    /// <summary>The run's tape, made smaller for as long as the same invariant does not hold.</summary>
    public static IReadOnlyList<Choice> Shrink(RunReport failed, Mutant mutant, int runsMax = 3_000)
    {
        var found = failed.Violation ?? throw new ArgumentException("the run held", nameof(failed));
        return Shrink(
            failed.Tape, tape => Run.Of(tape, mutant).Violation is { } same && (same.End, same.Invariant) == (found.End, found.Invariant), runsMax);
    }

    /// <summary>
    /// A smaller tape that still fails in the same way: whole streams are set to nothing, then spans of choices, large ones
    /// first, for as long as that succeeds, and in at most <paramref name="runsMax"/> runs.
    /// </summary>
    public static IReadOnlyList<Choice> Shrink(IReadOnlyList<Choice> tape, Func<IReadOnlyList<Choice>, bool> fails, int runsMax = 3_000)
    {
        var runs = 0;
        foreach (var stream in tape.Select(choice => choice.Stream).Distinct(StringComparer.Ordinal).ToList())
        {
            Try([.. tape.Where(choice => choice.Stream != stream)]);
        }
        for (var span = Math.Max(1, tape.Count / 2); ; span = Math.Max(1, span / 2))
        {
            var before = tape.Count;
            for (var from = 0; from < tape.Count && runs < runsMax;)
            {
                if (!Try([.. tape.Take(from), .. tape.Skip(from + span)]))
                {
                    from += span;
                }
            }
            if (runs >= runsMax || (span == 1 && tape.Count == before))
            {
                return tape;
            }
        }

        bool Try(IReadOnlyList<Choice> smaller)
        {
            runs++;
            var still = fails(smaller);
            tape = still ? smaller : tape;
            return still;
        }
    }
}
