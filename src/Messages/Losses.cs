using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>
/// A host came up without what it had, or never comes back: its objects end, and nothing is asked of the host for it
/// (switch.md 9.5.4).
/// </summary>
public static class HostLoss
{
    /// <summary>The host has another boot id, and its snapshot does not list the object (F06).</summary>
    public const string Rebooted = "host lost";

    /// <summary>An operator said that the host never returns (api.md 3).</summary>
    public const string Removed = "host removed";

    /// <summary>What everybody is answered who waits for something of the host.</summary>
    public static Refusal Refusal(string host, string reason) => reason == Removed
        ? new Refusal(RefusalKind.Offline, "host.removed", $"Host {host} was removed: what was on it is lost.", "api.md 3", reason)
        : new Refusal(RefusalKind.Offline, "host.lost", $"Host {host} came up anew: what was on it before is lost.", "F06", reason);

    /// <summary>The reason behind such an answer; null for every other.</summary>
    public static string? In(Refusal? refusal) => refusal?.Code switch
    {
        "host.lost" => Rebooted,
        "host.removed" => Removed,
        _ => null,
    };
}

/// <summary>
/// From a switch to a port or NIC of its own that its host does not list any more. The object ends unless a command of
/// this session, or of a later one, has shown that it is there: what is live is newer than the snapshot. It is judged once:
/// asked again, the object answers as before, since its switch has acted on that answer.
/// </summary>
/// <param name="Switch">A NIC that is on another switch by now is not meant.</param>
public sealed record LoseObject(EntityId Switch, long Session, string Reason) : Command;

/// <summary>Answer to <see cref="LoseObject"/>.</summary>
/// <param name="Lost">False: it is there.</param>
public sealed record ObjectLost(bool Lost) : Reply;

/// <summary>From a switch to the VM whose NICs were lost.</summary>
/// <param name="Epoch">The VM's start that they belonged to: one that was started again since is not meant.</param>
/// <param name="Nics">Names of the NICs that the switch lost with their ports.</param>
public sealed record LoseVm(string Host, long Epoch, string Reason, IReadOnlyList<string> Nics) : Command, IRepeatable;

/// <summary>An operator's word: the host never returns.</summary>
/// <param name="Force">Its objects end as lost; without it the host may have none.</param>
public sealed record RemoveHost(bool Force) : Command;

/// <summary>An operator's word: the host that was removed may open sessions again.</summary>
public sealed record ReadmitHost : Command;

/// <summary>The session that was opened is of another boot: commands about ports and NICs, and frames, of the one before are void.</summary>
/// <param name="Commands">Messages whose commands ended so; each was answered.</param>
public sealed record HostRebooted(string BootIdBefore, string BootId, IReadOnlyList<string> Commands) : BridgeEvent;

/// <summary>The host is given up; its switches are told.</summary>
/// <param name="Session">Later than every session that there was.</param>
/// <param name="Commands">Messages whose commands ended so; each was answered.</param>
public sealed record HostRemoved(long Session, IReadOnlyList<string> Commands) : BridgeEvent;

public sealed record HostReadmitted : BridgeEvent;

/// <summary>The port ended with its host: no DELETE was sent and none is expected (F06).</summary>
public sealed record PortLost(string Reason) : PortEvent;

/// <summary>The attachment ended with its host: no DELETE was sent and none is expected (F06).</summary>
public sealed record NicLost(string Reason) : NicEvent;

/// <summary>The VM's host is lost: what ran on it does not run any more.</summary>
/// <param name="OperationId">The operation that was under way and ended so; null if none was.</param>
/// <param name="Nics">NICs that are known to be lost; the others are taken down as far as they are there.</param>
public sealed record VmLost(string? OperationId, string Host, string Reason, IReadOnlyList<string> Nics) : VmEvent
{
    /// <summary>The step that was under way is not answered yet.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Unanswered { get; init; }
}

/// <summary>A port or NIC has ended with the host: it is no longer in the switch's picture.</summary>
/// <param name="NicIndex">Null: the port itself.</param>
public sealed record SwitchObjectLost(EntityId Object, uint PortId, int? NicIndex, string Reason) : SwitchEvent
{
    /// <summary>The VM's start that the NIC belonged to, or 0: it is a peer's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long VmEpoch { get; init; }
}

/// <summary>A port or NIC that the snapshot did not list is there, or the VM was told.</summary>
public sealed record SwitchLossSettled(EntityId Object) : SwitchEvent;

/// <summary>What the OID was about ended with the host while it was open.</summary>
public sealed record OidLost(string MessageId, string RequestId, OidCode Code, Refusal Refusal) : SwitchEvent, IOnBehalf;

/// <summary>The switch ended with its host, after all that was on it.</summary>
public sealed record SwitchLost(string Reason) : SwitchEvent;
