using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>A switch: absent, or here with a stage of its life on the host.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "phase")]
[JsonDerivedType(typeof(Absent), "absent")]
[JsonDerivedType(typeof(Here), "here")]
public abstract record SwitchState(EntityId Id)
{
    /// <param name="Preparations">Goes on over a deletion, so that no command to the host is named twice.</param>
    public sealed record Absent(EntityId Id, int Preparations = 0) : SwitchState(Id);

    /// <param name="Preparations">Counts the times that the host was asked to make the switch: names the present one.</param>
    /// <param name="NextPortId">The id that the next port of ours gets; ids are not re-used while it can be avoided.</param>
    /// <param name="Slot">The regular OID in traversal; there is one at most (switch.md 3.7).</param>
    /// <param name="Queue">OIDs that wait for the slot, in order of arrival.</param>
    /// <param name="Errands">What was asked of a port or NIC for somebody, by the message that waits for it.</param>
    /// <param name="Holds">Whose each hold is, by its id.</param>
    /// <param name="Used">Planned verdicts that were used up, with how often.</param>
    /// <param name="Reports">What each NIC still has to be told of the host's last snapshot.</param>
    public sealed record Here(
        EntityId Id,
        SwitchDefinition Definition,
        SwitchStage Stage,
        int Preparations,
        string? DeleteMessageId,
        uint NextPortId,
        ImmutableSortedDictionary<uint, SwitchPort> Ports,
        SlotOid? Slot,
        ImmutableArray<QueuedOid> Queue,
        ImmutableSortedDictionary<string, Errand> Errands,
        ImmutableSortedDictionary<string, EntityId> Holds,
        ImmutableSortedDictionary<string, int> Used,
        ImmutableSortedDictionary<EntityId, ReportDevice> Reports) : SwitchState(Id)
    {
        /// <summary>Illegal OIDs by caller, as far as their second is not over. Not in what was stored before this was.</summary>
        public ImmutableArray<RejectionWindow> Rejections { get => field.IsDefault ? [] : field; init; }

        // What follows is not in what was stored before it was.

        /// <summary>The custom properties of the switch, by their identity (switch.md 2.5).</summary>
        public ImmutableSortedDictionary<string, SwitchProperty> Properties { get => field ?? None<SwitchProperty>.ByName; init; }

        /// <summary>What extensions keep: by "class/name", then by scope ("" for the switch, "PORTID/INDEX" for a NIC).</summary>
        public ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>> Kept
        {
            get => field ?? None<ImmutableSortedDictionary<string, string>>.ByName;
            init;
        }

        /// <summary>Extensions that could not attach, by "class/name", with why.</summary>
        public ImmutableSortedDictionary<string, string> Unattached { get => field ?? None<string>.ByName; init; }

        /// <summary>Saves and restores of NICs that run, by the message that waits for their end.</summary>
        public ImmutableSortedDictionary<string, NicDataTransfer> Transfers { get => field ?? None<NicDataTransfer>.ByName; init; }

        /// <summary>Who still has to be told that the host has lost what it had.</summary>
        public ImmutableSortedDictionary<EntityId, SwitchLoss> Losses
        {
            get => field ?? ImmutableSortedDictionary<EntityId, SwitchLoss>.Empty;
            init;
        }

        /// <summary>Ports and NICs that ended with the host's last boot, or with its removal.</summary>
        public int Lost { get; init; }

        /// <summary>Devices that no NIC of ours knows, by their names on the host.</summary>
        public ImmutableSortedDictionary<string, DiscoveredDevice> Discovered { get => field ?? None<DiscoveredDevice>.ByName; init; }

        /// <summary>The place of the last snapshot in the host's stream: what older frames say is in it. Null: none is known.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public StreamPlace? SnapshotAt { get; init; }

        /// <summary>Sightings of devices beyond those that are recorded, since the last snapshot.</summary>
        public int NotRecorded { get; init; }

        /// <summary>The highest number that a removal of a device has had.</summary>
        public long Removals { get; init; }

        /// <summary>Its own external port and adapters; null: it never had any.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public ExternalAdapter? Adapter { get; init; }

        /// <summary>The host was removed: the switch ends after all that is on it.</summary>
        public bool Gone { get; init; }

        /// <summary>The external adapter and a physical one below it are connected (switch.md 3.4 G7).</summary>
        [JsonIgnore]
        public bool UplinkUsable => Ports.Values.Any(port => port.Type == PortType.External
            && port.Nics.Values.Count(nic => nic.State == "Connected") > 1);
    }
}

