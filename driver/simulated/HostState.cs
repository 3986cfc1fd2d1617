using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>The highest epoch seen of a NIC; a tombstone says that this epoch ended with a deletion.</summary>
sealed record Fence(long Epoch, bool Tombstone);

/// <summary>A reservation on a switch.</summary>
sealed record ReservedPort(string Switch, string Port);

/// <summary>What a simulated host is: the same thing in memory and in its file.</summary>
sealed record HostState
{
    public required string BootId { get; set; }

    public required long StreamEpoch { get; set; }

    /// <summary>False: the fences were lost, and nothing is created until the cluster has told its own.</summary>
    public bool FencesKnown { get; set; }

    public SortedSet<string> Switches { get; init; } = new(StringComparer.Ordinal);

    public HashSet<ReservedPort> Ports { get; init; } = [];

    /// <summary>By device name.</summary>
    public SortedDictionary<string, DeviceState> Devices { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What is enforced for each NIC, by device name; none: nothing is.</summary>
    public SortedDictionary<string, PortPolicy> Policies { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What each NIC's data path has gathered, by device name.</summary>
    public SortedDictionary<string, NicRuntime> Runtimes { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Rounds of announcements that went out for each NIC, by NIC key.</summary>
    public SortedDictionary<string, int> Announced { get; init; } = new(StringComparer.Ordinal);

    /// <summary>By NIC key.</summary>
    public SortedDictionary<string, Fence> Fences { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Null when there is none, or it is not what it should be: a damaged file is a lost one, never half a truth.</summary>
    public static HostState? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<HostState>(File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The file is the old one or the new one. It is not synced: a simulated host survives a process, not a machine.</summary>
    public void Write(string path)
    {
        var temporary = path + ".new";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(this));
        File.Move(temporary, path, overwrite: true);
    }
}
