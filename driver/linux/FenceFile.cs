namespace ControlPlane.DriverLinux;

/// <summary>The highest epoch seen of a NIC; a tombstone says that this epoch ended with a deletion.</summary>
sealed record Fence(long Epoch, bool Tombstone);

/// <summary>
/// The host's memory of grant epochs. It is what stops a late command of an older incarnation when the device, whose
/// alias would tell, is gone. A fence is on disk before the command that raised it touches the kernel.
/// Missing or damaged, it is not guessed: nothing is created until the cluster has told its fences.
/// </summary>
sealed class FenceFile
{
    readonly StateLog<Fence> _log;

    /// <summary>Seen while the memory is unknown. Not written: half a memory would look whole after a restart.</summary>
    readonly Dictionary<string, Fence> _seen = new(StringComparer.Ordinal);

    public FenceFile(string stateDirectory)
    {
        _log = new StateLog<Fence>(Path.Combine(stateDirectory, "fences.log"), durable: true);
        Known = _log.Whole;
    }

    /// <summary>False: the file was lost and the cluster has not told its fences yet.</summary>
    public bool Known { get; private set; }

    public Fence Of(string nicKey) =>
        (Known ? _log.Entries : _seen).GetValueOrDefault(nicKey) ?? new Fence(0, Tombstone: false);

    /// <summary>Written only when something rises, so once per epoch and once per deletion.</summary>
    public void Raise(string nicKey, long epoch, bool tombstone)
    {
        var now = Of(nicKey);
        if (epoch > now.Epoch || (epoch == now.Epoch && tombstone && !now.Tombstone))
        {
            Put(nicKey, new Fence(epoch, tombstone));
        }
    }

    /// <summary>What the cluster knows, joined with what was seen here meanwhile.</summary>
    public void Learn(IReadOnlyDictionary<string, long> highestEpochs)
    {
        var joined = new Dictionary<string, Fence>(Known ? _log.Entries : _seen, StringComparer.Ordinal);
        foreach (var (nicKey, epoch) in highestEpochs)
        {
            if (epoch > Of(nicKey).Epoch)
            {
                joined[nicKey] = new Fence(epoch, Tombstone: false);
            }
        }

        _log.Replace(joined);
        _seen.Clear();
        Known = true;
    }

    void Put(string nicKey, Fence fence)
    {
        if (Known)
        {
            _log.Put(nicKey, fence);
        }
        else
        {
            _seen[nicKey] = fence;
        }
    }
}
