using System.Globalization;
using ControlPlane.Actors;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// Whatever extensions do, the switch goes on: extensions of random bad manners, random OIDs, late answers, definitions
/// that take extensions away or move them, crashes in between. At the end nothing waits that nobody can answer.
/// </summary>
public sealed class ContainmentTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");

    static readonly OidCode[] Oids =
    [
        OidCode.PortCreate, OidCode.PortUpdated, OidCode.PortTeardown, OidCode.PortDelete, OidCode.NicCreate, OidCode.NicConnect, OidCode.NicUpdated,
        OidCode.NicDisconnect, OidCode.NicDelete, OidCode.NicSave, OidCode.NicSaveComplete, OidCode.NicRestore, OidCode.NicRestoreComplete,
        OidCode.PortPropertyAdd, OidCode.PortPropertyDelete, OidCode.PropertyAdd, OidCode.PropertyDelete, OidCode.PropertyEnum, OidCode.FeatureStatusQuery,
        OidCode.PortArray, OidCode.NicArray, OidCode.Parameters, OidCode.NicRequest, OidCode.NicDirectRequest, OidCode.NicSuspend, new(0x000102ff),
    ];

    static readonly NdisStatus[] Statuses = [NdisStatus.Success, NdisStatus.Failure, NdisStatus.DataNotAccepted, NdisStatus.BufferTooShort];

    public static IEnumerable<object[]> Seeds => Enumerable.Range(1, 60).Select(seed => new object[] { seed });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Switch_goes_on_whatever_its_extensions_do(int seed)
    {
        var random = new Random(seed);
        var world = new World(snapshotEvery: 20).Connect("hv01");
        world.DefineSwitch(Sw, DriftPolicy.Report, Stack(random));
        var asked = new List<Question>();
        for (var step = 0; step < 80; step++)
        {
            switch (random.Next(10))
            {
                case 0:
                    world.DefineSwitch(Sw, DriftPolicy.Report, Stack(random));
                    break;
                case 1 when world.Switch(Sw).Slot is { Verdict.Pause: { } pause } slot:
                    world.Do(Sw, new CompleteOid(slot.Request.RequestId, pause.Extension, Statuses[random.Next(Statuses.Length)]));
                    break;
                case 2:
                    world.Crash(Sw, withSnapshot: random.Next(2) == 0);
                    break;
                case 3:
                    asked.Add(world.Ask(Sw, Id(step), random.Next(2) == 0
                        ? new SaveNicData("port-1", 0)
                        : new RestoreNicData("port-1", 0, [new NicBlob("x", "x", "AA=="), new NicBlob("y", "y", "")])));
                    break;
                default:
                    asked.Add(world.Ask(Sw, Id(step), new SubmitOid(Request(random, step), true)));
                    break;
            }
            world.Settle();
            KeptWhole(world);
        }
        Assert.Equal(NdisStatus.Success, ((OidOutcome)Release(world).Reply!).Status);
        Assert.All(asked, question => Assert.NotNull(question.Answer));
        Assert.Empty(world.Switch(Sw).Transfers);
        Assert.Empty(world.Switch(Sw).Queue);
        Assert.DoesNotContain(world.Rows(Sw), row => row.Event is Parked);
        world.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(world.Switch(Sw).Slot);
    }

    /// <summary>Without extensions nothing is pending any more, and the next OID is carried out.</summary>
    static Answer Release(World world)
    {
        world.DefineSwitch(Sw, DriftPolicy.Report);
        return world.Oid(Sw, new OidRequest("last", OidCode.PortArray, 0));
    }

    /// <summary>The state is stored and read back as it is, in every situation.</summary>
    static void KeptWhole(World world)
    {
        var state = world.State<SwitchState>(Sw);
        var bytes = StateNames.Encode(Sw, state);
        Assert.Equal(bytes, StateNames.Encode(Sw, StateNames.Decode(Sw, StateNames.Of(Sw), bytes)));
    }

    static ExtensionDefinition[] Stack(Random random)
    {
        ExtensionDefinition[] all =
        [
            new("test.verdict", ExtensionClass.Capture, random.Next(4) > 0, Manners(random)), new("test.verdict", ExtensionClass.Filter, random.Next(4) > 0, Manners(random)),
            new("filter.acl", ExtensionClass.Filter, random.Next(4) > 0), new("test.verdict", ExtensionClass.Forward, random.Next(4) > 0, Manners(random)),
        ];
        random.Shuffle(all);
        return all[random.Next(2)..];
    }

    static ExtensionSettings Manners(Random random) => new(
        Verdicts: [new PlannedVerdict(Any(random), Statuses[random.Next(Statuses.Length)], random.Next(1, 4))],
        MtuHeadroom: random.Next(4) == 0 ? random.Next(-50, 50) : null,
        Originates: random.Next(6) == 0 ? Any(random) : null,
        ChangesPayload: random.Next(6) == 0,
        Pends: [.. Enumerable.Range(0, random.Next(3)).Select(_ => Any(random))],
        Throws: [.. Enumerable.Range(0, random.Next(3)).Select(_ => Any(random))],
        Owns: ["own"],
        Saves: ["one", "two"],
        AttachFails: random.Next(8) == 0,
        AsksRestart: random.Next(4) == 0 ? Any(random) : null);

    static OidRequest Request(Random random, int step)
    {
        var (oid, port) = (Any(random), (uint)random.Next(1, 3));
        var vm = new NicParameters($"vm--eth{port}", NicType.Synthetic, "vm", Mtu: 1500, Flags: ["NicInitializing"]);
        OidParameters? parameters =
            oid == OidCode.PortCreate || oid == OidCode.PortUpdated ? new PortParameters(string.Create(CultureInfo.InvariantCulture, $"port-{port}"))
            : oid == OidCode.NicCreate || oid == OidCode.NicUpdated ? vm
            : oid == OidCode.NicRestore ? new NicRestoreParameters("someone", "AA==")
            : oid == OidCode.FeatureStatusQuery ? new FeatureStatusParameters("own", Capacity: random.Next(40))
            : oid == OidCode.NicRequest ? new NicRequestParameters(0, 0, 0, 0, OidCode.NicSwitchAllocateVf)
            : oid.ToString().Contains("PROPERTY", StringComparison.Ordinal) && oid != OidCode.PropertyEnum ? new PropertyParameters(PropertyType.Custom, "i1", "own")
            : null;
        return new OidRequest(Id(step), oid, port, 0, parameters);
    }

    static OidCode Any(Random random) => Oids[random.Next(Oids.Length)];

    static string Id(int step) => string.Create(CultureInfo.InvariantCulture, $"step-{step}");
}
