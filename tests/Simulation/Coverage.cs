using System.Globalization;
using System.Text;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>Why a cell may be empty.</summary>
enum Gap
{
    /// <summary>The rules of the product exclude it: a history that has it is a finding.</summary>
    Never = 1,
    /// <summary>Nobody in the simulation asks for what would lead there.</summary>
    NotAsked,
    /// <summary>Possible, and so rare that the histories may have it or not.</summary>
    Seldom,
}

/// <summary>Cells that may be empty, with the reason.</summary>
/// <param name="States">Names with spaces between; "*": all of the kind.</param>
/// <param name="Messages">Names, or their first word; "*": all.</param>
sealed record Reason(Gap Gap, string Kind, string States, string[] Messages, string Why)
{
    public bool Covers(Cell cell) => cell.Kind == Kind
        && (States == "*" || States.Split(' ').Contains(cell.State))
        && Messages.Any(message => message == "*" || message == cell.Message || cell.Message.StartsWith(message + " ", StringComparison.Ordinal));
}

/// <summary>One message of one state of one kind.</summary>
readonly record struct Cell(string Kind, string State, string Message)
{
    public string Name => $"{Kind} {State} {Message}";
}

/// <summary>Every message that any history had for a kind, against every state of the kind, with what is known of each cell.</summary>
sealed class Coverage(Tally met, IReadOnlyList<Reason> reasons)
{
    IEnumerable<string> MessagesOf(string kind) =>
        met.Counts.Keys.Select(name => name.Split(' ', 3)).Where(cell => cell[0] == kind).Select(cell => cell[2]).Distinct().Order(StringComparer.Ordinal);

    public IReadOnlyList<Cell> All =>
        [.. Cells.States.SelectMany(state => MessagesOf(state.Kind).Select(message => new Cell(state.Kind, state.State, message)))];

    long Count(Cell cell) => met.Counts.GetValueOrDefault(cell.Name);

    /// <summary>One line of the page for all reasons that say the same.</summary>
    IReadOnlyList<(Gap Gap, string Why)> Numbered => [.. reasons.Select(reason => (reason.Gap, reason.Why)).Distinct()];

    Reason? ReasonOf(Cell cell) => reasons.FirstOrDefault(reason => reason.Covers(cell));

    public int Empty => All.Count(cell => Count(cell) == 0);

    /// <summary>Empty cells without a reason, reasons that do not hold, and reasons that nothing needs.</summary>
    public IEnumerable<string> Wrong() =>
    [
        .. All.Where(cell => Count(cell) == 0 && ReasonOf(cell) is null).Select(cell => $"{cell.Name}: never met, and nobody says why"),
        .. All.Where(cell => Count(cell) > 0 && ReasonOf(cell) is { Gap: not Gap.Seldom })
            .Select(cell => $"{cell.Name}: met {Count(cell)} times, although {ReasonOf(cell)!.Why}"),
        .. reasons.Where(reason => reason.Gap != Gap.Seldom && !All.Any(cell => ReasonOf(cell) == reason)).Select(reason => $"no cell needs: {reason.Why}"),
    ];

    /// <summary>Each cell with its count.</summary>
    public string Figures() => string.Join('\n', All.Select(cell => string.Create(CultureInfo.InvariantCulture, $"{Count(cell),8} {cell.Name}")));

    /// <summary>The page: without counts, which change with every change of anything.</summary>
    public string Markdown(ulong seeds)
    {
        var page = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"""
            # What the simulation has met

            Which message met which state in {seeds} histories of tests/Simulation, at the `Decide` of each lifecycle (a message
            answered from the record, refused for its deadline or its revision is not counted). **x**: met. A number: the
            reason below why the cell may be empty. CoverageTests holds this page; CONTROLPLANE_WRITE_DOCS=1 writes it anew.


            """));
        foreach (var kind in Cells.States.Select(state => state.Kind).Distinct())
        {
            Table(page, kind, [.. Cells.States.Where(state => state.Kind == kind).Select(state => state.State)]);
        }
        page.Append("## Reasons\n\n");
        foreach (var (index, (gap, why)) in Numbered.Index())
        {
            var sort = gap switch { Gap.Never => "Never", Gap.NotAsked => "Not asked for", _ => "Seldom" };
            page.Append(CultureInfo.InvariantCulture, $"{index + 1}. {sort}: {why}\n");
        }
        page.Append("\n## Words that no history has\n\n").AppendJoin(", ", Unheard().DefaultIfEmpty("None")).Append(".\n");
        return page.ToString();
    }

    void Table(StringBuilder page, string kind, IReadOnlyList<string> states)
    {
        page.Append(CultureInfo.InvariantCulture, $"## {kind}\n\n| message | {string.Join(" | ", states)} |\n|---|{string.Concat(states.Select(_ => "---|"))}\n");
        foreach (var message in MessagesOf(kind))
        {
            page.Append(CultureInfo.InvariantCulture, $"| {message} | {string.Join(" | ", states.Select(state => Mark(new Cell(kind, state, message))))} |\n");
        }
        page.Append('\n');
    }

    string Mark(Cell cell) => ReasonOf(cell) is { } reason
        ? string.Create(CultureInfo.InvariantCulture, $"{Numbered.Index().First(pair => pair.Item == (reason.Gap, reason.Why)).Index + 1}")
        : Count(cell) > 0 ? "x" : "?";

    IEnumerable<string> Unheard()
    {
        var heard = met.Counts.Keys.Select(name => name.Split(' ')[2]).ToHashSet(StringComparer.Ordinal);
        // The core answers it itself: no lifecycle is asked.
        heard.Add(nameof(Unpark));
        return typeof(Command).Assembly.GetTypes().Where(type => !type.IsAbstract && type.IsSubclassOf(typeof(Command)))
            .Select(type => type.Name).Where(name => !heard.Contains(name)).Order(StringComparer.Ordinal);
    }
}
