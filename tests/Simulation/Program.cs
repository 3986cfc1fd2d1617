using System.Diagnostics;
using System.Globalization;
using ControlPlane.Simulation;

// One seed or many, from the command line: --seed N [--replay] [--mutant NAME] | --from N --seeds COUNT [--minutes M]
var arguments = Environment.GetCommandLineArgs();
string? Of(string name) => Array.IndexOf(arguments, name) is var at and > 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
ulong Number(string name, ulong otherwise) => Of(name) is { } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : otherwise;

var mutant = Of("--mutant") is { } given ? Enum.Parse<Mutant>(given, ignoreCase: true) : Mutant.None;
if (Of("--seed") is not null)
{
    var seed = Number("--seed", 0);
    var report = Run.Of(seed, mutant, arguments.Contains("--replay") ? Console.WriteLine : null);
    Console.WriteLine($"seed {seed}: {report.Violation?.ToString() ?? "held"}; trace {report.Hash}, {report.Steps} steps, {report.Simulated.TotalSeconds:F0} simulated seconds, {report.Rows} events");
    return (int)report.End;
}
var (from, seeds, clock) = (Number("--from", 1), Number("--seeds", 100), Stopwatch.StartNew());
var (struck, asked, steps, simulated, failed, rows) = (new Tally(), new Tally(), 0L, TimeSpan.Zero, 0, 0L);
var minutes = Number("--minutes", 1_000_000);
var done = 0UL;
for (; done < seeds && clock.Elapsed < TimeSpan.FromMinutes(minutes); done++)
{
    var report = Run.Of(from + done, mutant);
    struck.Add(report.Struck);
    asked.Add(report.Asked);
    (steps, simulated, rows) = (steps + report.Steps, simulated + report.Simulated, rows + report.Rows);
    if (report.Violation is { } violation)
    {
        failed++;
        Console.WriteLine($"seed {from + done}: {violation.ToString().Split('\n')[0]}");
    }
}
Console.WriteLine($"{done} seeds, {failed} failed, {simulated.TotalHours:F1} simulated hours in {clock.Elapsed.TotalSeconds:F0} s ({simulated.TotalSeconds / clock.Elapsed.TotalSeconds:F0} x), {steps / clock.Elapsed.TotalSeconds:F0} steps/s, {rows} events");
Console.WriteLine("faults: " + string.Join(", ", struck.Counts.Select(pair => $"{pair.Key} {pair.Value}")));
Console.WriteLine("requests: " + string.Join(", ", asked.Counts.Select(pair => $"{pair.Key} {pair.Value}")));
return failed == 0 ? 0 : (int)RunEnd.Unsafe;
