using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>In which order the two switches are told.</summary>
[JsonConverter(typeof(CamelEnumJson<MigrationMode>))]
public enum MigrationMode
{
    /// <summary>Break before make, the order of switch.md 4.4: the source's NICs and ports are gone before the destination's NICs come.</summary>
    Strict = 1,
}

/// <summary>Who moves the guest itself while its NICs move.</summary>
[JsonConverter(typeof(CamelEnumJson<GuestMover>))]
public enum GuestMover
{
    /// <summary>Nobody says when it stands still: the gates alone decide what passes.</summary>
    None = 1,
    /// <summary>A VM manager reports paused, resumed or failed (api.md 3).</summary>
    External,
}

/// <summary>What a VM manager reports of the guest.</summary>
[JsonConverter(typeof(CamelEnumJson<GuestEvent>))]
public enum GuestEvent
{
    /// <summary>It stands still at the source, and its memory has been copied.</summary>
    Paused = 1,
    /// <summary>It runs at the destination: nothing leads back from here.</summary>
    Resumed,
    /// <summary>It could not be moved.</summary>
    Failed,
}

/// <summary>How far a migration has come (migration.md c.2): the last stage that it has reached.</summary>
[JsonConverter(typeof(CamelEnumJson<MigrationStage>))]
public enum MigrationStage
{
    Requested,
    /// <summary>Part of M1: nothing was asked of the destination's switches yet (switch.md 4.6).</summary>
    Checked,
    Validated,
    Reserved,
    DestPrepared,
    DestReady,
    Copying,
    SwitchoverArmed,
    /// <summary>Strict: every NIC's data is saved. Part of M7, with a barrier of its own: one save that fails stops all.</summary>
    SourceSaved,
    SourceQuiesced,
    OwnershipCommitted,
    DestActivated,
    DestRunning,
    Propagated,
    SourceCleaned,
    Completed,
}

/// <summary>One of the two hosts of a migration.</summary>
[JsonConverter(typeof(CamelEnumJson<MigrationSide>))]
public enum MigrationSide
{
    Source = 1,
    Destination,
}

/// <summary>One step of a migration.</summary>
public enum MigrationStepKind
{
    /// <summary>The host has a session.</summary>
    CheckHost = 1,
    /// <summary>The NIC is connected at the source; says whether it has a virtual function.</summary>
    CheckNic,
    /// <summary>The switch of the same name is there and has what the NIC requires (switch.md 4.6).</summary>
    CheckSwitch,
    PortCreate,
    PropertyAdd,
    NicCreate,
    NicConnect,
    /// <summary>The whole save loop (switch.md 4.1).</summary>
    Save,
    /// <summary>The whole restore loop (switch.md 4.2).</summary>
    Restore,
    /// <summary>NIC_UPDATED: traffic falls back to the synthetic path before the disconnect (switch.md 4.4).</summary>
    ReleaseVf,
    NicDisconnect,
    NicDrain,
    NicDelete,
    PortTeardown,
    PortDrain,
    PortDelete,
    /// <summary>The VM's one append that makes the side its owner under the next epoch (M8).</summary>
    ChangeOwner,
    AwaitPaused,
    AwaitResumed,
    /// <summary>The destination announces the NIC's address (switch.md 4.5); best effort.</summary>
    Announce,
    ReleaseGuest,
}

/// <summary>A step, on which side and for which NIC; the NIC is empty for a step of the whole group.</summary>
/// <param name="Property">Which of the NIC's properties, for PropertyAdd.</param>
/// <param name="Validation">It is about the validation port (switch.md 4.4, steps 2 and 3).</param>
public sealed record MigrationStep(
    MigrationStepKind Kind, MigrationSide Side, string Nic, string? Property = null, bool Validation = false);

/// <summary>What shall move where, and who waits for it.</summary>
/// <param name="Definition">The VM as it was when the migration was asked for; its host is the source.</param>
/// <param name="Epoch">The VM's group epoch then.</param>
/// <param name="DeadlineSeconds">So long it may take until the source is asked to give up its NICs; then it is given up itself.</param>
/// <param name="MaxBlackoutMs">What the asker would bear; the certificate says whether it was kept.</param>
public sealed record MigrationPlan(
    string OperationId, VmDefinition Definition, string Destination, long Epoch, MigrationMode Mode, GuestMover Guest,
    int DeadlineSeconds, int? MaxBlackoutMs);

