using System.Diagnostics;
using System.Globalization;
using ControlPlane.Simulation;

const string Usage = """
    usage: --seed N [--replay] [--mutant NAME] [--shrink FILE]   one history; --replay tells it line by line
           --tape FILE [--replay] [--mutant NAME]                one history, from its choices
           --from N --seeds COUNT [--minutes M]                  many histories, and their summary
    exit code: 0 all held, 10 something threw, 11 an invariant did not hold, 12 something owed was not done, 13 the trace differed
    """;

string? Of(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
ulong Number(string name, ulong otherwise) => Of(name) is { } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : otherwise;

// Nothing may depend on how people of some country write numbers and dates.
var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
culture.NumberFormat.NumberDecimalSeparator = Of("--decimal") ?? ".";
culture.NumberFormat.NegativeSign = Of("--minus") ?? "-";
CultureInfo.CurrentCulture = culture;

try
{
    var mutant = Of("--mutant") is { } given ? Enum.Parse<Mutant>(given, ignoreCase: true) : Mutant.None;
    Action<string>? listener = args.Contains("--replay") ? Console.WriteLine : null;
    if (Of("--seed") is not null)
    {
        return One($"seed {Number("--seed", 0)}", Run.Of(Number("--seed", 0), mutant, listener), mutant);
    }
    if (Of("--tape") is { } tape)
    {
        return One(tape, Run.Of(Tape.Read(File.ReadAllText(tape)), mutant, listener), mutant);
    }
    if (Of("--seeds") is not null)
    {
        return Many(mutant);
    }
    Console.Error.WriteLine(Usage);
    return 2;
}
catch (Exception error) when (error is FormatException or ArgumentException or IOException)
{
    Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine(Usage);
    return 2;
}

int One(string name, RunReport report, Mutant mutant)
{
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: {report.Violation?.ToString() ?? "held"}; trace {report.Hash}, {report.Steps} steps, {report.Simulated.TotalSeconds:F0} simulated seconds, {report.Rows} events"));
    if (Of("--shrink") is { } file && report.Violation is { } violation)
    {
        var small = Tape.Shrink(report, mutant);
        File.WriteAllText(file, CorpusTape.Text(name, small, violation, mutant));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Tape.Count} choices became {small.Count}, in {file}"));
    }
    return (int)report.End;
}

int Many(Mutant mutant)
{
    var summary = new Summary();
    var clock = Stopwatch.StartNew();
    var (from, seeds, most) = (Number("--from", 1), Number("--seeds", 100), TimeSpan.FromMinutes(Number("--minutes", 100_000)));
    for (var seed = from; seed < from + seeds && clock.Elapsed < most; seed++)
    {
        var report = Run.Of(seed, mutant);
        summary.Add(report);
        if (report.Violation is { } violation)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {violation.ToString().Split('\n')[0]}"));
        }
    }
    Console.Write(summary.In(clock.Elapsed));
    return summary.Failed == 0 ? 0 : (int)RunEnd.Unsafe;
}
