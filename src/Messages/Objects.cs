using System.Text.Json;

using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>An OID that the switch has let into its slot reaches the port or NIC that it is about.</summary>
/// <param name="Refused">The extension that refused it; takes effect only if the object finds the OID legal.</param>
/// <param name="Mtu">The MTU as an extension lowered it under NIC_INITIALIZING (switch.md 1.4).</param>
/// <param name="Owner">The extension that enforces the property of a PORT_PROPERTY_* OID; null: the miniport edge, or nobody.</param>
/// <param name="Policy">From the port to its NIC with NIC_CREATE: what the data path enforces.</param>
/// <param name="Restoring">From the port to its NIC with NIC_CREATE: saved state is still to be restored (switch.md 1.3, flag 0x2).</param>
public sealed record ArriveOid(
    OidRequest Request, EntityId Switch, EntityId Port, EntityId? Nic, RefusedBy? Refused, int? Mtu = null,
    string? Owner = null, PortPolicy? Policy = null, bool Restoring = false) : Command, IRepeatable
{
    /// <summary>A query is answered anew: it changes nothing, and its output would fill the record.</summary>
    bool IRepeatable.Repeatable => Request.Oid.Query;
}

/// <summary>An OID that a port or NIC has let in and not yet settled.</summary>
/// <param name="MessageId">The message that waits for the outcome.</param>
public sealed record OpenOid(string MessageId, OidRequest Request, EntityId Switch, EntityId Port, EntityId? Nic, RefusedBy? Refused, int? Mtu);

/// <summary>The object has settled the OID: the status for the way up, and the states after it.</summary>
/// <param name="Output">What a query asked for, as a JSON object.</param>
/// <param name="BytesNeeded">The size that would do, where the given one was too small.</param>
public sealed record OidSettled(
    NdisStatus Status, RefusedBy? RefusedBy, string PortState, string NicState, JsonElement? Output = null, int? BytesNeeded = null) : Reply;

/// <summary>From a port whose properties changed to the NIC on it: enforce this from now on. Answered by <see cref="OidSettled"/> after the read-back.</summary>
/// <param name="Port">Whose properties they are: a NIC that is on another by now has no use for them. Null in what was stored before this was.</param>
public sealed record EnforcePolicy(string RequestId, PortPolicy Policy, EntityId? Port = null) : Command;

/// <summary>
/// Said to a NIC as the one on a port. A NIC moves, and what its former switch said may arrive after that: it is deaf to every port
/// but its own (switch.md 8, O04).
/// </summary>
public interface ISaidOnPort
{
    /// <summary>Null: said to a port itself, or stored before this was.</summary>
    EntityId? Port { get; }
}

/// <summary>What the NIC's data path has gathered, for NIC_SAVE; refused unless the NIC is connected (S09).</summary>
public sealed record ReadRuntime(EntityId? Port = null) : Command, ISaidOnPort;

/// <summary>Answer to <see cref="ReadRuntime"/>.</summary>
public sealed record RuntimeRead(NicRuntime Runtime) : Reply;

/// <summary>Puts gathered data back into a connected NIC's data path, for NIC_RESTORE. Answered by <see cref="Done"/>.</summary>
public sealed record RestoreRuntime(string RequestId, NicRuntimePart Runtime, EntityId? Port = null) : Command, ISaidOnPort;

/// <summary>Answer when nothing is held or in flight any more (switch.md 3.6). The answer may take as long as the holders do.</summary>
public sealed record AwaitDrain : Command;

/// <summary>The gate for the DELETE is open.</summary>
public sealed record GateOpen : Reply;

/// <summary>Takes a reference (switch.md 3.6 R1): refused unless the state table allows it.</summary>
public sealed record TakeHold(string HoldId, string Holder, string Purpose, EntityId? Port = null) : Command, ISaidOnPort;

/// <summary>Releases a reference, exactly once (R4): an unknown one is an error.</summary>
public sealed record ReleaseHold(string HoldId) : Command;

/// <summary>A reference was taken.</summary>
public sealed record HoldTaken(string HoldId) : Reply;

