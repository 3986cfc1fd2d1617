using System.Globalization;
using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>
/// What was found once is not found again: small histories of defects that are mended, and of planted ones, which still
/// show them. CONTROLPLANE_WRITE_CORPUS=1 makes those of planted defects anew that no longer do.
/// </summary>
public sealed class CorpusTests(ITestOutputHelper output)
{
    const int SeedsMax = 2_000;

    public static TheoryData<string> Tapes => [.. Directory.EnumerateFiles(Sources.Corpus, "*.tape").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public static TheoryData<Mutant> Planted => [.. Enum.GetValues<Mutant>().Except([Mutant.None, Mutant.Canary])];

    [Theory]
    [MemberData(nameof(Tapes))]
    public void History_of_the_corpus_holds(string name)
    {
        var report = Run.Of(CorpusTape.Read(name).Choices);
        Assert.True(report.Violation is null, $"{name}: {report.Violation}\n{string.Join('\n', report.Tail.TakeLast(60))}");
    }

    [Theory]
    [MemberData(nameof(Planted))]
    public void Planted_defect_is_seen_in_its_history(Mutant mutant)
    {
        var name = $"mutant-{mutant}.tape";
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_WRITE_CORPUS") == "1" && !Shows(name, mutant))
        {
            var (seed, failed) = Enumerable.Range(1, SeedsMax).Select(seed => (seed, Report: Run.Of((ulong)seed, mutant))).First(run => run.Report.Violation is not null);
            var small = Tape.Shrink(failed, mutant, runsMax: 600);
            File.WriteAllText(
                Path.Combine(Sources.Corpus, name),
                CorpusTape.Text(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"), small, failed.Violation!, mutant));
        }
        var tape = CorpusTape.Read(name);
        var found = Run.Of(tape.Choices, mutant).Violation;
        output.WriteLine($"{name}: {found}");
        Assert.Equal(mutant, tape.Mutant);
        Assert.Equal(tape.Invariant, found?.Invariant);
    }

    static bool Shows(string name, Mutant mutant) => File.Exists(Path.Combine(Sources.Corpus, name))
        && CorpusTape.Read(name) is var tape && Run.Of(tape.Choices, mutant).Violation?.Invariant == tape.Invariant;
}
