using ControlPlane.DriverAbi;
using ControlPlane.DriverLinux;
using ControlPlane.DriverSimulated;

namespace ControlPlane.Agent;

/// <summary>Where one host's driver lives.</summary>
/// <param name="StateDirectory">The host's own; made if it is not there.</param>
/// <param name="NamespacePrefix">Linux: stands before the names of network namespaces, so that two fleets can share a machine.</param>
public sealed record DriverPlace(string Host, string StateDirectory, string NamespacePrefix = "");

/// <summary>The data paths that this build has.</summary>
public static class Drivers
{
    public static IReadOnlyList<string> Kinds { get; } = ["linux", "simulated"];

    public static IDriver Open(string kind, DriverPlace place, TimeProvider time) => kind switch
    {
        "linux" => new LinuxDriver(
            place.Host,
            new LinuxDriverOptions { StateDirectory = place.StateDirectory, NamespacePrefix = place.NamespacePrefix },
            time),
        "simulated" => new SimulatedDriver(
            place.Host,
            new SimulatedDriverOptions { StateFile = Path.Combine(place.StateDirectory, "simulated.json") },
            time),
        _ => throw new ArgumentException($"There is no driver \"{kind}\"; there are: {string.Join(", ", Kinds)}."),
    };
}
