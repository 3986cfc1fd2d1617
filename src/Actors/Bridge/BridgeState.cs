using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// What is known of a host's link: its session, the position of its stream, the commands in flight and the frames that
/// still have to reach their NICs.
/// </summary>
/// <param name="Session">The number of the last session; it rises with each.</param>
/// <param name="Online">The last session is open.</param>
/// <param name="Cursor">The seq up to which frames of <paramref name="StreamEpoch"/> are stored.</param>
/// <param name="Commands">Commands without a completion, by the message that waits for it.</param>
/// <param name="Frames">Recorded frames that are not delivered yet, oldest first.</param>
/// <param name="Untold">Switches that still have to be told of the session's snapshot.</param>
/// <param name="Known">Switches that were ever made here and not removed.</param>
/// <param name="Epochs">Highest grant epoch by NIC key: what an agent that lost its fences is given.</param>
/// <param name="Dropped">Reports of older sessions that were dropped.</param>
public sealed record BridgeState(
    EntityId Id,
    string Driver,
    string Version,
    long Session,
    bool Online,
    string BootId,
    long StreamEpoch,
    long Cursor,
    ImmutableSortedDictionary<string, DriverCommand> Commands,
    ImmutableArray<DriverFrame> Frames,
    ImmutableSortedDictionary<string, ReconcileSwitch> Untold,
    ImmutableSortedSet<string> Known,
    ImmutableSortedDictionary<string, long> Epochs,
    long Dropped)
{
    /// <summary>An operator said that the host never returns: no session until it is admitted again.</summary>
    public bool Removed { get; init; }

    /// <summary>The token with which the host's agent gets its first certificate; null: there was none.</summary>
    public HostJoin? Join { get; init; }

    /// <summary>The older state with which the host came since the last session; null: it did not.</summary>
    public OldSnapshotRefused? Behind { get; init; }

    /// <summary>What the host shows and nobody issued by what is stored; null: it does not.</summary>
    public UnknownCommandSeen? Ahead { get; init; }

    /// <summary>Within the epoch of <see cref="Epochs"/>, the revision of the last command that was issued; a deletion is the last of all.</summary>
    public ImmutableSortedDictionary<string, long> Revisions
    {
        get => field ?? ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);
        init;
    }

    /// <summary>Frames whose NIC does not know the device, by their position: the switch is told. True: the NIC is on no port.</summary>
    public ImmutableSortedDictionary<string, bool> Strangers
    {
        get => field ?? ImmutableSortedDictionary.Create<string, bool>(StringComparer.Ordinal);
        init;
    }
}
