namespace ControlPlane.Messages;

/// <summary>From the bridge to a switch: a device on it that no NIC takes for its own.</summary>
/// <param name="LeftOver">The device is ours by its alias, and its NIC is on no port.</param>
/// <param name="At">Its place in the host's stream.</param>
public sealed record ReportStranger(string Source, DeviceState Device, bool LeftOver, StreamPlace? At = null) : Command, IRepeatable;

/// <summary>Answer to <see cref="ReportDevice"/>: the NIC is not where the device is.</summary>
/// <param name="Absent">It is on no port at all.</param>
public sealed record NotAttached(bool Absent) : Reply;

/// <summary>No NIC takes the frame's device for its own: its switch is told.</summary>
/// <param name="LeftOver">The device is ours by its alias, and its NIC is on no port.</param>
public sealed record FrameStrange(long StreamEpoch, long Seq, bool LeftOver) : BridgeEvent;

/// <summary>
/// There is a device on the switch that no NIC of ours knows, in the state in which the host lists it. Nothing is created
/// for it and nobody is asked (switch.md 9.5.5). Stored again when what is listed has changed.
/// </summary>
public sealed record DeviceDiscovered(DeviceState Device, bool LeftOver, string Source) : SwitchEvent;

/// <summary>A discovered device is gone, or off the switch.</summary>
/// <param name="Removed">By a command of ours.</param>
public sealed record DiscoveredGone(string Device, bool Removed = false) : SwitchEvent;

/// <summary>More devices than a switch records of those it does not know.</summary>
public sealed record DiscoveryLimited(string Device) : SwitchEvent;

/// <summary>The host did not remove a device that was left over; it is tried again with its next snapshot.</summary>
public sealed record LeftOverNotRemoved(string Device, NdisStatus Status, string? Detail) : SwitchEvent;
