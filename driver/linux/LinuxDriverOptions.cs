namespace ControlPlane.DriverLinux;

/// <summary>What one host's driver is told at its start.</summary>
public sealed record LinuxDriverOptions
{
    /// <summary>
    /// Holds the fences, the stream epoch and what is needed to put devices back. One directory per host.
    /// </summary>
    public required string StateDirectory { get; init; }

    /// <summary>Stands before the name of each network namespace, so that two fleets can share a machine.</summary>
    public string NamespacePrefix { get; init; } = "";

    /// <summary>The kernel's own limit; uplink and joints take some of them.</summary>
    public int PortsPerBridgeMax { get; init; } = 1_023;

    /// <summary>Bridges that one switch may span: eight have room for 8,169 ports.</summary>
    public int BridgesPerSwitchMax { get; init; } = 8;

    /// <summary>Frames that are kept for a reader that comes back.</summary>
    public int FramesMax { get; init; } = 10_000;

    /// <summary>How often everything is compared, for the few changes that the kernel sends no event of.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a command waits for its turn before it is answered as a failure.</summary>
    public TimeSpan TurnWaitMax { get; init; } = TimeSpan.FromSeconds(30);
}
