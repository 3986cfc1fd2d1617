using System.Globalization;
using System.Security.Cryptography;
using System.Text;

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
    readonly string _path;
    readonly Dictionary<string, Fence> _fences = [];

    public FenceFile(string stateDirectory)
    {
        _path = Path.Combine(stateDirectory, "fences.json");
        if (StateFile.Read<Content>(_path) is { Nics: not null } content
            && !content.Nics.ContainsValue(null!)
            && content.Checksum == Checksum(content.Nics))
        {
            _fences = new(content.Nics);
            Known = true;
        }
    }

    /// <summary>False: the file was lost and the cluster has not told its fences yet.</summary>
    public bool Known { get; private set; }

    public Fence Of(string nicKey) => _fences.GetValueOrDefault(nicKey) ?? new Fence(0, Tombstone: false);

    /// <summary>Written only when something rises, so once per epoch and once per deletion.</summary>
    public void Raise(string nicKey, long epoch, bool tombstone)
    {
        var now = Of(nicKey);
        if (epoch > now.Epoch || (epoch == now.Epoch && tombstone && !now.Tombstone))
        {
            _fences[nicKey] = new Fence(epoch, tombstone);
            try
            {
                Write();
            }
            catch
            {
                // Not on disk, so not raised: the next command must try the writing again.
                _fences[nicKey] = now;
                throw;
            }
        }
    }

    /// <summary>What the cluster knows, joined with what was seen here meanwhile.</summary>
    public void Learn(IReadOnlyDictionary<string, long> highestEpochs)
    {
        foreach (var (nicKey, epoch) in highestEpochs)
        {
            if (epoch > Of(nicKey).Epoch)
            {
                _fences[nicKey] = new Fence(epoch, Tombstone: false);
            }
        }

        Known = true;
        Write();
    }

    void Write()
    {
        // An unknown memory stays unknown on disk: half of it would look like all of it after a restart.
        if (Known)
        {
            var nics = new SortedDictionary<string, Fence>(_fences, StringComparer.Ordinal);
            StateFile.Write(_path, new Content(Checksum(nics), nics), durable: true);
        }
    }

    static string Checksum(SortedDictionary<string, Fence> nics)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, fence) in nics.OrderBy(nic => nic.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"{key}\0{fence.Epoch}\0{fence.Tombstone}\n")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    sealed record Content(string Checksum, SortedDictionary<string, Fence> Nics);
}
