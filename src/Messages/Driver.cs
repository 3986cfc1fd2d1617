using System.Globalization;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>What a data path is told to do. Each verb is the miniport edge's part of one step; each is safe twice.</summary>
public enum DriverVerb
{
    /// <summary>Makes the switch (a bridge) if it is not there.</summary>
    EnsureSwitch = 1,
    /// <summary>Removes an empty switch.</summary>
    RemoveSwitch,
    /// <summary>Reserves the port; no device yet. Refused when the switch is full.</summary>
    CreatePort,
    /// <summary>Makes the NIC's device with its gate closed (IFF_UP clear on the host side).</summary>
    CreateNic,
    /// <summary>Opens the gate.</summary>
    ConnectNic,
    /// <summary>Closes the gate.</summary>
    DisconnectNic,
    /// <summary>Removes the device. Success when it is already gone.</summary>
    DeleteNic,
    /// <summary>No new work for the port.</summary>
    TeardownPort,
    /// <summary>Frees the reservation.</summary>
    DeletePort,
    /// <summary>Brings the device to the state that the command describes, whatever was done to it: the repair of a drift.</summary>
    RepairNic,
    /// <summary>The demo guest is powered off: its namespaces go. Success when there are none.</summary>
    ReleaseGuest,
    /// <summary>Simulated hosts only: plants a fault for a later command.</summary>
    PlantFault,
    /// <summary>Replaces the policies of a NIC that is there, its address and its MTU by those that the command carries: all of it or nothing.</summary>
    ApplyPolicy,
    /// <summary>Reads what the NIC's data path has gathered; changes nothing.</summary>
    ReadNic,
    /// <summary>Gives a NIC what was gathered elsewhere: learned addresses, and counters on which its own go on.</summary>
    RestoreNic,
    /// <summary>Tells the network where the NIC's address is, some rounds long; completed when the first round is out. Refused unless the NIC's gate is open under this epoch.</summary>
    AnnounceNic,
}

/// <summary>How a NIC's device meets its guest.</summary>
public enum NicAttach
{
    /// <summary>A veth whose far end is plugged into the guest's backplane bridge.</summary>
    Veth,
    /// <summary>A tap, for a hypervisor to open.</summary>
    Tap,
    /// <summary>A veth whose far end is the host's own: an internal NIC (switch.md 3.9).</summary>
    Host,
}

/// <summary>
/// A command to one host's data path. Commands carry (NIC, grant epoch, revision); the host refuses an epoch below the
/// highest that it has seen for the NIC (design.md 5), so a late command of an older incarnation changes nothing.
/// </summary>
/// <param name="CommandId">Rising name of the command, unique per host; the same id again answers the same completion.</param>
/// <param name="Switch">Switch name on this host.</param>
/// <param name="Port">Port name, or empty for a verb about a switch or guest.</param>
/// <param name="Vm">VM name (key form), or empty.</param>
/// <param name="Nic">NIC name within the VM (key form), or empty.</param>
/// <param name="NicKey">The NIC's entity id text: what the device's alias carries.</param>
/// <param name="Epoch">Grant epoch of the NIC; 0 for verbs without a NIC.</param>
/// <param name="Revision">Rises with each change wanted of this NIC within an epoch.</param>
/// <param name="Up">The gate's wanted position (used by RepairNic).</param>
/// <param name="Mac">Guest's MAC in lower case with colons; null: none, or the one that the NIC has here.</param>
/// <param name="Mtu">Bytes; 0: the one that the NIC has here, or the default 1500.</param>
/// <param name="Fault">PlantFault only: the verb to fail, the status to fail it with, how often.</param>
/// <param name="Policy">CreateNic, RepairNic and ApplyPolicy: what is enforced for the NIC; null: nothing is.</param>
/// <param name="Runtime">RestoreNic only.</param>
public sealed record DriverCommand(
    string CommandId,
    DriverVerb Verb,
    string Switch,
    string Port = "",
    string Vm = "",
    string Nic = "",
    string NicKey = "",
    long Epoch = 0,
    long Revision = 0,
    bool Up = false,
    NicAttach Attach = NicAttach.Veth,
    string? Mac = null,
    int Mtu = 0,
    PlantedFault? Fault = null,
    PortPolicy? Policy = null,
    NicRuntimePart? Runtime = null);

