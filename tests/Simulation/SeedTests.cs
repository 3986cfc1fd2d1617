using System.Diagnostics;
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
            Assert.True(report.Violation is null, $"seed {seed}: {report.Violation}\n{string.Join('\n', report.Tail.TakeLast(60))}\n./test.sh Simulation --seed {seed} --replay tells all of it");
            if (seed % Twice == 0)
            {
                Assert.Equal(report.Hash, Run.Of(seed).Hash);
            }
        }
        output.Tell(summary.In(clock.Elapsed));
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