/// <summary>How many packets and inner OIDs are in flight, reported by the data path.</summary>
public sealed record SetInFlight(int Packets, int Oids, EntityId? Port = null) : Command, ISaidOnPort;

/// <summary>The host's view of a NIC's device: a frame, or one line of a snapshot. Null device fields mean absent.</summary>
/// <param name="Source">Position of the report: boot id, stream epoch and seq, or snapshot and session.</param>
/// <param name="Snapshot">The report is a line of a snapshot.</param>
/// <param name="Session">The session that the snapshot opened.</param>
/// <param name="Host">Where the device is; null in what was stored before this was.</param>
/// <param name="At">Its place in the host's stream: reports are not judged in the order in which they arrive. Null in what was stored before this was.</param>
public sealed record ReportDevice(
    string Source, bool Snapshot, DeviceState Device, long Session = 0, string? Host = null, StreamPlace? At = null) : Command, IRepeatable;

/// <summary>A status indication for a NIC: forwarded while the NIC is connected, later only under an earlier reference (switch.md 2.8, 8.7).</summary>
public sealed record IndicateStatus(string Status, EntityId? Port = null) : Command, ISaidOnPort;

/// <summary>A port's PORT_CREATE is on its way; the port exists when it is created.</summary>
public sealed record PortCreateProposed(OpenOid Oid, int Incarnation, PortParameters Parameters) : PortEvent;

public sealed record PortCreated(string RequestId) : PortEvent
{
    /// <summary>The session in which the host did it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Session { get; init; }
}

/// <summary>Refused by an extension or by the miniport edge: the port does not exist, no TEARDOWN follows (switch.md 3.5).</summary>
public sealed record PortCreateRefused(string RequestId, RefusedBy By) : PortEvent;

/// <summary>The friendly name changed; nothing else of a port can (switch.md 1.3).</summary>
public sealed record PortUpdated(string RequestId, string? PortFriendlyName) : PortEvent;

/// <summary>Effective when received (switch.md 3.3): from here on no reference, no NIC.</summary>
public sealed record PortTeardownReceived(OpenOid Oid) : PortEvent;

public sealed record PortTornDown(string RequestId) : PortEvent;

/// <param name="WithoutTeardown">A validation port may be deleted so, with a warning (switch.md 8.18).</param>
public sealed record PortDeleteReceived(OpenOid Oid, bool WithoutTeardown = false) : PortEvent;

/// <summary>The incarnation ended.</summary>
public sealed record PortDeleted(string RequestId) : PortEvent;

/// <summary>A NIC_CREATE was let through to the NIC.</summary>
public sealed record NicAttachProposed(OpenOid Oid, EntityId Nic, NicType NicType) : PortEvent;

public sealed record NicAttached(string RequestId, int NicIndex) : PortEvent;

/// <summary>The NIC was refused or was illegal; the port stays Created.</summary>
public sealed record NicAttachEnded(string RequestId, int NicIndex) : PortEvent;

/// <summary>A NIC_DELETE was let through to the NIC.</summary>
public sealed record NicDetachProposed(OpenOid Oid) : PortEvent;

public sealed record NicDetached(string RequestId, int NicIndex) : PortEvent;

/// <summary>The NIC could not be deleted; it stays on the port.</summary>
public sealed record NicDetachEnded(string RequestId, int NicIndex) : PortEvent;

public sealed record PortHeld(Hold Hold) : PortEvent;

public sealed record PortReleased(string HoldId) : PortEvent;

public sealed record PortInFlightSet(int Packets, int Oids) : PortEvent;

/// <summary>The DELETE (or TEARDOWN) has to wait: the gate is closed by these.</summary>
public sealed record PortDrainDeferred(string MessageId, DateTimeOffset Since, DrainReport Waiting) : PortEvent;

/// <summary>A property that changes what is enforced is on its way to the NIC on the port: it holds when the host has read it back.</summary>
/// <param name="EnforcedBy">See <see cref="PortPropertyChanged"/>.</param>
/// <param name="Policy">What the data path is to enforce with it.</param>
public sealed record PortPropertyProposed(OpenOid Oid, PropertyParameters Property, string? EnforcedBy, PortPolicy Policy) : PortEvent;

