using ControlPlane.Messages;

namespace ControlPlane.Agent;

/// <summary>
/// The newest command of each NIC that one session has brought. On their way commands may overtake each other, and a cluster
/// node that does not know that it was replaced may hand an old one again: it is refused here, since a device that is gone, or
/// was made by somebody else, cannot. A NIC whose deletion succeeded needs no entry, as the driver keeps its tombstone; so there
/// are at most as many entries as NICs on the host. An older session's commands are not taken at all, so nothing is kept on disk.
/// The caller holds the desk's lock.
/// </summary>
sealed class NewestCommands
{
    readonly Dictionary<string, CommandPlace> _newest = new(StringComparer.Ordinal);

    public int Count => _newest.Count;

    public void Clear() => _newest.Clear();

    /// <summary>The newer command that has come before this one; null: there is none, and this one is the newest now.</summary>
    public CommandPlace? Before(DriverCommand command)
    {
        if (CommandPlace.Of(command) is not { } place)
        {
            return null;
        }
        if (_newest.TryGetValue(command.NicKey, out var newest) && place < newest)
        {
            return newest;
        }
        _newest[command.NicKey] = place;
        return null;
    }

    public void Completed(DriverCommand command, Completion completion)
    {
        if (command.Verb == DriverVerb.DeleteNic && completion.Status == NdisStatus.Success
            && CommandPlace.Of(command) is { } place && _newest.GetValueOrDefault(command.NicKey) == place)
        {
            _newest.Remove(command.NicKey);
        }
    }
}
