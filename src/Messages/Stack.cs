using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>What the ordered extensions said on the way down (switch.md 3.5), as far as the OID has come.</summary>
/// <param name="Refused">Null when every extension that was asked passed the OID on.</param>
/// <param name="Trace">The way down, top first, as far as the OID came.</param>
/// <param name="Mtu">The MTU as an extension lowered it, or null.</param>
/// <param name="Used">Planned verdicts that were used, as "position/index".</param>
public sealed record StackVerdict(
    RefusedBy? Refused, IReadOnlyList<TraceStep> Trace, IReadOnlyList<ExtensionFault> Faults, int? Mtu, IReadOnlyList<string> Used)
{
    public static readonly StackVerdict Empty = new(null, [], [], null, []);

    /// <summary>The extension that completed the OID as its class may; the edge never saw it.</summary>
    public CompletedBy? Completed { get; init; }

    /// <summary>The extension that enforces the property of a property OID; null: the miniport edge, or nobody.</summary>
    public string? Owner { get; init; }

    /// <summary>What extensions keep from now on, if the OID succeeds.</summary>
    public IReadOnlyList<KeptState>? Keeps { get; init; }

    /// <summary>Where the OID waits for a late answer.</summary>
    public StackPause? Pause { get; init; }

    /// <summary>The extension that asked for a restart of the stack, which follows the OID.</summary>
    public string? RestartFor { get; init; }

    /// <summary>NIC_RESTORE: what its owner gives back to the NIC's data path.</summary>
    public NicRuntimePart? Restores { get; init; }

    /// <summary>The OIDs that extensions sent down themselves meanwhile, in order of their beginning.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OriginatedOid>? Originated { get; init; }

    /// <summary>The statuses that extensions indicated meanwhile.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OriginatedStatus>? Indicated { get; init; }
}

/// <summary>
/// An OID that an extension sent down itself while another passed it: seen by those below it alone, and over before the
/// other goes on (switch.md 1.2, 9.3.1). What it brought is the extension's and is not kept.
/// </summary>
/// <param name="Parent">The request that passed the extension then; it may have been originated itself.</param>
/// <param name="RequestId">The parent's first request, and a number.</param>
/// <param name="Position">Where the extension is that sent it.</param>
/// <param name="Trace">Its own way; empty: it was not sent, as a NIC that it needs is not connected (switch.md 2.8), or the switch is not active (2.7).</param>
public sealed record OriginatedOid(
    string Parent, string RequestId, int Position, string Extension, OidCode Oid, NdisStatus Status, IReadOnlyList<TraceStep> Trace);

/// <summary>A status that a forwarder indicated while an OID passed it; it travels up (switch.md 2.8).</summary>
/// <param name="Parent">The request that passed the extension then.</param>
/// <param name="NicIndex">A VM's NIC, or 0 of the external port for the adapters below.</param>
/// <param name="Forwarded">False: the NIC could not be referenced, and nothing was indicated (O07).</param>
public sealed record OriginatedStatus(string Parent, int Position, string Extension, uint PortId, int NicIndex, string Status, bool Forwarded);

/// <summary>An extension completed an OID itself: a property of its own, a feature's status, a NIC's saved data.</summary>
/// <param name="Output">What it answers.</param>
/// <param name="Saved">NIC_SAVE: the data.</param>
public sealed record CompletedBy(
    int Position, string Extension, ExtensionClass Class, NdisStatus Status, JsonElement? Output = null, int? BytesNeeded = null, NicBlob? Saved = null);

/// <summary>An extension has pended the OID (switch.md 3.7): a state, not a blocked thread.</summary>
/// <param name="Order">The stack as the OID met it; a later definition takes extensions away from it and adds none.</param>
public sealed record StackPause(int Position, string Extension, IReadOnlyList<ExtensionDefinition> Order);

/// <summary>One thing that an extension keeps: for the switch, or for one NIC.</summary>
/// <param name="Extension">"class/name".</param>
/// <param name="Scope">"" for the switch, "PORTID/INDEX" for a NIC.</param>
/// <param name="Value">Null: no longer.</param>
public sealed record KeptState(string Extension, string Scope, string? Value);

/// <summary>The late answer of an extension that had pended an OID: SUCCESS passes it on, an error refuses it.</summary>
public sealed record CompleteOid(string RequestId, string Extension, NdisStatus Status) : Command;

/// <summary>Somebody would have an OID cancelled that is open at the switch.</summary>
public sealed record CancelOid(string RequestId) : Command;

/// <summary>A cancel was asked for. It is best effort: nobody took it up, and the OID ends as it would have (switch.md 2.3.6, F09).</summary>
/// <param name="Position">Where the OID was: an extension's place, -1 below them; null: it waited for the slot.</param>
public sealed record OidCancelRequested(string RequestId, OidCode Code, int? Position, string? Extension) : SwitchEvent;

/// <summary>The OID goes on: its NIC's run-time data has come, or the extension that pended it has answered or has gone.</summary>
/// <param name="Extension">The extension that had pended it; null when it waited for the NIC.</param>
/// <param name="Status">The extension's late answer; null when it gave none.</param>
/// <param name="Verdict">The whole way so far.</param>
public sealed record OidResumed(
    string MessageId, string RequestId, OidCode Code, string? Extension, NdisStatus? Status, StackVerdict Verdict) : SwitchEvent, IOnBehalf
{
    /// <summary>NIC_SAVE: what the NIC's data path has gathered.</summary>
    public NicRuntime? Runtime { get; init; }
}

/// <summary>The OID has been open for longer than switch.md 9.7 expects; nothing is forced.</summary>
/// <param name="Position">Where it is: an extension's place, or -1 for the port, the NIC and the data path.</param>
/// <param name="Alarm">False after a second, true after ten.</param>
public sealed record OidSlow(
    string MessageId, string RequestId, OidCode Code, uint PortId, int Position, string Extension, DateTimeOffset Since, bool Alarm)
    : SwitchEvent, IOnBehalf;

/// <summary>
/// An extension asked for a restart of the stack while an OID is pending: it cannot end before the OID does, and whoever
/// waits for it first waits for ever (switch.md 2.3.5, F07). The restart follows the OID.
/// </summary>
public sealed record StackRestartDeferred(string MessageId, string RequestId, OidCode Code, string Extension) : SwitchEvent, IOnBehalf;

/// <summary>All extensions were restarted because one had asked for it.</summary>
public sealed record StackRestarted(string Extension) : SwitchEvent;

/// <summary>The extension was attached or restarted, and has looked at the switch's ports and NICs if the switch is active (switch.md 3.8).</summary>
/// <param name="Active">False: it looks when the switch is activated.</param>
public sealed record ExtensionAttached(string Extension, ExtensionClass Class, bool Active, IReadOnlyList<KeptState> Keeps) : SwitchEvent;

/// <summary>The extension could not attach; the switch goes on without it. It has no other say in what is there already (V25).</summary>
public sealed record ExtensionAttachFailed(string Extension, ExtensionClass Class, NdisStatus Status, string Detail) : SwitchEvent;

/// <summary>Disabled or removed.</summary>
public sealed record ExtensionDetached(string Extension, ExtensionClass Class) : SwitchEvent;

/// <summary>A custom property of the switch was set (ADD or UPDATE) or removed.</summary>
/// <param name="Owner">The extension that enforces it; null: nobody says so.</param>
public sealed record SwitchPropertyChanged(string RequestId, OidCode Oid, PropertyParameters Property, string? Owner) : SwitchEvent;