/// <summary>Moves a running VM. The answer says that the operation runs.</summary>
public sealed record MigrateVm(
    string Destination, MigrationMode Mode = MigrationMode.Strict, GuestMover Guest = GuestMover.None,
    int DeadlineSeconds = MigrateVm.DeadlineSecondsDefault, int? MaxBlackoutMs = null) : Command
{
    public const int DeadlineSecondsDefault = 300;
    public const int DeadlineSecondsMax = 86_400;
}

/// <summary>From a VM to its migration; the answer, <see cref="MigrationFinished"/>, comes when the VM is where it stays.</summary>
public sealed record BeginMigration(MigrationPlan Plan) : Command;

/// <summary>Where the VM is now, and why it is not where it was to go.</summary>
/// <param name="Problem">Null: it moved.</param>
public sealed record MigrationFinished(string Host, Refusal? Problem) : Reply
{
    /// <summary>That host has lost it meanwhile.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Lost { get; init; }

    /// <summary>Losses that the migration was told of and has taken into account.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Heard { get; init; }

    /// <summary>NICs that the host would not take back: they are nowhere. Null: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Missing { get; init; }
}

/// <summary>From a migration to its VM: this host owns all its NICs from now on, under the next epoch (migration.md F1, F7).</summary>
public sealed record ChangeOwner(long Number, string To) : Command;

/// <summary>Answer to <see cref="ChangeOwner"/>.</summary>
public sealed record OwnerChanged(string Host, long Epoch) : Reply;

/// <summary>From a VM to its migration: the host that it runs on has lost it.</summary>
public sealed record NoteGuestLost(string Host, string Reason) : Command;

/// <summary>An operator gives the migration up; refused past the commit point.</summary>
public sealed record CancelMigration : Command;

/// <summary>A VM manager's word about the guest of a migration with <see cref="GuestMover.External"/>.</summary>
public sealed record ReportGuest(GuestEvent Event) : Command;

/// <summary>From a migration to a NIC that has come: tell the network where its address is (switch.md 4.5). Answered by <see cref="Done"/>; best effort.</summary>
public sealed record AnnounceAddress : Command;

/// <summary>From a migration to the NIC that is to move.</summary>
public sealed record ReadAttachment : Command, IRepeatable;

/// <summary>Answer to <see cref="ReadAttachment"/>: the state's name, and where the NIC is; null: on no port.</summary>
public sealed record AttachmentRead(string State, string? Host, bool VfAssigned) : Reply;

/// <summary>From a migration to the switch that the NIC is to come to (switch.md 4.6).</summary>
public sealed record CheckArrival(NicDefinition Nic) : Command, IRepeatable;

/// <summary>A migration of the VM began: nothing else moves it meanwhile (M0, M2).</summary>
/// <param name="Number">Counts the VM's migrations: the migration's id is migration/VM/NUMBER.</param>
public sealed record VmMigrationStarted(string OperationId, string MessageId, long Number, MigrationPlan Plan) : VmEvent;

/// <summary>The one commit point (M8), or the way back: all NICs of the VM belong to the host, under this epoch.</summary>
public sealed record VmOwnerChanged(long Number, string From, string To, long Epoch) : VmEvent;

/// <summary>The host that the VM runs on lost it while it was being moved; its migration is told.</summary>
public sealed record VmLossNoted(string Host, long Epoch, string Reason, IReadOnlyList<string> Nics) : VmEvent;

/// <summary>The migration knows of the loss.</summary>
public sealed record VmLossTold(long Number) : VmEvent;

/// <summary>The VM is where it was to go.</summary>
public sealed record VmMigrated(string OperationId, long Number, string Host) : VmEvent;

/// <summary>The VM is where it was before.</summary>
public sealed record VmMigrationFailed(string OperationId, long Number, Refusal Problem) : VmEvent
{
    /// <summary>NICs that the source would not take back. Null: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Missing { get; init; }
}