/// <summary>
/// The place of a command among those that shape one NIC's device: the grant epoch, and the revision within it. A deletion is the
/// last of its epoch. What is below a place that was taken has been overtaken: carried out later, it would bring back what is over.
/// </summary>
public readonly record struct CommandPlace(long Epoch, long Revision) : IComparable<CommandPlace>
{
    /// <summary>Null: the command shapes no NIC's device, and may come at any time.</summary>
    public static CommandPlace? Of(DriverCommand command) => command switch
    {
        { NicKey.Length: 0 } or { Verb: DriverVerb.ReadNic or DriverVerb.RestoreNic } => null,
        { Verb: DriverVerb.DeleteNic } => new CommandPlace(command.Epoch, long.MaxValue),
        _ => new CommandPlace(command.Epoch, command.Revision),
    };

    public int CompareTo(CommandPlace other) => (Epoch, Revision).CompareTo((other.Epoch, other.Revision));

    public static bool operator <(CommandPlace one, CommandPlace other) => one.CompareTo(other) < 0;

    public static bool operator >(CommandPlace one, CommandPlace other) => one.CompareTo(other) > 0;

    public static bool operator <=(CommandPlace one, CommandPlace other) => one.CompareTo(other) <= 0;

    public static bool operator >=(CommandPlace one, CommandPlace other) => one.CompareTo(other) >= 0;

    public override string ToString() => Revision == long.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"the deletion of epoch {Epoch}")
        : string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Revision}");
}

/// <summary>A fault asked of a simulated host: the next <paramref name="Times"/> commands with that verb answer that status.</summary>
public sealed record PlantedFault(DriverVerb Verb, NdisStatus Status, int Times);

/// <summary>The outcome of one command, with what was read back from the device after it.</summary>
/// <param name="Status">Success, or why not; StaleEpoch refusals answer <see cref="NdisStatus.InvalidParameter"/> with a detail.</param>
/// <param name="Observed">The device as read back, or null for verbs without a device.</param>
/// <param name="Runtime">ReadNic only.</param>
public sealed record Completion(
    string CommandId, NdisStatus Status, string? Detail = null, DeviceState? Observed = null, NicRuntime? Runtime = null);

/// <summary>A NIC's device as the host shows it. Epoch and revision come from the device's own alias.</summary>
/// <param name="Present">False: there is no such device.</param>
/// <param name="Up">IFF_UP of the host-side device: the gate.</param>
/// <param name="Enslaved">The device is on its switch's bridge.</param>
/// <param name="Policy">Digest of the policy that the data path enforces, as read back; null: none, or not whole.</param>
public sealed record DeviceState(
    string NicKey, string Switch, string Port, string Device, bool Present, bool Up, bool Enslaved, long Epoch, long Revision,
    string? Policy = null)
{
    /// <summary>Bytes; null: not said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Mtu { get; init; }

    /// <summary>The NIC's address that <see cref="Policy"/> is enforced against; null: nothing is enforced, or not said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Mac { get; init; }
}

/// <summary>
/// One report from a host. (boot id, stream epoch, seq) orders them; seq rises by one within a stream epoch, and a gap
/// or a new epoch means that a snapshot is due (design.md 5). Echoes of our own commands are not frames: their outcome
/// is in the completion.
/// </summary>
public sealed record DriverFrame(string BootId, long StreamEpoch, long Seq, DateTimeOffset At, FrameKind Kind, DeviceState Device);

/// <summary>A place in a host's stream of frames. A snapshot at a place contains the frame of that place and all before it.</summary>
public readonly record struct StreamPlace(long StreamEpoch, long Seq) : IComparable<StreamPlace>
{
    public int CompareTo(StreamPlace other) => (StreamEpoch, Seq).CompareTo((other.StreamEpoch, other.Seq));

    public static bool operator <(StreamPlace one, StreamPlace other) => one.CompareTo(other) < 0;

    public static bool operator >(StreamPlace one, StreamPlace other) => one.CompareTo(other) > 0;

    public static bool operator <=(StreamPlace one, StreamPlace other) => one.CompareTo(other) <= 0;

    public static bool operator >=(StreamPlace one, StreamPlace other) => one.CompareTo(other) >= 0;
}

/// <summary>What a frame reports.</summary>
public enum FrameKind
{
    /// <summary>A device that no command made.</summary>
    Appeared = 1,
    /// <summary>A device went away without a command.</summary>
    Vanished,
    /// <summary>A device changed (gate, bridge, alias) without a command, or changed back.</summary>
    Changed,
}

/// <summary>Everything a host has, at one position of its stream.</summary>
/// <param name="LastSeq">Frames up to this one are contained in the snapshot.</param>
public sealed record Inventory(
    string BootId, long StreamEpoch, long LastSeq, IReadOnlyList<string> Switches, IReadOnlyList<DeviceState> Devices);
