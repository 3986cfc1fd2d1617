namespace ControlPlane.Simulation;

/// <summary>The repository that the tests were built from.</summary>
static class Sources
{
    public static string Root { get; } = Find();

    public static string Corpus => Path.Combine(Root, "tests", "Simulation", "Corpus");

    static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ControlPlane.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("ControlPlane.sln");
        }
        return folder.FullName;
    }
}