public sealed record MigrationBegan(string MessageId, MigrationPlan Plan, DateTimeOffset At) : MigrationEvent;

/// <summary>Every NIC has come so far.</summary>
public sealed record MigrationStageReached(MigrationStage Stage, DateTimeOffset At) : MigrationEvent;

/// <summary>A step is done.</summary>
public sealed record MigrationStepDone(MigrationStep Step, DateTimeOffset At) : MigrationEvent
{
    /// <summary>Save: what the source's extensions gave.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<NicBlob>? Blobs { get; init; }

    /// <summary>Restore: who took them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TakenBlob>? Taken { get; init; }

    /// <summary>CheckNic: the NIC has a virtual function, which it gives up before its disconnect.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool VfAssigned { get; init; }

    /// <summary>ChangeOwner: the epoch of the grants from now on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Epoch { get; init; }
}

/// <summary>A step that may fail was refused, or its object is gone: the migration goes on without it.</summary>
public sealed record MigrationStepSkipped(MigrationStep Step, Refusal Refusal) : MigrationEvent;

/// <summary>A step is tried once more: its gate had closed again, or the destination may change its mind.</summary>
public sealed record MigrationStepRetried(MigrationStep Step, Refusal Refusal, DateTimeOffset At) : MigrationEvent;

/// <summary>The NIC is connected at the destination without its data: the restore failed, and the guest goes on (switch.md 9.6).</summary>
public sealed record MigrationDegraded(string Nic, Refusal Refusal) : MigrationEvent;

/// <summary>Before anything was taken from the source: what was made at the destination is removed (class R-a).</summary>
public sealed record MigrationAborting(Refusal Problem, DateTimeOffset At) : MigrationEvent;

/// <summary>After something was taken from the source: the destination is closed, and the source gets back what it had (R-b, R-c).</summary>
public sealed record MigrationReturning(Refusal Problem, DateTimeOffset At) : MigrationEvent;

/// <summary>The way back has come to its next part; the destination is closed, the source owns the VM again, or it has all NICs again.</summary>
public sealed record MigrationReturned(MigrationReturn Part, DateTimeOffset At) : MigrationEvent;

/// <summary>The source refuses what it had: the NIC is nowhere, and an operator has to know (switch.md 9.6).</summary>
/// <param name="Last">It is not tried again: the VM goes on without this NIC.</param>
public sealed record MigrationNicNowhere(MigrationStep Step, Refusal Refusal, DateTimeOffset At, bool Last = false) : MigrationEvent;

/// <summary>A stage takes longer than migration.md expects, and may not be given up by itself.</summary>
public sealed record MigrationSlow(MigrationStage Stage, DateTimeOffset Since) : MigrationEvent;

/// <summary>The step that was to be tried once more is due.</summary>
public sealed record MigrationStepDue(string Nic) : MigrationEvent;

public sealed record GuestReported(GuestEvent Event, DateTimeOffset At) : MigrationEvent;

/// <summary>It ended: the VM is at the destination, or at the source as before.</summary>
/// <param name="Problem">Null: it moved.</param>
public sealed record MigrationEnded(Refusal? Problem, DateTimeOffset At) : MigrationEvent;

/// <summary>
/// The source lost what it had. While it closes that is the proof that it is closed; on the way back nothing more is made
/// there, and the VM ends with its host.
/// </summary>
public sealed record MigrationGuestLost(string Host, string Reason) : MigrationEvent;

/// <summary>The parts of a way back.</summary>
[JsonConverter(typeof(CamelEnumJson<MigrationReturn>))]
public enum MigrationReturn
{
    /// <summary>The destination's NICs, as far as there were any, are gone; the source's, as far as they had begun to go.</summary>
    Closed = 1,
    /// <summary>The source owns the VM again, under a higher epoch.</summary>
    Owned,
    /// <summary>The source has all NICs again: the VM runs there.</summary>
    Rebuilt,
}

/// <summary>What happens to a migration.</summary>
public abstract record MigrationEvent : Event
{
    private protected MigrationEvent()
    {
    }
}
