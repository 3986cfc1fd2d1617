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

    /// <summary>
    /// Uplink and joints take some of them. The kernel's limit is 1,023, and the time it takes to add a port grows with the
    /// ports that the bridge has, so a large switch spans more bridges and not larger ones.
    /// </summary>
    public int PortsPerBridgeMax { get; init; } = 256;

    /// <summary>Bridges that one switch may span: 32 have room for 8,129 ports.</summary>
    public int BridgesPerSwitchMax { get; init; } = 32;

    /// <summary>Frames that are kept for a reader that comes back.</summary>
    public int FramesMax { get; init; } = 10_000;

    /// <summary>How often everything is compared, for the few changes that the kernel sends no event of.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a command waits for its turn before it is answered as a failure.</summary>
    public TimeSpan TurnWaitMax { get; init; } = TimeSpan.FromSeconds(30);
}
