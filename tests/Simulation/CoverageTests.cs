using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>Which message met which state in many histories, and why the rest did not.</summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    const ulong Seeds = 300;

    static readonly string[] Errands = ["TakeHold", "ReleaseHold", "SetInFlight", "IndicateStatus"];

    const string OwesNothing = "the state owes nothing that is answered or timed, and the core drops an answer or a timer of what is not owed";

    const string OneAtATime = "the switch has one OID in traversal at a time (switch.md 3.7), and it is settled before the next one comes";

    const string ALossInBetween = "the switch refuses what is about an object that it does not know; the object has to be lost with its host while the OID is on its way";

    const string NoWait = "the VM waits for a gate after the OID that comes before the wait; another state needs a peer's OID, a refused step or a loss in between";

    const string Overtaking = "what is under way is answered with the loss by the bridge; the switch's word has to overtake that answer";

    const string BesideTheSlot = "an errand goes beside the slot (switch.md 3.7), and the object has to leave or change its state while it is on its way";

    const string LongWait = "somebody has to wait for a gate for 30 s in this state (switch.md 9.7)";

    static readonly Reason[] Reasons =
    [
        new(Gap.NotAsked, "bridge", "Removed", ["*"], "no client takes a host out of the system"),
        new(Gap.Seldom, "bridge", "Offline", ["CloseSession", "ReportFrames", "ReportCompletion"],
            "the bridge closes a session itself at a gap in the frames only; what its stream still says has to arrive after that"),

        new(Gap.NotAsked, "switch", "Failed", ["*"], "no host refuses to make a switch"),
        new(Gap.NotAsked, "switch", "Deleting", ["*"], "no client deletes a switch"),
        new(Gap.Never, "switch", "Absent", ["AnswerArrived", "TimerElapsed"], OwesNothing),
        new(Gap.NotAsked, "switch", "Absent", ["ReconcileSwitch", "TellDrift", "ReportStranger", "ReleaseHoldAt", "SubmitOid OID_SWITCH_NIC_CREATE"],
            "no client deletes a switch: who has known it finds it"),
        new(Gap.Seldom, "switch", "Absent", ["SubmitOid"], "the peer has to speak before the switch is defined"),
        new(Gap.Seldom, "switch", "Preparing", ["SubmitOid OID_SWITCH_NIC_CREATE", "TellDrift", "TimerElapsed"],
            "the host has to lose the switch while a VM that is on it starts or drifts"),
        new(Gap.Seldom, "switch", "Preparing Ready", ["ReportStranger"], "a host has to show a device of a NIC that is absent by then"),

        new(Gap.Never, "port", "Absent TornDown", ["AnswerArrived"], OwesNothing),
        new(Gap.Never, "port", "Absent", ["TimerElapsed"], OwesNothing),
        new(Gap.Never, "port", "Creating TearingDown Deleting", ["ArriveOid"], OneAtATime),
        new(Gap.Never, "port", "Created TornDown", ["ArriveOid OID_SWITCH_PORT_CREATE"], "the switch refuses the name of a port that it has (X15)"),
        new(Gap.Never, "port", "TornDown", ["ArriveOid OID_SWITCH_NIC_DELETE"],
            "only a port without NICs is torn down, and the switch refuses what is about a NIC that it does not know"),
        new(Gap.Seldom, "port", "Absent", ["ArriveOid OID_SWITCH_PORT_DELETE", "ArriveOid OID_SWITCH_PORT_TEARDOWN", "ArriveOid OID_SWITCH_NIC_CREATE", "ArriveOid OID_SWITCH_NIC_DELETE"],
            ALossInBetween),
        new(Gap.Seldom, "port", "TornDown", ["ArriveOid OID_SWITCH_NIC_CREATE", "ArriveOid OID_SWITCH_PORT_TEARDOWN"],
            "a peer has to tear down the port of a VM that starts, or that stops, before the VM does"),
        new(Gap.Seldom, "port", "Creating Created TearingDown Deleting", ["AwaitDrain"], NoWait),
        new(Gap.Seldom, "port", "Creating TearingDown TornDown Deleting", ["LoseObject"], Overtaking),
        new(Gap.Seldom, "port", "Absent Creating TearingDown TornDown Deleting", Errands, BesideTheSlot),
        new(Gap.Seldom, "port", "Creating Created TearingDown TornDown Deleting", ["TimerElapsed"], LongWait),

        new(Gap.Never, "nic", "Absent", ["AnswerArrived", "TimerElapsed"], OwesNothing),
        new(Gap.Never, "nic", "Creating Connecting Disconnecting Deleting", ["ArriveOid"], OneAtATime),
        new(Gap.NotAsked, "nic", "Created Connected Disconnected", ["ArriveOid OID_SWITCH_NIC_CREATE"],
            "only a VM makes NICs, each once in a start that begins when the one before has ended"),
        new(Gap.Seldom, "nic", "Absent", ["ArriveOid OID_SWITCH_NIC_CONNECT", "ArriveOid OID_SWITCH_NIC_DELETE", "ArriveOid OID_SWITCH_NIC_DISCONNECT"],
            ALossInBetween),
        new(Gap.Seldom, "nic", "Created", ["ArriveOid OID_SWITCH_NIC_DELETE", "ArriveOid OID_SWITCH_NIC_DISCONNECT"],
            "a peer has to speak between the NIC_CREATE and the NIC_CONNECT of a start"),
        new(Gap.Seldom, "nic", "Disconnected", ["ArriveOid OID_SWITCH_NIC_CONNECT"], "a peer has to connect a NIC that drains"),
        new(Gap.Seldom, "nic", "Creating Created Connecting Connected Disconnecting Deleting", ["AwaitDrain"], NoWait),
        new(Gap.Seldom, "nic", "Creating Connecting Disconnecting Disconnected Deleting", ["LoseObject"], Overtaking),
        new(Gap.Seldom, "nic", "Absent Creating Created Connecting Disconnecting Deleting", ["ReleaseHold"], BesideTheSlot),
        new(Gap.Seldom, "nic", "Absent Creating Created Disconnecting Deleting", ["SetInFlight"], BesideTheSlot),
        new(Gap.Seldom, "nic", "Absent Creating Disconnecting Deleting", ["TakeHold", "IndicateStatus"], BesideTheSlot),
        new(Gap.Seldom, "nic", "Creating Created Connecting Connected Disconnecting Disconnected Deleting", ["TimerElapsed"], LongWait),

        new(Gap.NotAsked, "vm", "Migrating", ["*"], "no client moves a VM"),
        new(Gap.Never, "vm", "Undefined Stopped Running", ["AnswerArrived"], OwesNothing),
        new(Gap.Seldom, "vm", "Undefined Stopped Undoing Changing", ["LoseVm"],
            "the host has to come up anew in a short phase of the VM, or after it was deleted"),
    ];

    [Fact]
    public void Every_state_meets_every_message_or_the_page_says_why_not()
    {
        var met = new Tally();
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var report = Run.Of(seed, cells: met);
            Assert.True(report.Violation is null, $"seed {seed}: {report.Violation}");
        }
        var coverage = new Coverage(met, Reasons);
        output.WriteLine(coverage.Figures());
        output.Tell($"{coverage.All.Count} cells of the lifecycles, {coverage.Empty} of them empty in {Seeds} histories");
        Assert.Empty(coverage.Wrong());

        var file = Path.Combine(Root(), "docs", "simulation-coverage.md");
        var page = coverage.Markdown(Seeds);
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_WRITE_DOCS") == "1")
        {
            File.WriteAllText(file, page);
        }
        Assert.Equal(File.ReadAllText(file), page);
    }

    static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ControlPlane.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("ControlPlane.sln");
        }
        return folder.FullName;
    }
}
