using System.Globalization;

namespace ControlPlane.Simulation;

/// <summary>What many runs came to.</summary>
public sealed class Summary
{
    readonly Tally _struck = new();
    readonly Tally _asked = new();
    long _runs;
    long _steps;
    long _rows;
    TimeSpan _simulated;

    public int Failed { get; private set; }

    public void Add(RunReport report)
    {
        _runs++;
        _steps += report.Steps;
        _rows += report.Rows;
        _simulated += report.Simulated;
        _struck.Add(report.Struck);
        _asked.Add(report.Asked);
        Failed += report.Violation is null ? 0 : 1;
    }

    /// <summary>The figures, with the real time that the runs took.</summary>
    public string In(TimeSpan real) => string.Create(CultureInfo.InvariantCulture, $"""
        {_runs} seeds, {Failed} failed, {_rows} events, {_simulated.TotalHours:F1} simulated hours in {real.TotalSeconds:F0} s
        {_simulated.TotalSeconds / real.TotalSeconds:F0} simulated seconds and {_steps / real.TotalSeconds:F0} steps a second
        faults: {string.Join(", ", _struck.Counts.Where(pair => pair.Value > 0).Select(pair => $"{pair.Key} {pair.Value}"))}
        requests: {string.Join(", ", _asked.Counts.Select(pair => $"{pair.Key} {pair.Value}"))}

        """);
}
