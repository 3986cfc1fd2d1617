using ControlPlane.DriverAbi;
using ControlPlane.DriverSimulated;

namespace ControlPlane.Agent;

/// <summary>The data paths that this build has.</summary>
public static class Drivers
{
    public static IReadOnlyList<string> Kinds { get; } = ["simulated"];

    /// <param name="stateDirectory">The host's own; made if it is not there.</param>
    public static IDriver Open(string kind, string host, string stateDirectory, TimeProvider time)
    {
        Directory.CreateDirectory(stateDirectory);
        return kind switch
        {
            "simulated" => new SimulatedDriver(
                host, new SimulatedDriverOptions { StateFile = Path.Combine(stateDirectory, "simulated.json") }, time),
            _ => throw new ArgumentException($"There is no driver \"{kind}\"; there are: {string.Join(", ", Kinds)}."),
        };
    }
}
