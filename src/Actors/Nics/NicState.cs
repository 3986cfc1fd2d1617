using System.Text.Json.Serialization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Nics;

/// <summary>A NIC connection's state: one case for each state of its life (switch.md 3.1).</summary>
/// <param name="Epoch">The highest grant epoch of this NIC; it rises with each NIC_CREATE and never falls.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "phase")]
[JsonDerivedType(typeof(Absent), "absent")]
[JsonDerivedType(typeof(Creating), "creating")]
[JsonDerivedType(typeof(Created), "created")]
[JsonDerivedType(typeof(Connecting), "connecting")]
[JsonDerivedType(typeof(Connected), "connected")]
[JsonDerivedType(typeof(Disconnecting), "disconnecting")]
[JsonDerivedType(typeof(Disconnected), "disconnected")]
[JsonDerivedType(typeof(Deleting), "deleting")]
public abstract record NicState(EntityId Id, long Epoch)
{
    /// <summary>On no port.</summary>
    public sealed record Absent(EntityId Id, long Epoch) : NicState(Id, Epoch)
    {
        /// <summary>The session in which the host was last seen without the device; 0: it was not.</summary>
        public long SeenIn { get; init; }
    }

    /// <summary>NIC_CREATE is with the data path.</summary>
    /// <param name="Undoing">The host made less than was wanted: its device is being removed, and this is the refusal to come.</param>
    public sealed record Creating(EntityId Id, long Epoch, NicBody Body, OpenOid Oid, RefusedBy? Undoing = null) : NicState(Id, Epoch);

    /// <summary>The device exists, its gate is closed.</summary>
    public sealed record Created(EntityId Id, long Epoch, NicBody Body) : NicState(Id, Epoch);

    /// <summary>NIC_CONNECT is with the data path.</summary>
    public sealed record Connecting(EntityId Id, long Epoch, NicBody Body, OpenOid Oid) : NicState(Id, Epoch);

    /// <summary>The gate is open.</summary>
    public sealed record Connected(EntityId Id, long Epoch, NicBody Body) : NicState(Id, Epoch);

    /// <summary>NIC_DISCONNECT was received and is with the data path: no new reference, no traffic.</summary>
    public sealed record Disconnecting(EntityId Id, long Epoch, NicBody Body, OpenOid Oid) : NicState(Id, Epoch);

    /// <summary>The gate is closed; NIC_DELETE may come when nothing is held or in flight.</summary>
    public sealed record Disconnected(EntityId Id, long Epoch, NicBody Body) : NicState(Id, Epoch);

    /// <summary>NIC_DELETE is with the data path.</summary>
    public sealed record Deleting(EntityId Id, long Epoch, NicBody Body, OpenOid Oid) : NicState(Id, Epoch);

    /// <summary>The attachment as far as there is one.</summary>
    [JsonIgnore]
    public NicBody? BodyOrNull => this switch
    {
        Creating s => s.Body,
        Created s => s.Body,
        Connecting s => s.Body,
        Connected s => s.Body,
        Disconnecting s => s.Body,
        Disconnected s => s.Body,
        Deleting s => s.Body,
        _ => null,
    };

    /// <summary>The OID that is with the data path.</summary>
    [JsonIgnore]
    public OpenOid? OidOrNull => this switch
    {
        Creating s => s.Oid,
        Connecting s => s.Oid,
        Disconnecting s => s.Oid,
        Deleting s => s.Oid,
        _ => null,
    };

    /// <summary>The state's name in the documentation of the switch (switch.md 3.1).</summary>
    [JsonIgnore]
    public string Name => this switch
    {
        Created or Connecting => "Created",
        Connected => "Connected",
        Disconnecting or Disconnected or Deleting => "Disconnected",
        _ => "Absent",
    };
}

/// <summary>What a NIC has while it is on a port.</summary>
/// <param name="Revision">Rises with each change wanted of the device within the epoch.</param>
/// <param name="Applied">The revision that was read back from the host.</param>
/// <param name="Observed">The device as last seen.</param>
/// <param name="SeenIn">The session in which the last command was read back.</param>
/// <param name="Drift">What was seen that is not wanted, and how far it was told; null when wanted and seen agree.</param>
/// <param name="Policy">What the data path is to enforce; null: nothing.</param>
/// <param name="Spent">The highest number that a command of a work has used as its name or revision.</param>
/// <param name="Work">A command that moves no lifecycle state and is with the host; one at most.</param>
/// <param name="Transfer">What save and restore have come to.</param>
public sealed record NicBody(
    NicPlace Place, NicParameters Parameters, long Revision, long Applied, DeviceState? Observed, long SeenIn, NicDrift? Drift, Drain Drain,
    PortPolicy? Policy = null, long Spent = 0, NicWork? Work = null, NicTransfer? Transfer = null)
{
    /// <summary>The place in the host's stream of the newest report that was judged; null: none was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StreamPlace? Heard { get; init; }

    /// <summary>The revision of the next change: no number comes twice, not even one that the host refused.</summary>
    [JsonIgnore]
    public long NextRevision => Math.Max(Revision, Spent) + 1;

    /// <summary>The address that policies are enforced against (switch.md 1.4).</summary>
    [JsonIgnore]
    public string? Mac => NicLifecycle.MacOf(Parameters);
}

/// <summary>Save and restore of one attachment (switch.md 4.1, 4.2).</summary>
/// <param name="Open">The series that is open; one at most (switch.md 11).</param>
/// <param name="Expected">The port is a restoring one: data is coming (N02).</param>
/// <param name="RestoreBy">When the expected restore is overdue; set by NIC_CONNECT.</param>
/// <param name="Overdue">It was not completed in time.</param>
/// <param name="Restored">A restore was completed.</param>
public sealed record NicTransfer(
    NicSeries? Open = null, bool Expected = false, DateTimeOffset? RestoreBy = null, bool Overdue = false, bool Restored = false)
{
    /// <summary>How long after NIC_CONNECT a restoring port may be without its NIC_RESTORE_COMPLETE (switch.md 9.7).</summary>
    public static readonly TimeSpan RestoreMax = TimeSpan.FromSeconds(30);

    public static readonly NicTransfer None = new();
}

/// <summary>A command to the host beside the lifecycle's own, and the message that waits for its end.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Enforce), "enforce")]
[JsonDerivedType(typeof(Read), "read")]
[JsonDerivedType(typeof(Restore), "restore")]
[JsonDerivedType(typeof(Announce), "announce")]
public abstract record NicWork(string MessageId, long Number)
{
    /// <summary>ApplyPolicy under the revision <see cref="Number"/>.</summary>
    /// <param name="Changes">NIC_UPDATED: address or MTU changes; null: the port's properties did.</param>
    public sealed record Enforce(string MessageId, long Number, string RequestId, PortPolicy? Policy, NicParameters? Changes)
        : NicWork(MessageId, Number);

    public sealed record Read(string MessageId, long Number) : NicWork(MessageId, Number);

    public sealed record Announce(string MessageId, long Number) : NicWork(MessageId, Number);

    public sealed record Restore(string MessageId, long Number, NicRuntimePart Runtime) : NicWork(MessageId, Number);
}

/// <summary>A deviation of the device from what is wanted.</summary>
public sealed record NicDrift(string Source, DeviceState Observed, DriftStage Stage);

/// <summary>How far a drift has come.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DriftStage>))]
public enum DriftStage
{
    /// <summary>The switch is being told.</summary>
    Telling,
    /// <summary>The switch's policy is to report: it stays until the device is as wanted again.</summary>
    Reported,
    /// <summary>The host was told to bring the device back.</summary>
    Repairing,
}
