using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;
using ControlPlane.Tests.Actors;
using Xunit.Abstractions;

namespace ControlPlane.Simulation.Shells;

/// <summary>The simulation's shell does what the shell of production does: the same inputs, every output in its order.</summary>
public sealed class ShellTests(ITestOutputHelper output)
{
    const int Inputs = 250;
    const int Seeds = 20;

    static readonly ShellTimes Times = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(20));
    static readonly CoreLimits Limits = new(4, 64, 8, 10, 3);

    /// <summary>What all scripts together meet: a script that lost one of them would compare nothing there.</summary>
    static readonly string[] Expected =
    [
        "answer", "begin with snapshot kept", "begin with snapshot kept, edited rows", "begin with snapshot kept, rows of a newer release",
        "begin with snapshot kept, rows that cannot be read", "begin with snapshot kept, rows without the last",
        "begin with snapshot none", "begin with snapshot unfit", "begin with snapshot unreadable", "command", "recover",
        "repeat", "repeat with another body", "stop", "time long", "time short", "wake", "write Committed", "write Lost", "write Rejected", "write Stored",
    ];

    static readonly string[] Spoken =
    [
        "answers", "asks to leave memory", "drives", "fault", "has ended", "offers a write", "row", "saves", "tells", "wakes",
    ];

    [Fact]
    public void Both_shells_say_the_same_to_the_same_inputs()
    {
        var (met, spoken) = (new Tally(), new Tally());
        var around = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            for (var seed = 1; seed <= Seeds; seed++)
            {
                Compare(seed, Toy.Id, _ => new Brittle(Toy.Core(Limits)), OfToy, met, spoken);
                Compare(seed, Toy.Id, _ => Toy.Core(Limits), OfQuietToy, met, spoken);
                Compare(seed, EntityId.Vm("web-1"), id => new EntityCore<VmLifecycle, VmState, VmEvent>(id, Limits), OfVm, met, spoken);
                Compare(seed, EntityId.Bridge("hv01"), id => new EntityCore<BridgeLifecycle, BridgeState, BridgeEvent>(id, Limits), OfBridge, met, spoken);
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(around);
        }
        output.WriteLine(string.Join('\n', met.Counts.Concat(spoken.Counts).Select(pair => $"{pair.Value,6} {pair.Key}")));
        Assert.Empty(Expected.Except(met.Counts.Keys));
        Assert.Equal(Spoken, spoken.Counts.Keys);
    }

    static void Compare(int seed, EntityId id, Func<EntityId, IEntityCore> newCore, Func<Choices, int, Command> commands, Tally met, Tally spoken)
    {
        var script = new ShellScript(Choices.Of((ulong)seed), id, commands);
        var simulated = new SimulatedShell(id, newCore, Times);
        using var engine = new EngineShell(id, newCore, Times, simulated.Clock);
        var story = new List<string>();
        for (var n = 0; n < Inputs; n++)
        {
            var act = script.Next(simulated.Stage);
            story.Add(act.Words);
            act.To(new Both(simulated, engine));
            var (mine, its) = (simulated.Stage.Heard(), engine.Stage.Heard());
            Assert.True(mine.SequenceEqual(its), $"""
                seed {seed}, {id}, input {n}: the shells differ after
                {string.Join('\n', story.TakeLast(12))}
                the simulated shell said
                {string.Join('\n', mine)}
                and that of production
                {string.Join('\n', its)}
                """);
            foreach (var what in its)
            {
                spoken.Count(Spoken.FirstOrDefault(word => what.StartsWith(word, StringComparison.Ordinal)) ?? what);
            }
        }
        met.Add(script.Met);
    }

    static Command OfToy(Choices luck, int number) => luck.Next("toy", 5) == 0
        ? new ReleaseHold($"h{luck.Next("hold", number) + 1}")
        : new TakeHold($"h{number}", "ann", luck.Pick("purpose", ["work", "ask", "late", "busy", "note", "wake", "many", "boom", "twin", "work", "break", "work"]));

    /// <summary>It never owes anything, so that it rests between its writes.</summary>
    static Command OfQuietToy(Choices luck, int number) => new TakeHold($"h{number}", "ann", luck.Pick("purpose", ["work", "note", "busy"]));

    static Command OfVm(Choices luck, int number) => luck.Next("vm", 5) switch
    {
        0 => new DefineVm(new VmDefinition("hv01", [new NicDefinition("eth0", "sw", NicType.Synthetic, "02:00:00:00:00:01")])),
        1 or 2 => new StartVm(),
        3 => new StopVm(),
        _ => new DeleteVm(),
    };

    static Command OfBridge(Choices luck, int number) => luck.Next("bridge", 6) switch
    {
        0 or 1 => new OpenSession("memory", "1", true, new Inventory("boot", 1, luck.Next("cursor", 3), ["sw"], [])),
        2 => new CloseSession(1 + luck.Next("session", 4), "over"),
        3 => new ReportCompletion(1 + luck.Next("session", 4), new Completion($"d{luck.Next("done", number) + 1}", NdisStatus.Success)),
        _ => new IssueCommand(new DriverCommand($"d{number}", DriverVerb.CreatePort, "sw", "p1")),
    };

    /// <summary>A core with a defect of its own, which it has at the purpose "break".</summary>
    sealed class Brittle(IEntityCore core) : IEntityCore
    {
        public long Sequence => core.Sequence;

        public bool HasOpenWork => core.HasOpenWork;

        public bool MayOweWork => core.MayOweWork;

        public IReadOnlyList<Output> Step(Input input, DateTimeOffset now) => input is Input.Receive { Envelope.Body: TakeHold { Purpose: "break" } }
            ? throw new InvalidOperationException("a defect of the core")
            : core.Step(input, now);
    }

    /// <summary>What is done to both, one after the other; time tick by tick.</summary>
    sealed class Both(SimulatedShell simulated, EngineShell engine) : IShell
    {
        public void Begin((object Snapshot, long Sequence)? offered, Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>> reading) =>
            Do(shell => shell.Begin(offered, reading));

        public void Recover() => Do(shell => shell.Recover());

        public void Hear(object message, string? door) => Do(shell => shell.Hear(message, door));

        public void EndWrite(Fate fate) => Do(shell => shell.EndWrite(fate));

        public void Pass(TimeSpan time) => Do(shell => shell.Pass(time));

        void Do(Action<IShell> what)
        {
            what(simulated);
            what(engine);
        }
    }
}
