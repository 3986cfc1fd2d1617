using ControlPlane.DriverLinux;

namespace ControlPlane.Kernel.Tests;

/// <summary>The small tables that a host keeps on disk.</summary>
public sealed class StateLogTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("state-log").FullName;

    string File => Path.Combine(_folder, "fences.log");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_put_is_there_after_a_restart_and_what_was_removed_is_not()
    {
        var log = Written(("a", 1), ("b", 2), ("a", 3));
        log.Remove("b");

        var again = Open();

        Assert.True(again.Whole);
        Assert.Equal(["a"], again.Entries.Keys);
        Assert.Equal(3, again.Entries["a"].Epoch);
    }

    [Fact]
    public void Missing_file_is_not_whole_until_it_is_written()
    {
        Assert.False(Open().Whole);
        Written(("a", 1));
        Assert.True(Open().Whole);
    }

    [Fact]
    public void Line_that_was_changed_moved_or_torn_is_seen_and_what_stood_before_it_is_kept()
    {
        Written(("a", 1), ("b", 2), ("c", 3));
        var lines = System.IO.File.ReadAllLines(File);
        string[][] damaged =
        [
            [lines[0], lines[1], lines[2].Replace("\"Epoch\":2", "\"Epoch\":9", StringComparison.Ordinal), lines[3]],
            [lines[0], lines[1], lines[3], lines[2]],
            [lines[0], lines[1], lines[3]],
        ];
        foreach (var text in damaged.Select(all => string.Join('\n', all) + '\n').Append(string.Join('\n', lines[..3]) + '\n' + lines[3][..20]))
        {
            System.IO.File.WriteAllText(File, text);
            var log = Open();
            Assert.False(log.Whole, text);
            Assert.Equal(1, log.Entries["a"].Epoch);
            Assert.DoesNotContain("c", log.Entries.Keys);
        }
    }

    [Fact]
    public void History_is_dropped_when_it_is_most_of_the_file()
    {
        var log = Written(("a", 1));
        for (var epoch = 2; epoch <= 3_000; epoch++)
        {
            log.Put("a", new Fence(epoch, Tombstone: false));
        }

        Assert.InRange(System.IO.File.ReadAllLines(File).Length, 2, 1_100);
        Assert.Equal(3_000, Open().Entries["a"].Epoch);
    }

    StateLog<Fence> Open() => new(File, durable: false);

    StateLog<Fence> Written(params (string Key, long Epoch)[] puts)
    {
        var log = Open();
        foreach (var (key, epoch) in puts)
        {
            log.Put(key, new Fence(epoch, Tombstone: false));
        }

        return log;
    }
}
