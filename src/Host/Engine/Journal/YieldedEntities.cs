namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// Entities for which somebody else may act, seen while a peer is out of reach: their last event is not this node's, or came
/// before one of its own. In a partition the other side has begun with them, and going on from there would give one history two
/// writers in turn, until this side is told to end. So they are left alone until all peers are within reach again, or this node
/// ends. Called by several threads.
/// </summary>
sealed class YieldedEntities
{
    readonly Lock _lock = new();
    readonly HashSet<string> _entities = new(StringComparer.Ordinal);
    bool _parted;

    /// <summary>A peer is out of reach. As soon as none is, nothing is yielded.</summary>
    public bool Parted
    {
        get
        {
            lock (_lock)
            {
                return _parted;
            }
        }

        set
        {
            lock (_lock)
            {
                _parted = value;
                if (!value)
                {
                    _entities.Clear();
                }
            }
        }
    }

    /// <summary>As many as this node had in memory, or was asked for, while a peer was out of reach.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entities.Count;
            }
        }
    }

    public bool Has(string persistenceId)
    {
        lock (_lock)
        {
            return _entities.Contains(persistenceId);
        }
    }

    /// <summary>Another incarnation had written first, or nobody has looked yet whose the last event is.</summary>
    public void Yield(string persistenceId)
    {
        lock (_lock)
        {
            if (_parted)
            {
                _entities.Add(persistenceId);
            }
        }
    }

    /// <summary>The last event is this node's own: nobody else has begun.</summary>
    public void Keep(string persistenceId)
    {
        lock (_lock)
        {
            _entities.Remove(persistenceId);
        }
    }
}
