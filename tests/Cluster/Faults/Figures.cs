using System.Globalization;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>Measured times, printed by test.sh.</summary>
static class Figures
{
    public static TimeSpan Percentile(IReadOnlyCollection<TimeSpan> times, double part) =>
        times.Order().ElementAt(Math.Min(times.Count - 1, (int)Math.Ceiling(times.Count * part) - 1));

    public static void Print(string what, IReadOnlyCollection<TimeSpan> times) => Print(times.Count == 0 ? $"{what}: none" : string.Create(
        CultureInfo.InvariantCulture,
        $"{what}: p50 {Percentile(times, 0.5).TotalSeconds:0.00} s, p99 {Percentile(times, 0.99).TotalSeconds:0.00} s, max {times.Max().TotalSeconds:0.00} s of {times.Count}"));

    public static void Print(string line)
    {
        Console.WriteLine(line);
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_FIGURES") is { Length: > 0 } file)
        {
            File.AppendAllText(file, line + "\n");
        }
    }
}
