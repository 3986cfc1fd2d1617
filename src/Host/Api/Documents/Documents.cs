using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Documents;

// Every document of the interface (api.md 3 and 4). Numbers that can exceed 2^53 are strings.

/// <summary>A page of a list.</summary>
sealed record Page<T>(IReadOnlyList<T> Items, string? NextPageToken);

/// <summary>What a change would do.</summary>
sealed record DryRunDocument(bool DryRun, IReadOnlyList<string> WouldStore);

sealed record HostCountsDocument(long Switches, long Ports, long Nics, long Vms, int CommandsInFlight);

sealed record HostDocument(
    string Name, string State, string Driver, string Version, string BootId, string Session, string StreamEpoch, string Cursor,
    DateTimeOffset LastSeen, HostCountsDocument Counts, long Drift, string ReportsDropped, string Revision)
{
    /// <summary>Ports and NICs that ended with the host's last boot. Said of one host, not in the list.</summary>
    public long? Lost { get; init; }

    /// <summary>Devices on its switches that no NIC knows. Said of one host, not in the list.</summary>
    public long? Discovered { get; init; }
}

/// <param name="Token">Said here and never again; what is kept of it is a hash.</param>
sealed record JoinTokenDocument(string Host, string Token, DateTimeOffset Until);

/// <summary>A device that no NIC of ours knows, in the state in which the host lists it.</summary>
/// <param name="LeftOver">It is ours by its alias, and its NIC is on no port.</param>
/// <param name="Removing">It is being removed, as the switch repairs drift.</param>
/// <param name="Problem">Why it could not be removed.</param>
sealed record DiscoveredDocument(
    string Device, string? Nic, string? Port, bool Up, bool Enslaved, string? Epoch, bool LeftOver, bool Removing, string? Problem, string Source);

sealed record SwitchCountsDocument(int Ports, int Nics);

sealed record SlotDocument(string RequestId, string Oid, long PortId, int NicIndex, PendingDocument? PendingAt, DateTimeOffset? Since);

sealed record PendingDocument(int Position, string Extension);

sealed record SwitchDocument(
    string Name, string Host, SwitchKind Kind, string? Uplink, DriftPolicy Drift, SwitchStage State, string? Problem,
    IReadOnlyList<ExtensionDefinition> Extensions, SwitchCountsDocument Counts, SlotDocument? Slot, int Queue, string Revision, DateTimeOffset Updated)
{
    public required IReadOnlyList<DiscoveredDocument> Discovered { get; init; }

    /// <summary>The switch's own external port and adapters; absent where it has none.</summary>
    public AdapterDocument? Adapter { get; init; }
}

/// <param name="Problem">Why it is not up, or cannot be taken down.</param>
sealed record AdapterDocument(AdapterStage State, IReadOnlyList<string> Members, bool UplinkUsable, string? Problem);

sealed record InFlightDocument(int Packets, int Oids);

sealed record PortNicDocument(int NicIndex, string Nic, string State, bool Ready);

/// <summary>A property of a port. Null as enforcedBy is said, and not left out: nobody enforces it (V15).</summary>
sealed record PropertyDocument(
    PropertyType PropertyType, string PropertyInstanceId, string? PropertyId, int PropertyVersion, JsonElement? Value,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? EnforcedBy);

/// <summary>What a port's properties come to in the data path: the digest that is wanted, was applied and was last seen there.</summary>
sealed record PolicyDocument(PortPolicy Effective, string Wanted, string? Applied, string? Observed);

sealed record PortDocument(
    string Name, string Host, string Switch, string State, string Phase, int Incarnation, long PortId, string Type, string PortName,
    string? FriendlyName, bool IsValidationPort, IReadOnlyList<PropertyDocument> Properties, PolicyDocument Policy, IReadOnlyList<Hold> Holds,
    InFlightDocument InFlight, IReadOnlyList<PortNicDocument> Nics, bool Ready, DriftDocument? Drift,
    string? WantedRevision, string? AppliedRevision, string? ObservedRevision, string Revision, DateTimeOffset Updated);

sealed record AddressesDocument(string? Mac, int? Mtu);

sealed record ObservedDocument(string Device, bool Present, bool Up, bool Enslaved, string Epoch, string Revision, string? Policy, int? Mtu, string? Mac);

sealed record AttachmentDocument(
    string Host, string Switch, string Port, long PortId, int NicIndex, string State, string WantedRevision, string AppliedRevision,
    ObservedDocument? Observed);

sealed record DriftDocument(string Stage, string Source, ObservedDocument Observed);

