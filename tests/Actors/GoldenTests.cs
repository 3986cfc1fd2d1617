using System.Text;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>
/// What was stored once is read for ever. Each stored name has a file in Golden, written when the name was new. A file
/// is changed only before the first release; afterwards the word gets the next version and an up-caster.
/// CONTROLPLANE_WRITE_GOLDEN=1 writes the files that are missing; to renew one before the release, delete it first.
/// </summary>
public sealed class GoldenTests
{
    static readonly string Folder = Path.Combine(Repo.Root, "tests", "Actors", "Golden");

    static bool Writes => Environment.GetEnvironmentVariable("CONTROLPLANE_WRITE_GOLDEN") == "1";

    public static IEnumerable<object[]> Stored =>
        StoredNames.All
            .Where(name => StoredNames.TypeOf(name) is { } type && (type.IsSubclassOf(typeof(Event)) || type.IsSubclassOf(typeof(Reply))))
            .Select(name => new object[] { name });

    static string FileOf(string name) => Path.Combine(Folder, $"{name}.json");

    [Theory]
    [MemberData(nameof(Stored))]
    public void Stored_word_is_read_and_written_as_ever(string name)
    {
        if (Writes && !File.Exists(FileOf(name)))
        {
            File.WriteAllBytes(FileOf(name), StoredNames.Encode(Sample.Of(StoredNames.TypeOf(name)!)));
        }
        Assert.True(File.Exists(FileOf(name)), $"{name} has no golden file: CONTROLPLANE_WRITE_GOLDEN=1 writes it");
        var golden = File.ReadAllBytes(FileOf(name));
        Assert.Equal(Encoding.UTF8.GetString(golden), Encoding.UTF8.GetString(StoredNames.Encode(StoredNames.Decode(name, golden))));
        Assert.Equal(Encoding.UTF8.GetString(golden), Encoding.UTF8.GetString(StoredNames.Encode(Sample.Of(StoredNames.TypeOf(name)!))));
    }

    [Fact]
    public void No_golden_file_is_without_its_word()
    {
        var known = Stored.Select(name => $"{name[0]}.json").Append("row.json");
        Assert.Empty(Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileName(file)).Except(known));
    }

    /// <summary>A word that is new says since which wire version it is there: nodes of a release before could not read it.</summary>
    [Fact]
    public void Every_word_is_spoken_since_the_same_wire_version_as_ever()
    {
        var lines = string.Concat(StoredNames.All.Select(name => $"{name} {StoredNames.Since(name)}\n"));
        if (Writes)
        {
            File.WriteAllText(Path.Combine(Folder, "wire.txt"), lines);
        }
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "wire.txt")), lines);
        Assert.All(StoredNames.All, name => Assert.InRange(StoredNames.Since(name), 1, StoredNames.Wire));
    }

    [Fact]
    public void Row_is_read_and_its_hash_holds_as_ever()
    {
        var row = StoredEvent.Make(
            EntityId.Vm("web-1"), 7, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "operator:ann", "vm/web-1#6", "corr", "op", "msg", "body",
            [StoredAnswer.Of("msg", new Done(), null), StoredAnswer.Of("old", null, new Refusal(RefusalKind.Conflict, "code", "Detail."))],
            new VmDeleted(), StoredEvent.NoHash);
        var file = Path.Combine(Folder, "row.json");
        if (Writes && !File.Exists(file))
        {
            File.WriteAllBytes(file, StoredJson.Write(row));
        }
        var golden = File.ReadAllBytes(file);
        Assert.True(StoredJson.Read("VmDeleted.1", golden).HashHolds());
        Assert.Equal(Encoding.UTF8.GetString(golden), Encoding.UTF8.GetString(StoredJson.Write(row)));
    }

    [Fact]
    public void Every_event_and_reply_has_a_stored_name()
    {
        var words = typeof(Event).Assembly.GetTypes().Where(type => !type.IsAbstract && (type.IsSubclassOf(typeof(Event)) || type.IsSubclassOf(typeof(Reply))));
        var named = StoredNames.All.Select(StoredNames.TypeOf).ToHashSet();
        Assert.Empty(words.Where(word => !named.Contains(word)).Select(word => word.Name));
    }
}
