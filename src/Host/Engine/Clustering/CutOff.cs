namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// The rule by which a node that is cut from the database ends, without its surroundings: once in each
/// <see cref="Numbers.HeartbeatEvery"/> it looks, and what its peers say counts for the look before. It is cut off when in
/// <see cref="Numbers.DatabaseLooks"/> looks in a row a peer had the database and this node had not
/// (reliability.md 9 I36, 10 F7).
/// </summary>
sealed class CutOff
{
    /// <summary>
    /// The silence with which a process begins: a start is no answer of the database, and a peer that asks must not take it for
    /// one.
    /// </summary>
    public static readonly TimeSpan AtStart = Numbers.DatabaseSeenMax;

    bool _heard;
    int _looks;

    /// <summary>A look begins.</summary>
    /// <param name="silent">Since the database last answered this node.</param>
    /// <returns>The peers are to be asked.</returns>
    public bool Look(TimeSpan silent)
    {
        _looks = _heard ? _looks : 0;
        _heard = false;
        return silent >= Numbers.DatabaseSilentMax;
    }

    /// <summary>A peer's word; many within one look count once.</summary>
    /// <param name="silent">Since the database last answered this node.</param>
    /// <param name="peerSilent">Since it last answered the peer, when that said so.</param>
    /// <returns>This node is cut off, and ends.</returns>
    public bool Hear(TimeSpan silent, TimeSpan peerSilent)
    {
        if (_heard || peerSilent >= Numbers.DatabaseSeenMax || silent < Numbers.DatabaseSilentMax)
        {
            return false;
        }
        _heard = true;
        return ++_looks == Numbers.DatabaseLooks;
    }
}
