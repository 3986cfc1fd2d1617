using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>
/// The names under which words are stored and sent: a name and a version, never a C# type name of its own accord. They
/// are for ever. A changed shape gets the next version and an up-caster; the old one is read for ever (design.md 4).
/// </summary>
public static class StoredNames
{
    static readonly FrozenDictionary<string, Type> Types = new Dictionary<string, Type>
    {
        // Events
        ["AgentSessionOpened.1"] = typeof(AgentSessionOpened),
        ["AgentSessionClosed.1"] = typeof(AgentSessionClosed),
        ["StaleReportDropped.1"] = typeof(StaleReportDropped),
        ["FrameRecorded.1"] = typeof(FrameRecorded),
        ["FrameDelivered.1"] = typeof(FrameDelivered),
        ["FrameGapSeen.1"] = typeof(FrameGapSeen),
        ["CommandIssued.1"] = typeof(CommandIssued),
        ["CommandCompleted.1"] = typeof(CommandCompleted),
        ["SwitchTold.1"] = typeof(SwitchTold),
        ["RequestRefused.1"] = typeof(RequestRefused),
        ["RequestNoted.1"] = typeof(RequestNoted),
        ["Parked.1"] = typeof(Parked),
        ["Unparked.1"] = typeof(Unparked),
        ["PortCreateProposed.1"] = typeof(PortCreateProposed),
        ["PortCreated.1"] = typeof(PortCreated),
        ["PortCreateRefused.1"] = typeof(PortCreateRefused),
        ["PortUpdated.1"] = typeof(PortUpdated),
        ["PortTeardownReceived.1"] = typeof(PortTeardownReceived),
        ["PortTornDown.1"] = typeof(PortTornDown),
        ["PortDeleteReceived.1"] = typeof(PortDeleteReceived),
        ["PortDeleted.1"] = typeof(PortDeleted),
        ["NicAttachProposed.1"] = typeof(NicAttachProposed),
        ["NicAttached.1"] = typeof(NicAttached),
        ["NicAttachEnded.1"] = typeof(NicAttachEnded),
        ["NicDetachProposed.1"] = typeof(NicDetachProposed),
        ["NicDetached.1"] = typeof(NicDetached),
        ["NicDetachEnded.1"] = typeof(NicDetachEnded),
        ["PortHeld.1"] = typeof(PortHeld),
        ["PortReleased.1"] = typeof(PortReleased),
        ["PortInFlightSet.1"] = typeof(PortInFlightSet),
        ["PortDrainDeferred.1"] = typeof(PortDrainDeferred),
        ["PortPropertyProposed.1"] = typeof(PortPropertyProposed),
        ["PortPropertyChanged.1"] = typeof(PortPropertyChanged),
        ["PortPropertyRefused.1"] = typeof(PortPropertyRefused),
        ["PortDrained.1"] = typeof(PortDrained),
        ["PortDrainStuck.1"] = typeof(PortDrainStuck),
        ["PortEdgeFaulted.1"] = typeof(PortEdgeFaulted),
        ["NicCreateProposed.1"] = typeof(NicCreateProposed),
        ["NicCreated.1"] = typeof(NicCreated),
        ["NicCreateRefused.1"] = typeof(NicCreateRefused),
        ["NicConnectProposed.1"] = typeof(NicConnectProposed),
        ["NicConnected.1"] = typeof(NicConnected),
        ["NicUpdated.1"] = typeof(NicUpdated),
        ["NicDisconnectReceived.1"] = typeof(NicDisconnectReceived),
        ["NicDisconnected.1"] = typeof(NicDisconnected),
        ["NicDeleteReceived.1"] = typeof(NicDeleteReceived),
        ["NicDeleted.1"] = typeof(NicDeleted),
        ["NicHeld.1"] = typeof(NicHeld),
        ["NicReleased.1"] = typeof(NicReleased),
        ["NicInFlightSet.1"] = typeof(NicInFlightSet),
        ["NicDeleteDeferred.1"] = typeof(NicDeleteDeferred),
        ["NicDrained.1"] = typeof(NicDrained),
        ["NicDrainStuck.1"] = typeof(NicDrainStuck),
        ["NicDrifted.1"] = typeof(NicDrifted),
        ["NicConverged.1"] = typeof(NicConverged),
        ["NicRepairStarted.1"] = typeof(NicRepairStarted),
        ["NicRepaired.1"] = typeof(NicRepaired),
        ["NicEdgeFaulted.1"] = typeof(NicEdgeFaulted),
        ["NicDriftTold.1"] = typeof(NicDriftTold),
        ["NicCreateUndoing.1"] = typeof(NicCreateUndoing),
        ["NicPolicyProposed.1"] = typeof(NicPolicyProposed),
        ["NicPolicyApplied.1"] = typeof(NicPolicyApplied),
        ["NicPolicyRefused.1"] = typeof(NicPolicyRefused),
        ["NicReadStarted.1"] = typeof(NicReadStarted),
        ["NicReadEnded.1"] = typeof(NicReadEnded),
        ["NicRuntimeRestoreStarted.1"] = typeof(NicRuntimeRestoreStarted),
        ["NicRuntimeRestoreEnded.1"] = typeof(NicRuntimeRestoreEnded),
        ["NicSeriesOpened.1"] = typeof(NicSeriesOpened),
        ["NicSeriesCompleted.1"] = typeof(NicSeriesCompleted),
        ["NicSeriesFailed.1"] = typeof(NicSeriesFailed),
        ["NicRestoreOverdue.1"] = typeof(NicRestoreOverdue),
        ["SwitchDefined.1"] = typeof(SwitchDefined),
        ["SwitchReady.1"] = typeof(SwitchReady),
        ["SwitchNotReady.1"] = typeof(SwitchNotReady),
        ["SwitchDeleteStarted.1"] = typeof(SwitchDeleteStarted),
        ["SwitchDeleted.1"] = typeof(SwitchDeleted),
        ["OidQueued.1"] = typeof(OidQueued),
        ["OidStarted.1"] = typeof(OidStarted),
        ["OidCompleted.1"] = typeof(OidCompleted),
        ["OidRejected.1"] = typeof(OidRejected),
        ["OidRejectionCounted.1"] = typeof(OidRejectionCounted),
        ["OidRejectionsCoalesced.1"] = typeof(OidRejectionsCoalesced),
        ["OidRefused.1"] = typeof(OidRefused),
        ["OidUndone.1"] = typeof(OidUndone),
        ["ExtensionFaulted.1"] = typeof(ExtensionFaulted),
        ["ErrandStarted.1"] = typeof(ErrandStarted),
        ["ErrandEnded.1"] = typeof(ErrandEnded),
        ["SwitchReconcileStarted.1"] = typeof(SwitchReconcileStarted),
        ["SwitchReconciled.1"] = typeof(SwitchReconciled),
        ["DriftSeen.1"] = typeof(DriftSeen),
        ["OidResumed.1"] = typeof(OidResumed),
        ["OidSlow.1"] = typeof(OidSlow),
        ["OidCancelRequested.1"] = typeof(OidCancelRequested),
        ["StackRestartDeferred.1"] = typeof(StackRestartDeferred),
        ["StackRestarted.1"] = typeof(StackRestarted),
        ["ExtensionAttached.1"] = typeof(ExtensionAttached),
        ["ExtensionAttachFailed.1"] = typeof(ExtensionAttachFailed),
        ["ExtensionDetached.1"] = typeof(ExtensionDetached),
        ["SwitchPropertyChanged.1"] = typeof(SwitchPropertyChanged),
        ["NicDataTransferStarted.1"] = typeof(NicDataTransferStarted),
        ["NicDataTransferEnded.1"] = typeof(NicDataTransferEnded),
        ["SaveRound.1"] = typeof(SaveRound),
        ["SaveFailed.1"] = typeof(SaveFailed),
        ["SaveCompleted.1"] = typeof(SaveCompleted),
        ["RestoreRound.1"] = typeof(RestoreRound),
        ["RestoreCompleted.1"] = typeof(RestoreCompleted),
        ["RestoreFailed.1"] = typeof(RestoreFailed),
        ["VmDefined.1"] = typeof(VmDefined),
        ["VmDeleted.1"] = typeof(VmDeleted),
        ["VmStartRequested.1"] = typeof(VmStartRequested),
        ["VmStepDone.1"] = typeof(VmStepDone),
        ["VmStartUndoing.1"] = typeof(VmStartUndoing),
        ["VmStarted.1"] = typeof(VmStarted),
        ["VmStartRefused.1"] = typeof(VmStartRefused),
        ["VmStopRequested.1"] = typeof(VmStopRequested),
        ["VmStopped.1"] = typeof(VmStopped),
        ["VmStepSkipped.1"] = typeof(VmStepSkipped),
        ["VmStepDeferred.1"] = typeof(VmStepDeferred),
        ["VmChangeRequested.1"] = typeof(VmChangeRequested),
        ["VmChangeUndoing.1"] = typeof(VmChangeUndoing),
        ["VmChanged.1"] = typeof(VmChanged),
        ["VmChangeRefused.1"] = typeof(VmChangeRefused),
        // Commands
        ["OpenSession.1"] = typeof(OpenSession),
        ["CloseSession.1"] = typeof(CloseSession),
        ["ReportFrames.1"] = typeof(ReportFrames),
        ["ReportCompletion.1"] = typeof(ReportCompletion),
        ["IssueCommand.1"] = typeof(IssueCommand),
        ["CheckHost.1"] = typeof(CheckHost),
        ["Unpark.1"] = typeof(Unpark),
        ["AnswerArrived.1"] = typeof(AnswerArrived),
        ["TimerElapsed.1"] = typeof(TimerElapsed),
        ["ArriveOid.1"] = typeof(ArriveOid),
        ["EnforcePolicy.1"] = typeof(EnforcePolicy),
        ["ReadRuntime.1"] = typeof(ReadRuntime),
        ["RestoreRuntime.1"] = typeof(RestoreRuntime),
        ["AwaitDrain.1"] = typeof(AwaitDrain),
        ["TakeHold.1"] = typeof(TakeHold),
        ["ReleaseHold.1"] = typeof(ReleaseHold),
        ["SetInFlight.1"] = typeof(SetInFlight),
        ["ReportDevice.1"] = typeof(ReportDevice),
        ["IndicateStatus.1"] = typeof(IndicateStatus),
        ["DefineSwitch.1"] = typeof(DefineSwitch),
        ["DeleteSwitch.1"] = typeof(DeleteSwitch),
        ["SubmitOid.1"] = typeof(SubmitOid),
        ["TakeHoldAt.1"] = typeof(TakeHoldAt),
        ["ReleaseHoldAt.1"] = typeof(ReleaseHoldAt),
        ["IndicateStatusAt.1"] = typeof(IndicateStatusAt),
        ["SetInFlightAt.1"] = typeof(SetInFlightAt),
        ["TellDrift.1"] = typeof(TellDrift),
        ["ReconcileSwitch.1"] = typeof(ReconcileSwitch),
        ["CompleteOid.1"] = typeof(CompleteOid),
        ["CancelOid.1"] = typeof(CancelOid),
        ["SaveNicData.1"] = typeof(SaveNicData),
        ["RestoreNicData.1"] = typeof(RestoreNicData),
        ["DefineVm.1"] = typeof(DefineVm),
        ["AddNic.1"] = typeof(AddNic),
        ["RemoveNic.1"] = typeof(RemoveNic),
        ["DeleteVm.1"] = typeof(DeleteVm),
        ["StartVm.1"] = typeof(StartVm),
        ["StopVm.1"] = typeof(StopVm),
        // Replies
        ["SessionOpened.1"] = typeof(SessionOpened),
        ["FramesStored.1"] = typeof(FramesStored),
        ["CommandDone.1"] = typeof(CommandDone),
        ["Done.1"] = typeof(Done),
        ["OidSettled.1"] = typeof(OidSettled),
        ["RuntimeRead.1"] = typeof(RuntimeRead),
        ["GateOpen.1"] = typeof(GateOpen),
        ["HoldTaken.1"] = typeof(HoldTaken),
        ["OidOutcome.1"] = typeof(OidOutcome),
        ["DriftAnswer.1"] = typeof(DriftAnswer),
        ["NicDataSaved.1"] = typeof(NicDataSaved),
        ["NicDataRestored.1"] = typeof(NicDataRestored),
        ["OperationRuns.1"] = typeof(OperationRuns),
        // What carries them
        ["Envelope.1"] = typeof(Envelope),
        ["Answer.1"] = typeof(Answer),
        // Between agent and node
        ["AgentHello.1"] = typeof(AgentHello),
        ["HandCommand.1"] = typeof(HandCommand),
        ["CompletionTaken.1"] = typeof(CompletionTaken),
        ["ComeAgain.1"] = typeof(ComeAgain),
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<Type, string> Names = Types.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>All stored names, in ordinal order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Types.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The type behind a stored name, or null if this release does not know it.</summary>
    public static Type? TypeOf(string name) => Types.GetValueOrDefault(name);

    /// <summary>The stored name of a word.</summary>
    public static string Of(object word) =>
        Names.TryGetValue(word.GetType(), out var name)
            ? name
            : throw new InvalidOperationException($"{word.GetType().Name} has no stored name");

    /// <summary>The name without its version, as the API shows it.</summary>
    public static string Kind(string name) => name[..name.LastIndexOf('.')];

    /// <summary>The version of a stored name.</summary>
    public static int Version(string name) =>
        int.Parse(name.AsSpan(name.LastIndexOf('.') + 1), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The word's body as stored.</summary>
    public static byte[] Encode(object word) => JsonSerializer.SerializeToUtf8Bytes(word, word.GetType(), WordsJson.Default);

    /// <summary>A refusal as stored and hashed.</summary>
    public static byte[] EncodeRefusal(Refusal refusal) => JsonSerializer.SerializeToUtf8Bytes(refusal, WordsJson.Default.Refusal);

    /// <summary>Reads what <see cref="EncodeRefusal"/> wrote.</summary>
    public static Refusal DecodeRefusal(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize(bytes, WordsJson.Default.Refusal) ?? throw new JsonException("a refusal is null");

    /// <summary>Reads a body; throws <see cref="JsonException"/> if it does not parse or the name is not known.</summary>
    public static object Decode(string name, ReadOnlySpan<byte> body) =>
        JsonSerializer.Deserialize(body, TypeOf(name) ?? throw new JsonException($"the stored name {name} is not known to this release"), WordsJson.Default)
        ?? throw new JsonException($"{name} is null");
}

/// <summary>Source-generated JSON of every word.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AgentSessionOpened))]
[JsonSerializable(typeof(AgentSessionClosed))]
[JsonSerializable(typeof(StaleReportDropped))]
[JsonSerializable(typeof(FrameRecorded))]
[JsonSerializable(typeof(FrameDelivered))]
[JsonSerializable(typeof(FrameGapSeen))]
[JsonSerializable(typeof(CommandIssued))]
[JsonSerializable(typeof(CommandCompleted))]
[JsonSerializable(typeof(SwitchTold))]
[JsonSerializable(typeof(RequestRefused))]
[JsonSerializable(typeof(RequestNoted))]
[JsonSerializable(typeof(Parked))]
[JsonSerializable(typeof(Unparked))]
[JsonSerializable(typeof(PortCreateProposed))]
[JsonSerializable(typeof(PortCreated))]
[JsonSerializable(typeof(PortCreateRefused))]
[JsonSerializable(typeof(PortUpdated))]
[JsonSerializable(typeof(PortTeardownReceived))]
[JsonSerializable(typeof(PortTornDown))]
[JsonSerializable(typeof(PortDeleteReceived))]
[JsonSerializable(typeof(PortDeleted))]
[JsonSerializable(typeof(NicAttachProposed))]
[JsonSerializable(typeof(NicAttached))]
[JsonSerializable(typeof(NicAttachEnded))]
[JsonSerializable(typeof(NicDetachProposed))]
[JsonSerializable(typeof(NicDetached))]
[JsonSerializable(typeof(NicDetachEnded))]
[JsonSerializable(typeof(PortHeld))]
[JsonSerializable(typeof(PortReleased))]
[JsonSerializable(typeof(PortInFlightSet))]
[JsonSerializable(typeof(PortDrainDeferred))]
[JsonSerializable(typeof(PortPropertyProposed))]
[JsonSerializable(typeof(PortPropertyChanged))]
[JsonSerializable(typeof(PortPropertyRefused))]
[JsonSerializable(typeof(PortDrained))]
[JsonSerializable(typeof(PortDrainStuck))]
[JsonSerializable(typeof(PortEdgeFaulted))]
[JsonSerializable(typeof(NicCreateProposed))]
[JsonSerializable(typeof(NicCreated))]
[JsonSerializable(typeof(NicCreateRefused))]
[JsonSerializable(typeof(NicConnectProposed))]
[JsonSerializable(typeof(NicConnected))]
[JsonSerializable(typeof(NicUpdated))]
[JsonSerializable(typeof(NicDisconnectReceived))]
[JsonSerializable(typeof(NicDisconnected))]
[JsonSerializable(typeof(NicDeleteReceived))]
[JsonSerializable(typeof(NicDeleted))]
[JsonSerializable(typeof(NicHeld))]
[JsonSerializable(typeof(NicReleased))]
[JsonSerializable(typeof(NicInFlightSet))]
[JsonSerializable(typeof(NicDeleteDeferred))]
[JsonSerializable(typeof(NicDrained))]
[JsonSerializable(typeof(NicDrainStuck))]
[JsonSerializable(typeof(NicDrifted))]
[JsonSerializable(typeof(NicConverged))]
[JsonSerializable(typeof(NicRepairStarted))]
[JsonSerializable(typeof(NicRepaired))]
[JsonSerializable(typeof(NicEdgeFaulted))]
[JsonSerializable(typeof(NicDriftTold))]
[JsonSerializable(typeof(NicCreateUndoing))]
[JsonSerializable(typeof(NicPolicyProposed))]
[JsonSerializable(typeof(NicPolicyApplied))]
[JsonSerializable(typeof(NicPolicyRefused))]
[JsonSerializable(typeof(NicReadStarted))]
[JsonSerializable(typeof(NicReadEnded))]
[JsonSerializable(typeof(NicRuntimeRestoreStarted))]
[JsonSerializable(typeof(NicRuntimeRestoreEnded))]
[JsonSerializable(typeof(NicSeriesOpened))]
[JsonSerializable(typeof(NicSeriesCompleted))]
[JsonSerializable(typeof(NicSeriesFailed))]
[JsonSerializable(typeof(NicRestoreOverdue))]
[JsonSerializable(typeof(SwitchDefined))]
[JsonSerializable(typeof(SwitchReady))]
[JsonSerializable(typeof(SwitchNotReady))]
[JsonSerializable(typeof(SwitchDeleteStarted))]
[JsonSerializable(typeof(SwitchDeleted))]
[JsonSerializable(typeof(OidQueued))]
[JsonSerializable(typeof(OidStarted))]
[JsonSerializable(typeof(OidCompleted))]
[JsonSerializable(typeof(OidRejected))]
[JsonSerializable(typeof(OidRejectionCounted))]
[JsonSerializable(typeof(OidRejectionsCoalesced))]
[JsonSerializable(typeof(OidRefused))]
[JsonSerializable(typeof(OidUndone))]
[JsonSerializable(typeof(ExtensionFaulted))]
[JsonSerializable(typeof(ErrandStarted))]
[JsonSerializable(typeof(ErrandEnded))]
[JsonSerializable(typeof(SwitchReconcileStarted))]
[JsonSerializable(typeof(SwitchReconciled))]
[JsonSerializable(typeof(DriftSeen))]
[JsonSerializable(typeof(OidResumed))]
[JsonSerializable(typeof(OidSlow))]
[JsonSerializable(typeof(OidCancelRequested))]
[JsonSerializable(typeof(StackRestartDeferred))]
[JsonSerializable(typeof(StackRestarted))]
[JsonSerializable(typeof(ExtensionAttached))]
[JsonSerializable(typeof(ExtensionAttachFailed))]
[JsonSerializable(typeof(ExtensionDetached))]
[JsonSerializable(typeof(SwitchPropertyChanged))]
[JsonSerializable(typeof(NicDataTransferStarted))]
[JsonSerializable(typeof(NicDataTransferEnded))]
[JsonSerializable(typeof(SaveRound))]
[JsonSerializable(typeof(SaveFailed))]
[JsonSerializable(typeof(SaveCompleted))]
[JsonSerializable(typeof(RestoreRound))]
[JsonSerializable(typeof(RestoreCompleted))]
[JsonSerializable(typeof(RestoreFailed))]
[JsonSerializable(typeof(VmDefined))]
[JsonSerializable(typeof(VmDeleted))]
[JsonSerializable(typeof(VmStartRequested))]
[JsonSerializable(typeof(VmStepDone))]
[JsonSerializable(typeof(VmStartUndoing))]
[JsonSerializable(typeof(VmStarted))]
[JsonSerializable(typeof(VmStartRefused))]
[JsonSerializable(typeof(VmStopRequested))]
[JsonSerializable(typeof(VmStopped))]
[JsonSerializable(typeof(VmStepSkipped))]
[JsonSerializable(typeof(VmStepDeferred))]
[JsonSerializable(typeof(VmChangeRequested))]
[JsonSerializable(typeof(VmChangeUndoing))]
[JsonSerializable(typeof(VmChanged))]
[JsonSerializable(typeof(VmChangeRefused))]
[JsonSerializable(typeof(OpenSession))]
[JsonSerializable(typeof(CloseSession))]
[JsonSerializable(typeof(ReportFrames))]
[JsonSerializable(typeof(ReportCompletion))]
[JsonSerializable(typeof(IssueCommand))]
[JsonSerializable(typeof(CheckHost))]
[JsonSerializable(typeof(Unpark))]
[JsonSerializable(typeof(AnswerArrived))]
[JsonSerializable(typeof(TimerElapsed))]
[JsonSerializable(typeof(ArriveOid))]
[JsonSerializable(typeof(EnforcePolicy))]
[JsonSerializable(typeof(ReadRuntime))]
[JsonSerializable(typeof(RestoreRuntime))]
[JsonSerializable(typeof(AwaitDrain))]
[JsonSerializable(typeof(TakeHold))]
[JsonSerializable(typeof(ReleaseHold))]
[JsonSerializable(typeof(SetInFlight))]
[JsonSerializable(typeof(ReportDevice))]
[JsonSerializable(typeof(IndicateStatus))]
[JsonSerializable(typeof(DefineSwitch))]
[JsonSerializable(typeof(DeleteSwitch))]
[JsonSerializable(typeof(SubmitOid))]
[JsonSerializable(typeof(TakeHoldAt))]
[JsonSerializable(typeof(ReleaseHoldAt))]
[JsonSerializable(typeof(IndicateStatusAt))]
[JsonSerializable(typeof(SetInFlightAt))]
[JsonSerializable(typeof(TellDrift))]
[JsonSerializable(typeof(ReconcileSwitch))]
[JsonSerializable(typeof(CompleteOid))]
[JsonSerializable(typeof(CancelOid))]
[JsonSerializable(typeof(SaveNicData))]
[JsonSerializable(typeof(RestoreNicData))]
[JsonSerializable(typeof(DefineVm))]
[JsonSerializable(typeof(AddNic))]
[JsonSerializable(typeof(RemoveNic))]
[JsonSerializable(typeof(DeleteVm))]
[JsonSerializable(typeof(StartVm))]
[JsonSerializable(typeof(StopVm))]
[JsonSerializable(typeof(AgentHello))]
[JsonSerializable(typeof(HandCommand))]
[JsonSerializable(typeof(CompletionTaken))]
[JsonSerializable(typeof(ComeAgain))]
[JsonSerializable(typeof(SessionOpened))]
[JsonSerializable(typeof(FramesStored))]
[JsonSerializable(typeof(CommandDone))]
[JsonSerializable(typeof(Done))]
[JsonSerializable(typeof(OidSettled))]
[JsonSerializable(typeof(RuntimeRead))]
[JsonSerializable(typeof(GateOpen))]
[JsonSerializable(typeof(HoldTaken))]
[JsonSerializable(typeof(OidOutcome))]
[JsonSerializable(typeof(DriftAnswer))]
[JsonSerializable(typeof(NicDataSaved))]
[JsonSerializable(typeof(NicDataRestored))]
[JsonSerializable(typeof(OperationRuns))]
[JsonSerializable(typeof(Envelope))]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(Inventory))]
[JsonSerializable(typeof(SwitchDefinition))]
[JsonSerializable(typeof(VmDefinition))]
[JsonSerializable(typeof(OidRequest))]
[JsonSerializable(typeof(Refusal))]
public sealed partial class WordsJson : JsonSerializerContext;