/// <summary>A property was set (ADD or UPDATE) or removed.</summary>
/// <param name="EnforcedBy">Extension that enforces it, or the miniport edge; null: nobody does (V15).</param>
public sealed record PortPropertyChanged(string RequestId, OidCode Oid, PropertyParameters Property, string? EnforcedBy = null) : PortEvent;

/// <summary>Refused: what held before holds. A DELETE that is refused leaves a warning (switch.md 8.4).</summary>
public sealed record PortPropertyRefused(string RequestId, OidCode Oid, RefusedBy By) : PortEvent;

public sealed record PortDrained : PortEvent;

/// <summary>The wait is longer than switch.md 9.7 expects; nothing is forced.</summary>
public sealed record PortDrainStuck(DrainReport Waiting) : PortEvent;

/// <summary>The data path failed what may not fail; the state went on as the OID says (switch.md 3.5).</summary>
public sealed record PortEdgeFaulted(string RequestId, DriverVerb Verb, NdisStatus Status, string? Detail) : PortEvent;

/// <summary>What happens to a port.</summary>
public abstract record PortEvent : Event
{
    private protected PortEvent()
    {
    }
}

/// <summary>A save or a restore, from its first OID to its COMPLETE (switch.md 4.1, 4.2).</summary>
[JsonConverter(typeof(CamelEnumJson<NicSeries>))]
public enum NicSeries
{
    Save = 1,
    Restore,
}

/// <summary>Where a NIC is attached.</summary>
public sealed record NicPlace(string Host, string Switch, string Port, uint PortId, int NicIndex);

/// <summary>
/// A NIC_CREATE is on its way to the data path. The events that end an OID carry what was read back and the session in
/// which it was read.
/// </summary>
/// <param name="Epoch">The grant epoch: commands to the host carry it, and a host refuses a lower one.</param>
/// <param name="Policy">What the data path is to enforce; null: nothing.</param>
/// <param name="Restoring">Saved state is still to be restored after NIC_CONNECT.</param>
public sealed record NicCreateProposed(
    OpenOid Oid, NicPlace Place, NicParameters Parameters, long Epoch, PortPolicy? Policy = null, bool Restoring = false) : NicEvent;

public sealed record NicCreated(string RequestId, DeviceState? Observed, long Session = 0) : NicEvent;

/// <summary>The host made the device and not all of what is enforced for it: it is removed again before the refusal is told.</summary>
public sealed record NicCreateUndoing(string RequestId, RefusedBy By) : NicEvent;

public sealed record NicCreateRefused(string RequestId, RefusedBy By) : NicEvent;

public sealed record NicConnectProposed(OpenOid Oid, long Revision) : NicEvent;

/// <param name="RestoreBy">On a restoring port: when NIC_RESTORE_COMPLETE is overdue (switch.md 9.7).</param>
public sealed record NicConnected(string RequestId, DeviceState? Observed, long Session = 0, DateTimeOffset? RestoreBy = null) : NicEvent;

/// <summary>Changed fields only; null means unchanged.</summary>
public sealed record NicUpdated(string RequestId, NicParameters Changes) : NicEvent;

/// <summary>The host is told to enforce a policy, or the same policy for another address or MTU (NIC_UPDATED), under a new revision.</summary>
/// <param name="Changes">NIC_UPDATED: what it changes. Null: the port's properties changed.</param>
public sealed record NicPolicyProposed(
    string MessageId, string RequestId, PortPolicy? Policy, NicParameters? Changes, long Revision) : NicEvent;

/// <summary>The host has read the policy back.</summary>
public sealed record NicPolicyApplied(string RequestId, DeviceState? Observed, long Session = 0) : NicEvent;

/// <summary>The host does not enforce it: the policy before stays wanted.</summary>
public sealed record NicPolicyRefused(string RequestId, RefusedBy By, DeviceState? Observed, long Session = 0) : NicEvent;

/// <summary>The host is asked what the NIC's data path has gathered.</summary>
public sealed record NicReadStarted(string MessageId, long Number) : NicEvent;

