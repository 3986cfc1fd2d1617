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

        /// <summary>The external adapter and a physical one below it are connected (switch.md 3.4 G7).</summary>
        [JsonIgnore]
        public bool UplinkUsable => Ports.Values.Any(port => port.Type == PortType.External
            && port.Nics.Values.Count(nic => nic.State == "Connected") > 1);
    }
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

/// <summary>A port as its switch knows it: enough to find it and to judge what concerns more than one port.</summary>
public sealed record SwitchPort(
    uint PortId, string Name, EntityId Id, PortType Type, bool Validation, ImmutableSortedDictionary<int, SwitchNic> Nics);

/// <summary>A NIC as its switch knows it.</summary>
/// <param name="State">As the last completed OID about it left it.</param>
public sealed record SwitchNic(EntityId Id, NicType Type, string? Mac, string State);

/// <summary>An OID that waits for the slot.</summary>
public sealed record QueuedOid(string MessageId, OidRequest Request, bool FromPeer, string? Caller = null);

/// <summary>The OID that has the slot.</summary>
public sealed record SlotOid(string MessageId, OidRequest Request, bool FromPeer, EntityId Port, EntityId? Nic, StackVerdict Verdict, string? Caller = null);

/// <summary>Something asked of a port or NIC for whoever asked the switch.</summary>
public sealed record Errand(string MessageId, EntityId Target, Command Body);
