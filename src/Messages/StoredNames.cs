using System.Collections.Frozen;
using System.Text.Json;

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
        ["OldSnapshotRefused.1"] = typeof(OldSnapshotRefused),
        ["UnknownCommandSeen.1"] = typeof(UnknownCommandSeen),
        ["StaleReportDropped.1"] = typeof(StaleReportDropped),
        ["FrameRecorded.1"] = typeof(FrameRecorded),
        ["FrameDelivered.1"] = typeof(FrameDelivered),
        ["FrameGapSeen.1"] = typeof(FrameGapSeen),
        ["CommandIssued.1"] = typeof(CommandIssued),
        ["CommandOvertaken.1"] = typeof(CommandOvertaken),
        ["CommandCompleted.1"] = typeof(CommandCompleted),
        ["SwitchTold.1"] = typeof(SwitchTold),
        ["HostRebooted.1"] = typeof(HostRebooted),
        ["HostRemoved.1"] = typeof(HostRemoved),
        ["HostReadmitted.1"] = typeof(HostReadmitted),
        ["HostJoinAllowed.1"] = typeof(HostJoinAllowed),
        ["JoinTokenUsed.1"] = typeof(JoinTokenUsed),
        ["FrameStrange.1"] = typeof(FrameStrange),
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
        ["PortLost.1"] = typeof(PortLost),
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
        ["NicSeen.1"] = typeof(NicSeen),
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
        ["NicAnnounceStarted.1"] = typeof(NicAnnounceStarted),
        ["NicAnnounced.1"] = typeof(NicAnnounced),
        ["NicRuntimeRestoreStarted.1"] = typeof(NicRuntimeRestoreStarted),
        ["NicRuntimeRestoreEnded.1"] = typeof(NicRuntimeRestoreEnded),
        ["NicSeriesOpened.1"] = typeof(NicSeriesOpened),
        ["NicSeriesCompleted.1"] = typeof(NicSeriesCompleted),
        ["NicSeriesFailed.1"] = typeof(NicSeriesFailed),
        ["NicRestoreOverdue.1"] = typeof(NicRestoreOverdue),
        ["NicLost.1"] = typeof(NicLost),
        ["SwitchDefined.1"] = typeof(SwitchDefined),
        ["SwitchReady.1"] = typeof(SwitchReady),
        ["SwitchNotReady.1"] = typeof(SwitchNotReady),
        ["SwitchDeleteStarted.1"] = typeof(SwitchDeleteStarted),
        ["SwitchDeleted.1"] = typeof(SwitchDeleted),
        ["ExternalAdapterStarting.1"] = typeof(ExternalAdapterStarting),
        ["ExternalAdapterStarted.1"] = typeof(ExternalAdapterStarted),
        ["ExternalAdapterStopping.1"] = typeof(ExternalAdapterStopping),
        ["ExternalAdapterStopped.1"] = typeof(ExternalAdapterStopped),
        ["ExternalAdapterDrained.1"] = typeof(ExternalAdapterDrained),
        ["ExternalAdapterStuck.1"] = typeof(ExternalAdapterStuck),
        ["OidQueued.1"] = typeof(OidQueued),
        ["OidStarted.1"] = typeof(OidStarted),
        ["OidCompleted.1"] = typeof(OidCompleted),
        ["OidRejected.1"] = typeof(OidRejected),
        ["RequestRejected.1"] = typeof(RequestRejected),
        ["OidRejectionCounted.1"] = typeof(OidRejectionCounted),
        ["OidRejectionsCoalesced.1"] = typeof(OidRejectionsCoalesced),
        ["OidRefused.1"] = typeof(OidRefused),
        ["OidUndone.1"] = typeof(OidUndone),
        ["ExtensionFaulted.1"] = typeof(ExtensionFaulted),
        ["ErrandStarted.1"] = typeof(ErrandStarted),
        ["ErrandEnded.1"] = typeof(ErrandEnded),
        ["SwitchReconcileStarted.1"] = typeof(SwitchReconcileStarted),
        ["SwitchReconciled.1"] = typeof(SwitchReconciled),
        ["SwitchObjectLost.1"] = typeof(SwitchObjectLost),
        ["SwitchLossSettled.1"] = typeof(SwitchLossSettled),
        ["OidLost.1"] = typeof(OidLost),
        ["SwitchLost.1"] = typeof(SwitchLost),
        ["DeviceDiscovered.1"] = typeof(DeviceDiscovered),
        ["DiscoveredGone.1"] = typeof(DiscoveredGone),
        ["DiscoveryLimited.1"] = typeof(DiscoveryLimited),
        ["LeftOverNotRemoved.1"] = typeof(LeftOverNotRemoved),
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
        ["VmLost.1"] = typeof(VmLost),
        ["VmMigrationStarted.1"] = typeof(VmMigrationStarted),
        ["VmOwnerChanged.1"] = typeof(VmOwnerChanged),
        ["VmLossNoted.1"] = typeof(VmLossNoted),
        ["VmLossTold.1"] = typeof(VmLossTold),
        ["VmMigrated.1"] = typeof(VmMigrated),
        ["VmMigrationFailed.1"] = typeof(VmMigrationFailed),
        ["MigrationBegan.1"] = typeof(MigrationBegan),
        ["MigrationStageReached.1"] = typeof(MigrationStageReached),
        ["MigrationStepDone.1"] = typeof(MigrationStepDone),
        ["MigrationStepSkipped.1"] = typeof(MigrationStepSkipped),
        ["MigrationStepRetried.1"] = typeof(MigrationStepRetried),
        ["MigrationStepDue.1"] = typeof(MigrationStepDue),
        ["MigrationDegraded.1"] = typeof(MigrationDegraded),
        ["MigrationAborting.1"] = typeof(MigrationAborting),
        ["MigrationReturning.1"] = typeof(MigrationReturning),
        ["MigrationReturned.1"] = typeof(MigrationReturned),
        ["MigrationNicNowhere.1"] = typeof(MigrationNicNowhere),
        ["MigrationSlow.1"] = typeof(MigrationSlow),
        ["GuestReported.1"] = typeof(GuestReported),
        ["MigrationGuestLost.1"] = typeof(MigrationGuestLost),
        ["MigrationEnded.1"] = typeof(MigrationEnded),
        // Commands
        ["OpenSession.1"] = typeof(OpenSession),
        ["CloseSession.1"] = typeof(CloseSession),
        ["ReportFrames.1"] = typeof(ReportFrames),
        ["ReportCompletion.1"] = typeof(ReportCompletion),
        ["IssueCommand.1"] = typeof(IssueCommand),
        ["CheckHost.1"] = typeof(CheckHost),
        ["RemoveHost.1"] = typeof(RemoveHost),
        ["ReadmitHost.1"] = typeof(ReadmitHost),
        ["AllowHostJoin.1"] = typeof(AllowHostJoin),
        ["UseJoinToken.1"] = typeof(UseJoinToken),
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
        ["LoseObject.1"] = typeof(LoseObject),
        ["LoseVm.1"] = typeof(LoseVm),
        ["ReportStranger.1"] = typeof(ReportStranger),
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
        ["MigrateVm.1"] = typeof(MigrateVm),
        ["BeginMigration.1"] = typeof(BeginMigration),
        ["ChangeOwner.1"] = typeof(ChangeOwner),
        ["NoteGuestLost.1"] = typeof(NoteGuestLost),
        ["CancelMigration.1"] = typeof(CancelMigration),
        ["ReportGuest.1"] = typeof(ReportGuest),
        ["AnnounceAddress.1"] = typeof(AnnounceAddress),
        ["ReadAttachment.1"] = typeof(ReadAttachment),
        ["CheckArrival.1"] = typeof(CheckArrival),
        // Replies
        ["SessionOpened.1"] = typeof(SessionOpened),
        ["HostJoinAllowedUntil.1"] = typeof(HostJoinAllowedUntil),
        ["FramesStored.1"] = typeof(FramesStored),
        ["CommandDone.1"] = typeof(CommandDone),
        ["Done.1"] = typeof(Done),
        ["OidSettled.1"] = typeof(OidSettled),
        ["RuntimeRead.1"] = typeof(RuntimeRead),
        ["GateOpen.1"] = typeof(GateOpen),
        ["ObjectLost.1"] = typeof(ObjectLost),
        ["NotAttached.1"] = typeof(NotAttached),
        ["HoldTaken.1"] = typeof(HoldTaken),
        ["OidOutcome.1"] = typeof(OidOutcome),
        ["DriftAnswer.1"] = typeof(DriftAnswer),
        ["NicDataSaved.1"] = typeof(NicDataSaved),
        ["NicDataRestored.1"] = typeof(NicDataRestored),
        ["OperationRuns.1"] = typeof(OperationRuns),
        ["MigrationFinished.1"] = typeof(MigrationFinished),
        ["OwnerChanged.1"] = typeof(OwnerChanged),
        ["AttachmentRead.1"] = typeof(AttachmentRead),
        // What carries them
        ["Envelope.1"] = typeof(Envelope),
        ["Answer.1"] = typeof(Answer),
        // Between agent and node
        ["AgentHello.1"] = typeof(AgentHello),
        ["HandCommand.1"] = typeof(HandCommand),
        ["CompletionTaken.1"] = typeof(CompletionTaken),
        ["ComeAgain.1"] = typeof(ComeAgain),
        // Between nodes
        ["DriveAgent.1"] = typeof(DriveAgent),
        ["AgentIsHere.1"] = typeof(AgentIsHere),
        ["AgentNotHere.1"] = typeof(AgentNotHere),
        ["AskDatabase.1"] = typeof(AskDatabase),
        ["DatabaseSeen.1"] = typeof(DatabaseSeen),
    }.ToFrozenDictionary();

    /// <summary>
    /// What this release can speak. 1 is what the first cluster spoke; 2 has the words by which hosts join. It is raised when
    /// there is a word that a release before cannot read, once a release.
    /// </summary>
    public const int Wire = 2;

    static readonly FrozenDictionary<string, int> Newer = new Dictionary<string, int>
    {
        ["AllowHostJoin.1"] = 2,
        ["HostJoinAllowed.1"] = 2,
        ["HostJoinAllowedUntil.1"] = 2,
        ["JoinTokenUsed.1"] = 2,
        ["UseJoinToken.1"] = 2,
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<Type, string> Names = Types.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>All stored names, in ordinal order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Types.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The type behind a stored name, or null if this release does not know it.</summary>
    public static Type? TypeOf(string name) => Types.GetValueOrDefault(name);

    /// <summary>The first wire version that has the word. Nobody says it while a member speaks an older one.</summary>
    public static int Since(string name) => Newer.GetValueOrDefault(name, 1);

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