public sealed record NicReadEnded(NdisStatus Status) : NicEvent;

/// <summary>The host is told to announce the NIC's address (switch.md 4.5).</summary>
public sealed record NicAnnounceStarted(string MessageId, long Number) : NicEvent;

/// <summary>The host has announced it, or could not: best effort.</summary>
public sealed record NicAnnounced(NdisStatus Status) : NicEvent;

/// <summary>What was gathered elsewhere is on its way into the NIC's data path.</summary>
public sealed record NicRuntimeRestoreStarted(string MessageId, NicRuntimePart Runtime, long Number) : NicEvent;

public sealed record NicRuntimeRestoreEnded(NdisStatus Status) : NicEvent;

/// <summary>The first NIC_SAVE or NIC_RESTORE of a series; at most one is open per NIC (switch.md 11).</summary>
public sealed record NicSeriesOpened(string RequestId, NicSeries Series) : NicEvent;

/// <summary>NIC_SAVE_COMPLETE or NIC_RESTORE_COMPLETE.</summary>
public sealed record NicSeriesCompleted(string RequestId, NicSeries Series) : NicEvent;

/// <summary>A round failed: the whole save or restore did (switch.md 4.1, S12).</summary>
public sealed record NicSeriesFailed(string RequestId, NicSeries Series, RefusedBy By) : NicEvent;

/// <summary>The port said that saved state is to be restored, and nobody has completed that in time (switch.md 9.7, N02).</summary>
public sealed record NicRestoreOverdue : NicEvent;

/// <summary>Effective when received (switch.md 3.3): from here on no new reference, no traffic.</summary>
public sealed record NicDisconnectReceived(OpenOid Oid, long Revision) : NicEvent;

public sealed record NicDisconnected(string RequestId, DeviceState? Observed, long Session = 0) : NicEvent;

public sealed record NicDeleteReceived(OpenOid Oid, long Revision) : NicEvent;

/// <summary>The attachment ended; the port stays.</summary>
public sealed record NicDeleted(string RequestId) : NicEvent
{
    /// <summary>The session in which the host was seen without the device; 0: it was not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Session { get; init; }
}

public sealed record NicHeld(Hold Hold) : NicEvent;

public sealed record NicReleased(string HoldId) : NicEvent;

public sealed record NicInFlightSet(int Packets, int Oids) : NicEvent;

/// <summary>NIC_DELETE has to wait: the gate is closed by these.</summary>
public sealed record NicDeleteDeferred(string MessageId, DateTimeOffset Since, DrainReport Waiting) : NicEvent;

public sealed record NicDrained : NicEvent;

/// <summary>The wait is longer than switch.md 9.7 expects; nothing is forced.</summary>
public sealed record NicDrainStuck(DrainReport Waiting) : NicEvent;

/// <summary>The device is not as it is wanted: another hand was at it, or the host failed what cannot be refused (NIC_UPDATED).</summary>
public sealed record NicDrifted(string Source, DeviceState Observed) : NicEvent
{
    /// <summary>Null: it is no report of the host, or one of before places were kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StreamPlace? At { get; init; }
}

/// <summary>The device is again as wanted.</summary>
public sealed record NicConverged(string Source, DeviceState Observed) : NicEvent
{
    /// <summary>Null: a report of before places were kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StreamPlace? At { get; init; }
}

/// <summary>The host reported what was known: what it said before this place is older.</summary>
public sealed record NicSeen(string Source, StreamPlace At) : NicEvent, IBookkeeping;

public sealed record NicRepairStarted(long Revision) : NicEvent;

public sealed record NicRepaired(DeviceState? Observed, long Session = 0) : NicEvent;

/// <summary>The data path failed what may not fail; the state went on as the OID says (switch.md 3.5).</summary>
public sealed record NicEdgeFaulted(string RequestId, DriverVerb Verb, NdisStatus Status, string? Detail) : NicEvent;

/// <summary>The switch was told of the drift.</summary>
public sealed record NicDriftTold(bool Repair) : NicEvent;

/// <summary>What happens to a NIC.</summary>
public abstract record NicEvent : Event
{
    private protected NicEvent()
    {
    }
}
