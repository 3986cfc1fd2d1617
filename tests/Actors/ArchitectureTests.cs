using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ControlPlane.Tests.Actors;

/// <summary>The rules of the house that a machine can hold (design.md 2).</summary>
public sealed partial class ArchitectureTests
{
    const int LinesMax = 450;

    /// <summary>What each room may lean on. An arrow that is not here points back.</summary>
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["src/Messages"] = [],
        ["src/Actors"] = ["src/Messages"],
        ["driver/abi"] = ["src/Messages"],
        ["driver/linux"] = ["src/Messages", "driver/abi"],
        ["driver/simulated"] = ["src/Messages", "driver/abi"],
        ["driver/windows"] = ["src/Messages", "driver/abi"],
        ["src/Agent"] = ["src/Messages", "driver/abi", "driver/linux", "driver/simulated", "driver/windows"],
        ["src/Host"] = ["src/Messages", "src/Actors", "src/Agent"],
        ["src/Cli"] = ["src/Messages"],
    };

    const int ColumnsMax = 140;

    /// <summary>Rooms whose lines are no wider than <see cref="ColumnsMax"/>: others may join them, none may leave.</summary>
    static readonly string[] Wrapped = ["src/Actors/Switches/"];

    /// <summary>Longer files that exist, with their length: they may shrink, not grow, and none may join them.</summary>
    static readonly Dictionary<string, int> Long = new()
    {
        ["src/Actors/Entities/EntityCore.cs"] = 530,
    };

    [Fact]
    public void Arrows_between_rooms_do_not_point_back()
    {
        foreach (var project in Repo.Files("*.csproj").Where(file => !file.StartsWith("tests/", StringComparison.Ordinal) && !file.StartsWith("bench/", StringComparison.Ordinal)))
        {
            var room = Path.GetDirectoryName(project)!.Replace('\\', '/');
            Assert.True(Allowed.TryGetValue(room, out var allowed), $"{room} is a new room: say here what it may lean on");
            var leansOn = XDocument.Load(Path.Combine(Repo.Root, project)).Descendants("ProjectReference")
                .Select(reference => Path.GetRelativePath(Repo.Root, Path.GetFullPath(Path.Combine(Repo.Root, room, reference.Attribute("Include")!.Value, ".."))).Replace('\\', '/'));
            Assert.Empty(leansOn.Except(allowed));
        }
    }

    [Fact]
    public void Words_need_nothing()
    {
        Assert.Empty(XDocument.Load(Path.Combine(Repo.Root, "src/Messages/Messages.csproj")).Descendants("PackageReference"));
        Assert.All(
            typeof(Messages.Envelope).Assembly.GetReferencedAssemblies(),
            name => Assert.True(name.Name!.StartsWith("System.", StringComparison.Ordinal), name.Name));
    }

    [Fact]
    public void Only_the_shell_knows_the_engine()
    {
        var guilty = Repo.Files("*.cs")
            .Where(file => file.StartsWith("src/Actors/", StringComparison.Ordinal) && !file.StartsWith("src/Actors/Shell/", StringComparison.Ordinal))
            .Where(file => File.ReadLines(Path.Combine(Repo.Root, file)).Any(line => Engine().IsMatch(line)));
        Assert.Empty(guilty);
    }

    [Fact]
    public void Files_stay_short()
    {
        var sizes = Repo.Files("*.cs").ToDictionary(file => file, file => File.ReadLines(Path.Combine(Repo.Root, file)).Count());
        Assert.Empty(sizes.Where(file => file.Value > Long.GetValueOrDefault(file.Key, LinesMax)).Select(file => $"{file.Key}: {file.Value} lines"));
        Assert.Empty(Long.Keys.Where(file => sizes.GetValueOrDefault(file) <= LinesMax).Select(file => $"{file} is short now: take it off the list"));
    }

    [Fact]
    public void Lines_are_wrapped()
    {
        var wide = Repo.Files("*.cs").Where(file => Wrapped.Any(room => file.StartsWith(room, StringComparison.Ordinal)))
            .SelectMany(file => File.ReadLines(Path.Combine(Repo.Root, file)).Index()
                .Where(line => line.Item.Length > ColumnsMax).Select(line => $"{file}:{line.Index + 1}"));
        Assert.Empty(wide);
    }

    [Fact]
    public void Files_are_named_after_what_they_are()
    {
        Assert.DoesNotContain(Repo.Files("*.cs"), file => Vague().IsMatch(Path.GetFileNameWithoutExtension(file)));
    }

    [GeneratedRegex(@"^\s*(global\s+)?using\s+(static\s+)?(\w+\s*=\s*)?Akka\b|^(?!\s*//).*\bAkka\.\w")]
    private static partial Regex Engine();

    [GeneratedRegex("Manager|Helper|Util")]
    private static partial Regex Vague();
}
