using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

[JsonConverter(typeof(CamelEnumJson<SwitchKind>))]
public enum SwitchKind
{
    External,
    Internal,
    Private,
}

/// <summary>What is done about a device that changed without us (design.md 5).</summary>
[JsonConverter(typeof(CamelEnumJson<DriftPolicy>))]
public enum DriftPolicy
{
    Report,
    Repair,
}

/// <summary>Classes of extensions, top to bottom of the stack (switch.md 1.2).</summary>
[JsonConverter(typeof(CamelEnumJson<ExtensionClass>))]
public enum ExtensionClass
{
    Capture,
    Filter,
    Forward,
}

/// <summary>Enums of the public interface are written in camel case (api.md 2).</summary>
public sealed class CamelEnumJson<T>() : JsonStringEnumConverter<T>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>test.verdict: the OID is answered with the status, that many times.</summary>
public sealed record PlannedVerdict(OidCode Oid, NdisStatus Status, int Times);

/// <summary>Settings of the extensions that are built in; each reads its own.</summary>
/// <param name="MaxPorts">filter.quota: ports that the switch may have.</param>
/// <param name="AllowSpoofing">filter.mac-guard: lets a NIC use an address that is not its own.</param>
/// <param name="Verdicts">test.verdict: what it answers.</param>
/// <param name="MtuHeadroom">test.verdict: bytes by which it lowers the MTU under NIC_INITIALIZING.</param>
/// <param name="Originates">test.verdict: an OID that it sends down itself at every OID, whether it may or not.</param>
/// <param name="ChangesPayload">test.verdict: changes what a request points to, against the contract.</param>
/// <param name="Pends">test.verdict: pends these OIDs and waits to be told how it answers.</param>
/// <param name="Throws">test.verdict: fails with a defect at these OIDs.</param>
/// <param name="Owns">test.verdict: custom properties and features, by their ids, that are its own.</param>
/// <param name="Saves">test.verdict: texts that it saves of each NIC, one in each round.</param>
/// <param name="AttachFails">test.verdict: cannot attach.</param>
/// <param name="Indicates">test.verdict: a status that it indicates at every OID for the NIC of that OID, whether it may or not.</param>
/// <param name="AsksRestart">test.verdict: an OID at which it asks for a restart of the stack.</param>
public sealed record ExtensionSettings(
    int? MaxPorts = null,
    bool? AllowSpoofing = null,
    IReadOnlyList<PlannedVerdict>? Verdicts = null,
    int? MtuHeadroom = null,
    OidCode? Originates = null,
    bool? ChangesPayload = null,
    IReadOnlyList<OidCode>? Pends = null,
    IReadOnlyList<OidCode>? Throws = null,
    IReadOnlyList<string>? Owns = null,
    IReadOnlyList<string>? Saves = null,
    bool? AttachFails = null,
    OidCode? AsksRestart = null,
    string? Indicates = null);

/// <summary>One extension in a switch's stack.</summary>
public sealed record ExtensionDefinition(string Name, ExtensionClass Class, bool Enabled = true, ExtensionSettings? Settings = null);

/// <summary>What a switch shall be. The order of the extensions is the order of the stack within their class.</summary>
/// <param name="Uplink">The host's adapters of an external switch, which brings them up itself; null: a peer announces them, if anybody does.</param>
public sealed record SwitchDefinition(
    SwitchKind Kind, string? Uplink, DriftPolicy Drift, IReadOnlyList<ExtensionDefinition> Extensions)
{
    /// <summary>
    /// The physical adapters below the external one, from index 1: one for an adapter or a team that the host makes of several
    /// (L10), one for each of those of the switch's own team, named with commas between them (L09).
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<string> Adapters => Kind == SwitchKind.External && Uplink is { } uplink ? uplink.Split(',') : [];
}

public sealed record DefineSwitch(SwitchDefinition Definition) : Command;

public sealed record DeleteSwitch : Command;

/// <summary>An OID for the switch's slot. It waits its turn; the answer comes when it is completed.</summary>
/// <param name="Header">What a peer's structure said of its own revision and size.</param>
public sealed record SubmitOid(OidRequest Request, bool FromPeer, PayloadHeader? Header = null) : Command;

/// <summary>A reference on the port, or on the NIC when an index is given, found by the ids of the switch.</summary>
public sealed record TakeHoldAt(string HoldId, string Holder, uint PortId, int? NicIndex, string Purpose) : Command;

public sealed record ReleaseHoldAt(string HoldId) : Command;

/// <summary>A status indication for a NIC of this switch.</summary>
public sealed record IndicateStatusAt(uint PortId, int NicIndex, string Status) : Command;

/// <summary>Simulated hosts: what is in flight at a NIC (or, without an index, at a port).</summary>
public sealed record SetInFlightAt(uint PortId, int? NicIndex, int Packets, int Oids) : Command;

/// <summary>A NIC tells its switch of drift; the switch answers whether its policy repairs.</summary>
public sealed record TellDrift(EntityId Nic, DeviceState Observed) : Command;

/// <summary>Answer to <see cref="TellDrift"/>.</summary>
public sealed record DriftAnswer(bool Repair) : Reply;

/// <summary>The host has a new session: what it has of this switch now.</summary>
/// <param name="Lost">Why what the host does not list has ended (<see cref="HostLoss"/>); null: it is the same boot, and what is missing is drift.</param>
public sealed record ReconcileSwitch(long Session, bool Present, IReadOnlyList<DeviceState> Devices, string? Lost = null) : Command
{
    /// <summary>The snapshot's place in the host's stream; null: there is no snapshot, or it is of before places were kept.</summary>
    public StreamPlace? At { get; init; }