sealed record NicDocument(
    string Name, string? Vm, string Nic, string State, string Phase, bool Ready, string? Type, long? PortId, int? NicIndex, string Epoch,
    string? Mac, int? Mtu, AddressesDocument Addresses, IReadOnlyList<AttachmentDocument> Attachments, IReadOnlyList<Hold> Holds,
    InFlightDocument InFlight, DriftDocument? Drift, TransferDocument? Transfer, bool? VfAssigned, string Revision, DateTimeOffset? Updated);

/// <summary>Save and restore of the NIC's present attachment.</summary>
/// <param name="Open">save or restore, while a series of it is open.</param>
sealed record TransferDocument(string? Open, bool RestoreExpected, bool Restored, bool Overdue);

sealed record VmNicDocument(
    string Name, string Switch, string Type, string Mac, int Mtu, string Attach, int? Vlan, IReadOnlyList<VmPropertyDocument>? Properties,
    IReadOnlyList<string>? RequiredFeatures);

/// <summary>A property as the VM defines it; what holds and who enforces it is said by the port.</summary>
sealed record VmPropertyDocument(PropertyType PropertyType, string PropertyInstanceId, string? PropertyId, int PropertyVersion, JsonElement? Value);

/// <param name="Migration">The migration that does it: what is known of a move is said there.</param>
sealed record OperationDocument(
    string Id, string Kind, string Actor, string State, ProblemDocument? Problem, DateTimeOffset Started, DateTimeOffset? Ended, string Correlation,
    string? Migration);

sealed record VmOperationDocument(string Id, string Kind, string State, ProblemDocument? Problem);

/// <param name="Migration">The migration that is open, while one is.</param>
/// <param name="Missing">NICs that no host took when it was moved: it goes on without them. Absent where there are none.</param>
sealed record VmDocument(
    string Name, string Host, string State, string Epoch, IReadOnlyList<VmNicDocument> Nics, VmOperationDocument? Operation,
    string? Migration, IReadOnlyList<string>? Missing, string Revision, DateTimeOffset Updated);

sealed record AlarmDocument(string Actor, string Code, string Severity, DateTimeOffset Since, string Reason, string Action);

sealed record EventDocument(
    string Cursor, string Ordering, string Actor, string Sequence, DateTimeOffset At, string Type, int Version, string Who,
    string? Cause, string Correlation, string Hash, string? Oid, JsonElement? Body);

sealed record OidDocument(
    string RequestId, string Status, int? BytesNeeded, JsonElement? Output, RefusedBy? RefusedBy,
    IReadOnlyList<ExtensionFault> Faults, IReadOnlyList<OidTraceDocument> Trace, string PortState, string NicState, long PortId, int NicIndex,
    string Sequence, bool? UplinkUsable, int? OutputNotKept, IReadOnlyList<OriginatedDocument>? Originated, IReadOnlyList<OriginatedStatus>? Indicated);

sealed record OriginatedDocument(
    string Parent, string RequestId, int Position, string Extension, string Oid, string Status, IReadOnlyList<OidTraceDocument> Trace);

sealed record OidTraceDocument(int Position, string Extension, string Direction, string Status);

sealed record CompletionDocument(string RequestId, string Extension, string Status);

sealed record CancellationDocument(string RequestId);

sealed record SavedNicDocument(IReadOnlyList<NicBlob> Blobs);

sealed record RestoredNicDocument(IReadOnlyList<TakenBlob> Blobs);

sealed record HoldDocument(string Id);

sealed record StatusDocument(bool Forwarded);

sealed record FaultDocument(string CommandId, string Status);

sealed record UnparkedDocument(string Actor, bool Dropped);

sealed record AcceptedDocument(string Id, string State);

sealed record HealthDocument(string Status, string Version, string Driver);

sealed record ReadyDocument(string Status, bool Journal, bool CaughtUp, string Position, string Head, IReadOnlyList<string> Reasons);

sealed record ClusterDocument(
    string Node, string? Supervisor, LeaseDocument? Lease, IReadOnlyList<MemberDocument> Members, IReadOnlyList<RegionDocument> Regions,
    FeedDocument Feed, WireDocument Wire);

/// <param name="Spoken">By all members; what a newer one brings is refused as cluster.mixed until it is there.</param>
/// <param name="Newest">That this node may speak.</param>
sealed record WireDocument(int Spoken, int Newest);

sealed record LeaseDocument(string Holder, string Token, bool Held, double SecondsLeft);

sealed record MemberDocument(string Address, string Id, string Status, bool Reachable, bool Oldest, bool Leader);

sealed record RegionDocument(string Region, IReadOnlyList<RegionNodeDocument> Nodes);

sealed record RegionNodeDocument(string Address, IReadOnlyList<string> Shards, int Entities);

sealed record FeedDocument(string Position, string Head, string Behind);