/// <summary>Nothing yet, by name.</summary>
static class None<T>
{
    public static readonly ImmutableSortedDictionary<string, T> ByName =
        ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
}

/// <summary>A switch's stage on its host.</summary>
[JsonConverter(typeof(CamelEnumJson<SwitchStage>))]
public enum SwitchStage
{
    /// <summary>The host was asked to make it.</summary>
    Preparing,
    Ready,
    /// <summary>The host could not make it.</summary>
    Failed,
    Deleting,
}

/// <summary>A port as its switch knows it: enough to find it, to list it, and to judge what concerns more than one port.</summary>
public sealed record SwitchPort(
    uint PortId, string Name, EntityId Id, PortType Type, bool Validation, ImmutableSortedDictionary<int, SwitchNic> Nics)
{
    /// <summary>The name as the creator wrote it; <see cref="Name"/> is its key form.</summary>
    public string? PortName { get; init; }

    public string? FriendlyName { get; init; }

    public bool TearingDown { get; init; }
}

/// <summary>A NIC as its switch knows it.</summary>
/// <param name="State">As the last completed OID about it left it.</param>
public sealed record SwitchNic(EntityId Id, NicType Type, string? Mac, string State)
{
    public string? NicName { get; init; }

    public string? VmName { get; init; }

    public int? Mtu { get; init; }

    public string? CurrentMac { get; init; }

    public bool VfAssigned { get; init; }

    /// <summary>The start of its VM that it belongs to; 0: it is a peer's.</summary>
    public long VmEpoch { get; init; }

    /// <summary>How many blobs each extension has given since the last NIC_SAVE_COMPLETE, by "class/name".</summary>
    public ImmutableSortedDictionary<string, int> Saved { get => field ?? None<int>.ByName; init; }
}

/// <summary>A custom property of the switch.</summary>
/// <param name="Owner">The extension that enforces it; null: nobody says so.</param>
public sealed record SwitchProperty(PropertyParameters Property, string? Owner);

/// <summary>An OID that waits for the slot.</summary>
public sealed record QueuedOid(string MessageId, OidRequest Request, bool FromPeer, string? Caller = null);

/// <summary>The OID that has the slot.</summary>
/// <param name="Port">The port that judges it, or the switch itself.</param>
public sealed record SlotOid(
    string MessageId, OidRequest Request, bool FromPeer, EntityId Port, EntityId? Nic, StackVerdict Verdict, string? Caller = null)
{
    /// <summary>When it came into the slot.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Where it is.</summary>
    public SlotStage Stage { get; init; }

    /// <summary>NIC_SAVE: what the NIC's data path has gathered.</summary>
    public NicRuntime? Runtime { get; init; }

    /// <summary>How often it was said that it takes long: after a second, and after ten.</summary>
    public int Warned { get; init; }
}

/// <summary>Where the OID in the slot is.</summary>
[JsonConverter(typeof(CamelEnumJson<SlotStage>))]
public enum SlotStage
{
    /// <summary>At its port or NIC; with a pause in its verdict, at an extension.</summary>
    Down,
    /// <summary>NIC_SAVE: its NIC is asked for its run-time data.</summary>
    Reading,
    /// <summary>NIC_RESTORE: its NIC takes the run-time data of the blob's owner.</summary>
    Restoring,
}

/// <summary>Something asked of a port or NIC for whoever asked the switch.</summary>
public sealed record Errand(string MessageId, EntityId Target, Command Body);
