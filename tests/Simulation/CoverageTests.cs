using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>Which message met which state in many histories, and why the rest did not.</summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    const ulong Seeds = 500;

    static readonly string[] Errands = ["TakeHold", "ReleaseHold", "SetInFlight", "IndicateStatus"];

    const string OwesNothing = "the state owes nothing that is answered or timed, and the core drops an answer or a timer of what is not owed";

    const string OneAtATime = "the switch has one OID in traversal at a time (switch.md 3.7), and it is settled before the next one comes";

    const string ALossInBetween = "the switch refuses what is about an object that it does not know; the object has to be lost with its host while the OID is on its way";

    const string NoWait = "the VM waits for a gate after the OID that comes before the wait; another state needs a peer's OID, a refused step or a loss in between";

    const string Overtaking = "what is under way is answered with the loss by the bridge; the switch's word has to overtake that answer";

    const string BesideTheSlot = "an errand goes beside the slot (switch.md 3.7), and the object has to leave or change its state while it is on its way";

    const string LongWait = "somebody has to wait for a gate for 30 s in this state (switch.md 9.7)";

    const string Outlived = "it has to be sent before the removal or the deletion and to arrive after it";

    const string RightAfter = "the host has to be away while the switch is deleted, and somebody has to ask in between";

    const string Strangers = "a host has to show a device of a NIC that is absent by then";

    static readonly Reason[] Reasons =
    [
        new(Gap.Seldom, "bridge", "Offline", ["CloseSession", "ReportFrames", "ReportCompletion"],
            "the bridge closes a session itself at a gap in the frames only; what its stream still says has to arrive after that"),
        new(Gap.Seldom, "bridge", "Removed", ["CloseSession", "ReportFrames", "ReportCompletion"], Outlived),

        new(Gap.Never, "switch", "Absent", ["AnswerArrived", "TimerElapsed"], OwesNothing),
        new(Gap.Seldom, "switch", "Absent Preparing Failed Deleting", ["ReportStranger"], Strangers),
        new(Gap.Seldom, "switch", "Absent", ["TellDrift", "SubmitOid OID_SWITCH_NIC_CREATE"], Outlived),
        new(Gap.Seldom, "switch", "Preparing Failed Deleting", ["TellDrift", "TimerElapsed", "SubmitOid OID_SWITCH_NIC_CREATE"],
            "the host has to lose the switch while a VM or guest that is on it starts or drifts"),
        new(Gap.Seldom, "switch", "Absent Failed", ["SubmitOid", "SaveNicData", "RestoreNicData", "CompleteOid", "DeleteSwitch", "AnswerArrived"],
            "the tenant or the upkeep has to speak while there is none, or the host could not make it"),
        new(Gap.Seldom, "switch", "Deleting",
            ["SubmitOid", "SaveNicData", "RestoreNicData", "CompleteOid", "CancelOid", "DeleteSwitch", "TakeHoldAt", "ReleaseHoldAt", "SetInFlightAt", "IndicateStatusAt", "DefineSwitch", "ReconcileSwitch"],
            RightAfter),

        new(Gap.Never, "port", "Absent TornDown", ["AnswerArrived"], OwesNothing),
        new(Gap.Never, "port", "Absent", ["TimerElapsed"], OwesNothing),
        new(Gap.Never, "port", "Creating TearingDown Deleting", ["ArriveOid"], OneAtATime),
        new(Gap.Never, "port", "Created TornDown", ["ArriveOid OID_SWITCH_PORT_CREATE"], "the switch refuses the name of a port that it has (X15)"),
        new(Gap.Never, "port", "TornDown", ["ArriveOid OID_SWITCH_NIC_DELETE"],
            "only a port without NICs is torn down, and the switch refuses what is about a NIC that it does not know"),
        new(Gap.Seldom, "port", "Absent", ["ArriveOid"], ALossInBetween),
        new(Gap.Seldom, "port", "TornDown", ["ArriveOid OID_SWITCH_NIC_CREATE", "ArriveOid OID_SWITCH_PORT_TEARDOWN"],
            "a peer has to tear down the port of a VM that starts, or that stops, before the VM does"),
        new(Gap.Seldom, "port", "Creating Created TearingDown Deleting", ["AwaitDrain"], NoWait),
        new(Gap.Seldom, "port", "Creating TearingDown TornDown Deleting", ["LoseObject"], Overtaking),
        new(Gap.Seldom, "port", "Absent Creating TearingDown TornDown Deleting", Errands, BesideTheSlot),
        new(Gap.Seldom, "port", "Creating Created TearingDown TornDown Deleting", ["TimerElapsed"], LongWait),

        new(Gap.Never, "nic", "Absent", ["AnswerArrived", "TimerElapsed"], OwesNothing),
        new(Gap.Never, "nic", "Creating Connecting Disconnecting Deleting", ["ArriveOid"], OneAtATime),
        new(Gap.Never, "nic", "Creating Connecting Disconnecting Deleting", ["EnforcePolicy", "ReadRuntime"],
            "a port and a switch ask this within an OID of theirs, and the switch has one in traversal at a time (switch.md 3.7)"),
        new(Gap.Seldom, "nic", "Absent", ["ArriveOid", "EnforcePolicy", "ReadRuntime", "RestoreRuntime"], ALossInBetween),
        new(Gap.Seldom, "nic", "Created", ["ArriveOid", "EnforcePolicy"], "a peer has to speak between the NIC_CREATE and the NIC_CONNECT of a start"),
        new(Gap.Seldom, "nic", "Disconnected", ["ArriveOid OID_SWITCH_NIC_CONNECT"], "a peer has to connect a NIC that drains"),
        new(Gap.Seldom, "nic", "Creating Created Connecting Connected Disconnecting Deleting", ["AwaitDrain"], NoWait),
        new(Gap.Seldom, "nic", "Creating Connecting Disconnecting Disconnected Deleting", ["LoseObject"], Overtaking),
        new(Gap.Seldom, "nic", "Absent Creating Created Connecting Disconnecting Deleting", ["ReleaseHold"], BesideTheSlot),
        new(Gap.Seldom, "nic", "Absent Creating Created Disconnecting Deleting", ["SetInFlight"], BesideTheSlot),
        new(Gap.Seldom, "nic", "Absent Creating Disconnecting Deleting", ["TakeHold", "IndicateStatus"], BesideTheSlot),
        new(Gap.Seldom, "nic", "Creating Created Connecting Connected Disconnecting Disconnected Deleting", ["TimerElapsed"], LongWait),

        new(Gap.Seldom, "nic", "Absent Creating Created Connecting Disconnecting Disconnected Deleting", ["AnnounceAddress"],
            "the NIC has to be lost or taken away between the end of a move and its announcement"),
        new(Gap.Seldom, "nic", "Creating Created Connecting Disconnecting Deleting", ["ReadAttachment"],
            "a migration asks a running VM's NICs; somebody else has to be at them meanwhile"),

        new(Gap.Never, "vm", "Undefined Stopped Running", ["AnswerArrived"], OwesNothing),
        new(Gap.Never, "vm", "Undefined Stopped Starting Undoing Running Changing Stopping", ["ChangeOwner"],
            "only the VM's open migration says it, and the VM is Migrating until it was told the end"),
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
        var wrong = coverage.Wrong().ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        var file = Path.Combine(Sources.Root, "docs", "simulation-coverage.md");
        var page = coverage.Markdown(Seeds);
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_WRITE_DOCS") == "1")
        {
            File.WriteAllText(file, page);
        }
        Assert.Equal(File.ReadAllText(file), page);
    }
}
