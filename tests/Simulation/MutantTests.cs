using System.Diagnostics;
using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>The simulation finds what it is there to find.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    /// <summary>Each defect with the number of seeds within which it is found, and the sort of its end.</summary>
    public static TheoryData<Mutant, int> Table => new()
    {
        { Mutant.Canary, 3 },
        { Mutant.UniqueKeyIgnored, 50 },
        { Mutant.UnknownIsRejected, 20 },
        { Mutant.UnknownIsStored, 20 },
        { Mutant.MessageIdIgnored, 10 },
        { Mutant.CursorBeforeEffects, 100 },
        { Mutant.GapIgnored, 100 },
        { Mutant.LowerStreamEpochAccepted, 100 },
        { Mutant.OvertakenHandedOut, 100 },
        { Mutant.ConnectedTakenForGone, 50 },
        { Mutant.UnboundedMailbox, 100 },
        { Mutant.SpeakBeforeStore, 10 },
        { Mutant.DrainGateIgnored, 100 },
        { Mutant.UndoOldestFirst, 100 },
        { Mutant.NothingAskedAgain, 10 },
        { Mutant.StaleIncarnationBelieved, 100 },
        { Mutant.SourceLeftOpen, 50 },
        { Mutant.OpenedBeforeOwned, 50 },
        { Mutant.AbortedAfterOwned, 100 },
        { Mutant.EpochNotRaised, 50 },
        { Mutant.PlaceGivenByJournal, 100 },
        { Mutant.CutNodeStays, 50 },
        { Mutant.OneWordBelieved, 50 },
        { Mutant.WokenNodeGoesOn, 20 },
        { Mutant.OldHomeBelieved, 100 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Defect_is_found_within_its_seeds(Mutant mutant, int seeds)
    {
        var clock = Stopwatch.StartNew();
        for (var seed = 1; seed <= seeds; seed++)
        {
            if (Run.Of((ulong)seed, mutant).Violation is { } found)
            {
                output.Tell($"{mutant}: seed {seed} of {seeds}, {clock.Elapsed.TotalSeconds:F1} s: {found.ToString()[..Math.Min(160, found.ToString().Length)]}");
                return;
            }
        }
        Assert.Fail($"{mutant} was not found in {seeds} seeds");
    }

    [Theory]
    [InlineData(Mutant.CursorBeforeEffects)]
    [InlineData(Mutant.GapIgnored)]
    [InlineData(Mutant.LowerStreamEpochAccepted)]
    [InlineData(Mutant.OvertakenHandedOut)]
    [InlineData(Mutant.ConnectedTakenForGone)]
    [InlineData(Mutant.AbortedAfterOwned)]
    [InlineData(Mutant.PlaceGivenByJournal)]
    [InlineData(Mutant.OldHomeBelieved)]
    public void Histories_in_which_a_defect_is_likelier_hold_without_it(Mutant mutant)
    {
        for (var seed = 1ul; seed <= 10; seed++)
        {
            var luck = Choices.Of(seed);
            Assert.Null(Run.Of(luck, Mutants.Likelier(mutant, Options.From(luck))).Violation);
        }
    }

    [Fact]
    public void Every_defect_is_in_the_table() =>
        Assert.Equal(Enum.GetValues<Mutant>().Where(mutant => mutant != Mutant.None).Order(), Table.Select(row => (Mutant)row[0]).Order());

    [Fact]
    public void Failing_history_becomes_a_small_one()
    {
        var report = Enumerable.Range(1, 20).Select(seed => Run.Of((ulong)seed, Mutant.UnknownIsStored)).First(report => report.Violation is not null);
        var small = Tape.Shrink(report.Tape, tape => Run.Of(tape, Mutant.UnknownIsStored).Violation?.End == report.End, runsMax: 500);
        output.Tell($"{report.Tape.Count} choices became {small.Count}");
        Assert.InRange(small.Count, 1, report.Tape.Count / 4);
        Assert.Null(Run.Of(small).Violation);
    }
}
