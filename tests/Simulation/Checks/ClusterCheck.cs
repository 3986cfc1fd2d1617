using ControlPlane.Actors.Entities;
using ControlPlane.Host.Engine;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What nodes may do of which others took over: I35, I36, I37 and the rule for one that stood still (reliability.md 4.4 rule 13).</summary>
sealed class ClusterCheck(World world)
{
    /// <summary>
    /// Three heartbeats until it asks, then the looks in a row; two heartbeats more, as looks and heartbeats have their own
    /// phases, clocks drift, and a peer whose journal has just come back has to notice that first.
    /// </summary>
    static readonly TimeSpan CutOffMax = Numbers.DatabaseSilentMax + ((Numbers.DatabaseLooks + 2) * Numbers.HeartbeatEvery);

    /// <summary>Longer than that, whatever its clock and wherever its watch was: it knows.</summary>
    static readonly TimeSpan StoodStillMax = Numbers.PauseMax + Numbers.PauseLookEvery;

    /// <summary>reliability.md 10 F5.</summary>
    static readonly TimeSpan WokenMax = TimeSpan.FromSeconds(1);

    readonly Dictionary<int, long> _read = [];
    readonly Dictionary<EntityId, (Process Process, long Sequence)> _last = [];
    readonly Dictionary<(Node, string), long> _heard = [];
    readonly Dictionary<(Node, Node), TimeSpan> _cutOffSince = [];
    readonly Dictionary<Node, TimeSpan> _woken = [];

    public void FellBack() => _last.Clear();

    /// <summary>An incarnation has read the journal up to here.</summary>
    public void Read(int incarnation, long sequence) => _read[incarnation] = sequence;

    /// <summary>I35: who did not read what another node has written for an entity does not write for it any more.</summary>
    public void Stored(StoredEvent row, Writer writer)
    {
        var (id, shard) = (row.Entity, World.ShardOf(row.Entity));
        if (_last.TryGetValue(id, out var last) && last.Process != writer.Process)
        {
            if (last.Sequence > _read.GetValueOrDefault(writer.Incarnation))
            {
                world.Check.Violate("I35", $"{id}#{row.Sequence}: {writer.Process.Name} appends, and has not read what {last.Process.Name} appended at {last.Sequence}");
            }
            Count("shard.at-two-nodes", last.Process.Alive);
        }
        _last[id] = (writer.Process, row.Sequence);
        if (world.Homes.Decided(shard) is { } home)
        {
            Count("shard.stored-by-former-home", home.Process != writer.Process);
            Count("shard.stored-by-former-home-after-the-new", home.Process != writer.Process && last.Process == home.Process);
        }
    }

    /// <summary>News have reached a node.</summary>
    public void Heard(Node node, string what, long number) => _heard[(node, what)] = Math.Max(number, _heard.GetValueOrDefault((node, what)));

    /// <summary>I37: a node never acts by older news than it has heard.</summary>
    public void Acts(Node node, string what, long number)
    {
        if (number < _heard.GetValueOrDefault((node, what)))
        {
            world.Check.Violate("I37", $"{node.Name} acts by number {number} of {what}, and has heard number {_heard[(node, what)]}");
        }
    }

    public void Woke(Node node, TimeSpan stood)
    {
        if (stood > StoodStillMax)
        {
            _woken[node] = world.Simulator.Elapsed;
        }
    }

    /// <summary>F12: a journal that is away for all ends nobody.</summary>
    public void DepartsAsCutOff(Node node)
    {
        if (!world.Journal.WasCut(node.Process, Numbers.DatabaseSilentMax))
        {
            world.Check.Violate("reliability.md 10 F12", $"{node.Name} ends as cut off, and nobody reached the journal");
        }
    }

    /// <summary>After each step.</summary>
    public void Look()
    {
        if (world.Journal.SomebodyCut || _cutOffSince.Count > 0)
        {
            LookForCut();
        }
        foreach (var (node, at) in _woken)
        {
            if (node.Process is { Alive: true, Paused: false } && world.Simulator.Elapsed - at > WokenMax)
            {
                world.Check.Violate("reliability.md 4.4 rule 13", $"{node.Name} stood still for longer than its peers wait, and goes on");
            }
        }
    }

    /// <summary>I36: who is cut from the journal, while a peer that it hears of reaches it, has ended within the bound.</summary>
    void LookForCut()
    {
        foreach (var node in world.Nodes)
        {
            foreach (var peer in world.Nodes.Where(peer => peer != node))
            {
                if (!CutOff(node, peer))
                {
                    _cutOffSince.Remove((node, peer));
                }
                else if (!_cutOffSince.TryAdd((node, peer), world.Simulator.Elapsed) && world.Simulator.Elapsed - _cutOffSince[(node, peer)] is var since && since > CutOffMax)
                {
                    world.Check.Violate("I36", $"{node.Name} has not reached the journal for {since.TotalSeconds:F1} s, {peer.Name} has, and it goes on with {node.Living.Count()} entities");
                }
            }
        }
    }

    bool CutOff(Node node, Node peer) => Runs(node) && Runs(peer) && !world.Journal.Reaches(node.Process) && world.Journal.Reaches(peer.Process)
        && node.Peers.Nodes.Contains(peer) && !world.Network.IsCut(node.Name, peer.Name) && !world.Network.IsCut(peer.Name, node.Name);

    static bool Runs(Node node) => node.Process is { Alive: true, Paused: false };

    void Count(string name, bool so) => world.Struck.Count(name, so ? 1 : 0);
}
