using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>Figures that whoever runs the tests reads: in the test's output, and in the file that the run asks for.</summary>
static class Figures
{
    public static void Tell(this ITestOutputHelper output, string figures)
    {
        output.WriteLine(figures);
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_FIGURES") is { Length: > 0 } file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.AppendAllText(file, figures.TrimEnd() + "\n");
        }
    }
}
