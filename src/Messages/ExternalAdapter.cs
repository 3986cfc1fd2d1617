namespace ControlPlane.Messages;

/// <summary>
/// The switch brings its external port and adapters up, or to what its definition says now (switch.md 3.4 G7). Its OIDs
/// follow, one at a time, like those of everybody else.
/// </summary>
/// <param name="Members">The physical adapters, as indexes 1, 2, …</param>
public sealed record ExternalAdapterStarting(IReadOnlyList<string> Members) : SwitchEvent;

/// <summary>All of them are connected: traffic can leave the switch.</summary>
public sealed record ExternalAdapterStarted : SwitchEvent;

/// <summary>The switch takes its external port and adapters down (switch.md 3.4 G8).</summary>
/// <param name="DeleteMessageId">The request to delete the switch, which follows; null: it was defined otherwise, or the start was refused.</param>
public sealed record ExternalAdapterStopping(string? DeleteMessageId = null) : SwitchEvent;

/// <summary>Nothing of them is left.</summary>
/// <param name="Problem">Why the start was given up; null: it was not.</param>
public sealed record ExternalAdapterStopped(Refusal? Problem = null) : SwitchEvent;

/// <summary>What was waited for is drained: the DELETE or TEARDOWN is sent again.</summary>
public sealed record ExternalAdapterDrained(EntityId Object) : SwitchEvent;

/// <summary>A step of the way down was rejected again and again; what is left stays until the switch is defined or deleted anew.</summary>
public sealed record ExternalAdapterStuck(Refusal Problem) : SwitchEvent;
