using System.Reflection;

namespace ControlPlane.Host.Composition;

/// <summary>Which release this is.</summary>
static class Release
{
    public static string Version { get; } =
        typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
}
