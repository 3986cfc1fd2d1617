using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>What one simulated host is told at its start.</summary>
public sealed record SimulatedDriverOptions
{
    /// <summary>
    /// Keeps devices, fences and the stream epoch over a restart of the process. Null: they live in memory alone, and a
    /// new host knows that it has no fences to lose.
    /// </summary>
    public string? StateFile { get; init; }

    /// <summary>Ports and foreign devices that one switch takes; one more is refused with NDIS_STATUS_RESOURCES.</summary>
    public int PortsPerSwitchMax { get; init; } = 1_023;

    /// <summary>Frames that are kept for a reader that comes back.</summary>
    public int FramesMax { get; init; } = 10_000;

    /// <summary>How long each command takes, by the driver's clock.</summary>
    public TimeSpan CommandTakes { get; init; } = TimeSpan.Zero;

    /// <summary>What becomes of a command and its answer; null: carried out once and answered.</summary>
    public Func<DriverCommand, CommandFate>? Fate { get; init; }
}

/// <summary>How a command and its answer travel inside a simulated host.</summary>
public enum CommandFate
{
    /// <summary>Carried out once and answered.</summary>
    Once,
    /// <summary>Carried out, but the answer never comes; the caller's patience ends it.</summary>
    AnswerLost,
    /// <summary>Never reaches the data path: not carried out, and never answered.</summary>
    Lost,
    /// <summary>Carried out twice, as after a retransmission; the second answer is given.</summary>
    Twice,
}
