using System.Collections.Concurrent;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// Entities of which somebody else was seen to write while a peer is out of reach: the other side of a partition acts for them.
/// This node would read what that side wrote and go on from there until it is told to end, one history with two writers in turn;
/// so it leaves them alone until it reaches all its peers again, or ends. Changed and read by several threads.
/// </summary>
sealed class YieldedEntities
{
    readonly ConcurrentDictionary<string, byte> _entities = new(StringComparer.Ordinal);
    volatile bool _parted;

    /// <summary>A peer is out of reach. As soon as none is, nothing is yielded.</summary>
    public bool Parted
    {
        get => _parted;
        set
        {
            _parted = value;
            if (!value)
            {
                _entities.Clear();
            }
        }
    }

    /// <summary>As many as this node has in memory at most: who is not there writes nothing that could be fenced.</summary>
    public int Count => _entities.Count;

    public bool Has(string persistenceId) => _entities.ContainsKey(persistenceId);

    /// <summary>Another incarnation had written first.</summary>
    public void Fenced(string persistenceId)
    {
        if (_parted)
        {
            _entities.TryAdd(persistenceId, 0);
        }
    }
}
