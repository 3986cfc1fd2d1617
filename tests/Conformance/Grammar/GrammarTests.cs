using System.Globalization;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Messages;
using FsCheck.Xunit;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// Traces of one port against the oracle. The seeds are fixed; a failure prints its seed, and the numbers that it
/// shrank to, which <see cref="Replayed"/> takes as they are.
/// </summary>
public sealed class GrammarTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "p7");

    [Property(Replay = "20260101,7919", MaxTest = 120)]
    public void Any_trace_of_a_vm_port_ends_as_the_grammar_says(byte[] choices, byte[] changes) => Run(Kind.Vm, choices, changes);

    [Property(Replay = "20260102,7927", MaxTest = 150)]
    public void Any_trace_of_an_external_port_ends_as_the_grammar_says(byte[] choices, byte[] changes) => Run(Kind.External, choices, changes);

    [Property(Replay = "20260103,7933", MaxTest = 60)]
    public void Any_trace_of_a_validation_port_ends_as_the_grammar_says(byte[] choices, byte[] changes) => Run(Kind.Validation, choices, changes);

    [Theory]
    [InlineData(Kind.Vm, new byte[] { 0, 2, 3 }, new byte[] { 6, 1 })]
    public void Replayed(Kind kind, byte[] choices, byte[] changes) => Run(kind, choices, changes);

    [Fact]
    public void Traces_meet_every_verdict_of_every_oid()
    {
        var met = new SortedSet<string>(StringComparer.Ordinal);
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var (choices, changes) = (new byte[40], new byte[24]);
            random.NextBytes(choices);
            random.NextBytes(changes);
            var oracle = new PortOracle(Kind.External);
            foreach (var step in Traces.Mutated(Traces.Legal(Kind.External, choices), changes))
            {
                var open = oracle.Series(step.Index);
                met.Add($"{step.Move} {oracle.Take(step)}");
                met.Add($"{step.Move} while {open} is open");
            }
        }
        foreach (var move in new[] { Move.PC, Move.PU, Move.PP, Move.NC, Move.CN, Move.NU, Move.SV, Move.SC, Move.RS, Move.RC, Move.DC, Move.ND, Move.PT, Move.PD })
        {
            Assert.Contains($"{move} Done", met);
            Assert.Contains($"{move} Rejected", met);
        }
        Assert.Contains("PC RefusedByExtension", met);
        Assert.Contains("NC RefusedByExtension", met);
        foreach (var move in new[] { Move.SV, Move.SC, Move.RS, Move.RC, Move.NU, Move.DC })
        {
            Assert.Contains($"{move} while SV is open", met);
            Assert.Contains($"{move} while RS is open", met);
        }
    }

    static void Run(Kind kind, byte[] choices, byte[] changes)
    {
        var (world, oracle) = (new World(snapshotEvery: 10), new PortOracle(kind));
        world.Connect("hv01");
        world.DefineSwitch(Sw, DriftPolicy.Report);
        var trace = Traces.Mutated(Traces.Legal(kind, choices), changes);
        for (var at = 0; at < trace.Count; at++)
        {
            var expected = oracle.Take(trace[at]);
            var seen = Play(world, kind, trace[at], at, oracle.HoldsTaken);
            Assert.True(expected == seen, $"{kind}: {string.Join(' ', trace.Take(at + 1))} is {seen}, not {expected}");
            Assert.True(oracle.Port == ((world.State(Port) as PortState)?.Name ?? "NotCreated"), $"{kind}: port after {string.Join(' ', trace.Take(at + 1))}");
            for (var index = 0; index < (kind == Kind.External ? 3 : 1); index++)
            {
                Assert.True(
                    oracle.Nic(index) == ((world.State(Nic(kind, index)) as NicState)?.Name ?? "Absent"),
                    $"{kind}: NIC {index} after {string.Join(' ', trace.Take(at + 1))}");
                Assert.True(
                    oracle.Series(index) == Open(world.State(Nic(kind, index)) as NicState),
                    $"{kind}: series of NIC {index} after {string.Join(' ', trace.Take(at + 1))}");
            }
        }
    }

    static Expected Play(World world, Kind kind, TraceMove step, int at, int holdsTaken)
    {
        switch (step.Move)
        {
            case Move.Restart:
                world.CrashAll(withSnapshot: at % 2 == 0);
                world.Settle();
                return Expected.Done;
            case Move.Refuse:
                world.DefineSwitch(Sw, DriftPolicy.Report, new ExtensionDefinition("test.verdict", ExtensionClass.Filter, true, new ExtensionSettings(
                    Verdicts: [new PlannedVerdict(OidCode.PortCreate, NdisStatus.Failure, 1), new PlannedVerdict(OidCode.NicCreate, NdisStatus.Failure, 1)])));
                return Expected.Done;
            case Move.HoldPort:
                return Of(world.Do(Sw, new TakeHoldAt(HoldId(holdsTaken), "e2", 7, null, "")));
            case Move.HoldNic:
                return Of(world.Do(Sw, new TakeHoldAt(HoldId(holdsTaken), "e2", 7, step.Index, "")));
            case Move.Release:
                return Of(world.Do(Sw, new ReleaseHoldAt(world.Switch(Sw).Holds.Keys.FirstOrDefault() ?? "none")));
            case Move.Load or Move.Unload:
                return Of(world.Do(Sw, new SetInFlightAt(7, step.Index, step.Move == Move.Load ? 1 : 0, 0)));
            default:
                var answer = world.Oid(Sw, new OidRequest($"{at}", Oid(step.Move), 7, step.Index, Parameters(kind, step.Move)));
                Assert.True(answer.Refusal is null or { Rule: not null });
                var refused = answer.Reply is OidOutcome { Status: not NdisStatus.Success };
                if (refused)
                {
                    world.DefineSwitch(Sw, DriftPolicy.Report);
                }
                return refused ? Expected.RefusedByExtension : Of(answer);
        }
    }

    static Move? Open(NicState? nic) => nic?.BodyOrNull?.Transfer?.Open switch
    {
        null => null,
        NicSeries.Save => Move.SV,
        _ => Move.RS,
    };

    static Expected Of(Answer answer) => answer.Refusal is null ? Expected.Done : Expected.Rejected;

    static string HoldId(int taken) => string.Create(CultureInfo.InvariantCulture, $"{taken:d4}");

    static EntityId Nic(Kind kind, int index) => kind == Kind.External ? EntityId.HostNic("hv01", "sw", "p7", index) : EntityId.Nic("web", "eth0");

    static OidCode Oid(Move move) => move switch
    {
        Move.PC => OidCode.PortCreate,
        Move.PU => OidCode.PortUpdated,
        Move.PP => OidCode.PortPropertyAdd,
        Move.NC => OidCode.NicCreate,
        Move.CN => OidCode.NicConnect,
        Move.NU => OidCode.NicUpdated,
        Move.SV => OidCode.NicSave,
        Move.SC => OidCode.NicSaveComplete,
        Move.RS => OidCode.NicRestore,
        Move.RC => OidCode.NicRestoreComplete,
        Move.DC => OidCode.NicDisconnect,
        Move.ND => OidCode.NicDelete,
        Move.PT => OidCode.PortTeardown,
        Move.PD => OidCode.PortDelete,
        _ => throw new InvalidOperationException(move.ToString()),
    };

    static OidParameters? Parameters(Kind kind, Move move) => move switch
    {
        Move.PC or Move.PU => new PortParameters(
            "p7", PortType: kind == Kind.External ? PortType.External : PortType.Synthetic, IsValidationPort: kind == Kind.Validation),
        Move.PP => new PropertyParameters(PropertyType.Security, "i1"),
        Move.RS => new NicRestoreParameters("8d4bb1a0-0000-4000-8000-0000000000aa", "AA=="),
        Move.NC or Move.NU => kind == Kind.External ? new NicParameters("adapter", NicType.External) : new NicParameters("eth0", VmName: "web"),
        _ => null,
    };
}
