using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace ControlPlane.Simulation;

public sealed class SeedTests(ITestOutputHelper output)
{
    const ulong Seeds = 500;

    /// <summary>One seed in so many is run twice.</summary>
    const ulong Twice = 20;

    [Fact]
    public void Every_history_holds_and_the_same_seed_gives_the_same_one()
    {
        var summary = new Summary();
        var clock = Stopwatch.StartNew();
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var report = Run.Of(seed);
            summary.Add(report);
            if (report.Violation is { } found)
            {
                Assert.Fail($"""
                    seed {seed}: {found}
                    {string.Join('\n', report.Tail.TakeLast(60))}
                    ./test.sh Simulation --seed {seed} --replay tells all of it.
                    {Kept(seed, report)} is a small history of it: when it is mended, put it into {Sources.Corpus} under a name that says what was wrong.
                    """);
            }
            if (seed % Twice == 0)
            {
                Assert.Equal(report.Hash, Run.Of(seed).Hash);
            }
        }
        output.Tell(summary.In(clock.Elapsed));
    }

    /// <summary>Next to the results of the tests.</summary>
    static string Kept(ulong seed, RunReport failed)
    {
        var folder = Environment.GetEnvironmentVariable("CONTROLPLANE_FIGURES") is { Length: > 0 } figures
            ? Path.GetDirectoryName(figures)!
            : Path.Combine(Sources.Root, "artifacts", "test-results", "Simulation");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"seed-{seed}.tape"));
        File.WriteAllText(file, CorpusTape.Text(
            string.Create(CultureInfo.InvariantCulture, $"seed {seed}"), Tape.Shrink(failed, Mutant.None, runsMax: 600), failed.Violation!, Mutant.None));
        return file;
    }

    [Fact]
    public void Another_seed_gives_another_history() => Assert.NotEqual(Run.Of(1).Hash, Run.Of(2).Hash);

    [Fact]
    public void The_choices_of_a_run_give_the_same_run()
    {
        var report = Run.Of(7);
        Assert.Equal(report.Hash, Run.Of(Tape.Read(Tape.Write(report.Tape))).Hash);
    }

    [Fact]
    public void Without_any_choice_nothing_goes_wrong() => Assert.Null(Run.Of([]).Violation);
}