    /// <summary>The session that brought the loss, where an earlier one did: a port that was made in it, or since, is newer. Null: this session.</summary>
    public long? LostIn { get; init; }
}

public sealed record SwitchDefined(SwitchDefinition Definition) : SwitchEvent;

/// <summary>The host has the switch.</summary>
public sealed record SwitchReady : SwitchEvent;

/// <summary>The host could not make the switch; it is tried again at the host's next session.</summary>
public sealed record SwitchNotReady(NdisStatus Status, string? Detail) : SwitchEvent;

public sealed record SwitchDeleteStarted(string MessageId) : SwitchEvent;

public sealed record SwitchDeleted : SwitchEvent;

/// <summary>An OID arrived and waits for the slot.</summary>
/// <param name="Caller">Who asked: whom a rejection is counted for. Null in what was stored before this was.</param>
public sealed record OidQueued(string MessageId, OidRequest Request, bool FromPeer, string? Caller = null) : SwitchEvent;

/// <summary>The OID has the slot; what it is about was found and the extensions asked.</summary>
/// <param name="PortId">The id, chosen by the switch where the request left it open.</param>
/// <param name="Port">The port that judges it, or the switch itself.</param>
public sealed record OidStarted(string MessageId, uint PortId, EntityId Port, EntityId? Nic, StackVerdict Verdict) : SwitchEvent, IOnBehalf
{
    /// <summary>When; null in what was stored before this was.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>NIC_SAVE: the NIC is first asked for its run-time data, and then the extensions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ReadsNic { get; init; }
}

/// <summary>The OID is completed. The field <c>oid</c> names it.</summary>
public sealed record OidCompleted(string MessageId, OidCode Oid, OidOutcome Outcome) : SwitchEvent, IOnBehalf;

/// <summary>An illegal request: state unchanged, recorded for the audit (switch.md 9.2).</summary>
/// <param name="Caller">Whom it is counted for, with <paramref name="At"/>: so many of one caller a second are recorded like this (api.md 4).</param>
public sealed record OidRejected(
    string MessageId, string RequestId, OidCode Code, uint PortId, int NicIndex, Refusal Refusal, string? Caller = null, DateTimeOffset? At = null)
    : SwitchEvent, IOnBehalf;

/// <summary>
/// An illegal request that is no OID (a reference, a status, what is in flight, a save, the switch's own deletion): state
/// unchanged, recorded for the audit. It is counted with the caller's illegal OIDs.
/// </summary>
/// <param name="Request">The request's word, such as TakeHoldAt.</param>
/// <param name="Caller">Whom it is counted for.</param>
public sealed record RequestRejected(string MessageId, string Request, Refusal Refusal, string Caller, DateTimeOffset At)
    : SwitchEvent, IOnBehalf;

/// <summary>
/// One more illegal request of a caller above the rate. It keeps the recorded answer and goes into the count that
/// <see cref="OidRejectionsCoalesced"/> tells.
/// </summary>
/// <param name="Code">The refusal's code.</param>
public sealed record OidRejectionCounted(string MessageId, string Caller, DateTimeOffset At, string Code, string? Rule) : SwitchEvent, IOnBehalf;

/// <summary>The audit event of all illegal requests of one caller that were only counted in one second (api.md 4).</summary>
/// <param name="Caller">Who asked; "others" for all callers together that were too many to be told apart.</param>
/// <param name="Count">How many; each has an answer of its own, and none has an OidRejected.</param>
public sealed record OidRejectionsCoalesced(
    string Caller, int Count, DateTimeOffset First, DateTimeOffset Last, IReadOnlyList<RejectionReason> Reasons) : SwitchEvent;

/// <summary>Why requests were refused, and how many for this reason.</summary>
/// <param name="Code">The refusals' code; "others" for all that were too many to be told apart.</param>
public sealed record RejectionReason(string Code, string? Rule, int Count);

/// <summary>An extension or the edge refused the OID.</summary>
public sealed record OidRefused(string RequestId, OidCode Code, RefusedBy By) : SwitchEvent;

/// <summary>An extension above the refuser saw the failing completion and undid (switch.md 3.5).</summary>
public sealed record OidUndone(string RequestId, OidCode Code, int Position, string Extension) : SwitchEvent;

public sealed record ExtensionFaulted(string MessageId, string RequestId, OidCode Code, ExtensionFault Fault) : SwitchEvent, IOnBehalf;

/// <summary>Something was asked of the switch that one of its ports or NICs must answer.</summary>
public sealed record ErrandStarted(string MessageId, EntityId Target, Command Errand) : SwitchEvent;

/// <summary>The port or NIC answered.</summary>
public sealed record ErrandEnded(string MessageId, Reply? Reply, Refusal? Refusal) : SwitchEvent, IOnBehalf;

/// <summary>The host's devices of this switch are being compared with what is wanted.</summary>
public sealed record SwitchReconcileStarted(long Session, bool Present, IReadOnlyList<DeviceState> Devices) : SwitchEvent
{
    /// <summary>Why what the host does not list has ended; null: it has not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? Lost { get; init; }

    /// <summary>The snapshot's place in the host's stream; null: there is no snapshot, or it is of before places were kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StreamPlace? At { get; init; }

    /// <summary>As in <see cref="ReconcileSwitch"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? LostIn { get; init; }
}

/// <summary>One NIC has taken its report.</summary>
public sealed record SwitchReconciled(EntityId Nic) : SwitchEvent;

public sealed record DriftSeen(EntityId Nic, DeviceState Observed, bool Repair) : SwitchEvent;

/// <summary>What happens to a switch.</summary>
public abstract record SwitchEvent : Event
{
    private protected SwitchEvent()
    {
    }
}
