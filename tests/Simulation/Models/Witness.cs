using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;

namespace ControlPlane.Simulation;

/// <summary>
/// A node's word with the database and with its peers, as <see cref="Membership"/> and <see cref="DatabaseWitness"/> have it:
/// when it ends because it is cut off is decided by the production rule.
/// </summary>
sealed class Witness(World world, Node node)
{
    readonly CutOff _rule = new();
    long _seen;
    bool _answered;

    /// <summary>Since the database last answered this node, by its clock.</summary>
    TimeSpan Silent => node.Process.Clock.GetElapsedTime(_seen) + (_answered ? TimeSpan.Zero : CutOff.AtStart);

    public void Begin()
    {
        _seen = node.Process.Clock.GetTimestamp();
        Every(Numbers.HeartbeatEvery, Beat);
        After(world.Simulator.Luck.Between("witness.phase", TimeSpan.Zero, Numbers.HeartbeatEvery), () => Every(Numbers.HeartbeatEvery, Look));
    }

    void Every(TimeSpan period, Action what) => After(period, () =>
    {
        what();
        Every(period, what);
    });

    /// <summary>By the node's clock.</summary>
    void After(TimeSpan delay, Action what) => node.Process.After(delay / node.Process.Clock.Rate, what);

    void Beat()
    {
        if (world.Journal.Reaches(node.Process))
        {
            _seen = node.Process.Clock.GetTimestamp();
            _answered = true;
        }
        world.Cluster.Refresh(node);
    }

    void Look()
    {
        if (!_rule.Look(Silent))
        {
            return;
        }
        var (number, peers) = node.Peers;
        world.Check.Cluster.Acts(node, Cluster.Members, number);
        foreach (var peer in peers)
        {
            world.Network.Tell(node.Process, peer.Process, () =>
            {
                var ago = peer.Witness.Silent;
                world.Network.Tell(peer.Process, node.Process, () => Hear(ago));
            });
        }
    }

    void Hear(TimeSpan peerSilent)
    {
        var over = world.Mutant switch
        {
            Mutant.CutNodeStays => false,
            Mutant.OneWordBelieved => Silent >= Numbers.DatabaseSilentMax && peerSilent < Numbers.DatabaseSeenMax,
            _ => _rule.Hear(Silent, peerSilent),
        };
        if (over)
        {
            world.Check.Cluster.DepartsAsCutOff(node);
            world.Cluster.Depart(node, "cut-off");
        }
    }
}
