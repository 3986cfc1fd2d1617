using System.Globalization;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;

namespace ControlPlane.Simulation;

/// <summary>Who is a member, and the ways in which shards move: hand-over, death, and a node that was given up while it goes on.</summary>
sealed class Cluster(World world)
{
    static readonly TimeSpan DeathNoticed = TimeSpan.FromSeconds(3);
    static readonly TimeSpan HandOverMax = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Restart = TimeSpan.FromSeconds(4);

    static readonly TimeSpan WordsMax = TimeSpan.FromMilliseconds(20);

    /// <summary>What nodes hear of who is a member, under a number.</summary>
    public const string Members = "the members";

    readonly Resolver _resolver = new(world);
    readonly HashSet<Node> _out = [];
    IReadOnlyList<Node> _members = [];
    long _membersNumber;
    int _starts;

    /// <summary>Members: who was removed is none, and may not know.</summary>
    public IEnumerable<Node> Living => world.Nodes.Where(node => node.Process.Alive && !_out.Contains(node));

    /// <summary>Null: no node lives.</summary>
    public Node? Place()
    {
        var living = Living.ToList();
        return living.Count == 0 ? null : world.Simulator.Luck.Pick("cluster.place", living);
    }

    public Node StartNode()
    {
        var node = new Node(world, string.Create(CultureInfo.InvariantCulture, $"node{++_starts}"));
        world.Nodes.Add(node);
        world.Say($"{node.Name} starts");
        ChangeMembers();
        if (world.Options.Nodes > 1)
        {
            node.Witness.Begin();
        }
        return node;
    }

    /// <summary>Nobody of the others and the node hear each other.</summary>
    public bool Isolated(Node node)
    {
        var others = world.Nodes.Where(other => other != node && other.Process.Alive).ToList();
        return others.Count > 0 && others.TrueForAll(other => world.Network.IsCut(node.Name, other.Name) || world.Network.IsCut(other.Name, node.Name));
    }

    /// <summary>The node asks for what it may have missed.</summary>
    public void Refresh(Node node)
    {
        if (!Isolated(node) && !_out.Contains(node))
        {
            node.Learn(_membersNumber, _members);
            world.Homes.Refresh(node);
        }
    }

    /// <summary>It ends by its own rule, as if killed, and is started again.</summary>
    public void Depart(Node node, string why)
    {
        if (node.Process.Alive)
        {
            world.Struck.Count("node.departed." + why);
            world.Say($"{node.Name} departs: {why}");
            Crash(node);
        }
    }

    /// <summary>Without a last word. Another takes its shards when it is missed, and a new one starts.</summary>
    public void Crash(Node node)
    {
        world.Say($"{node.Name} dies");
        node.Process.Kill();
        world.BreakConnections(node.Process, atOnce: true);
        var shards = world.Homes.At(node);
        foreach (var shard in shards)
        {
            world.Homes.Unsettle(shard);
        }
        world.Simulator.After(DeathNoticed, null, () =>
        {
            ChangeMembers();
            SettleAll(shards);
        });
        world.Simulator.After(Restart, null, () =>
        {
            world.Nodes.Remove(node);
            StartNode();
            SettleAll(shards);
        });
    }

    /// <summary>A node and all its peers have stopped to hear each other.</summary>
    public void Suspect(Node node) => _resolver.Suspect(node);

    /// <summary>The others go on without nodes that may live: what these had is given to members.</summary>
    public void Remove(IReadOnlyList<Node> nodes)
    {
        _out.UnionWith(nodes);
        ChangeMembers();
        foreach (var shard in nodes.SelectMany(world.Homes.At).ToList())
        {
            if (Place() is { } home)
            {
                world.Settle(shard, home);
            }
        }
    }

    /// <summary>
    /// A node that stood still goes on; unless that was so long that its watch ends it, which was in the middle of a look then,
    /// and whose thread may be the last to run again.
    /// </summary>
    public void Wake(Node node, TimeSpan stood)
    {
        var seen = (stood + world.Simulator.Luck.Between("pause.look", TimeSpan.Zero, Numbers.PauseLookEvery)) * node.Process.Clock.Rate;
        var over = PauseWatch.TooLong(seen) && world.Mutant != Mutant.WokenNodeGoesOn;
        if (over && world.Simulator.Luck.Next("pause.first-words", 2) == 0)
        {
            Depart(node, "stood-still");
            return;
        }
        node.Process.Continue();
        world.Check.Cluster.Woke(node, stood);
        if (over)
        {
            world.Simulator.After(world.Simulator.Luck.Between("pause.words", TimeSpan.Zero, WordsMax), node.Process, () => Depart(node, "stood-still"));
        }
    }

    /// <summary>In order: the entities end, then the other node is told.</summary>
    public void HandOver(Node from, string shard, Node to)
    {
        world.Say($"shard {shard} is handed over from {from.Name} to {to.Name}");
        world.Homes.Unsettle(shard);
        from.HandOver(shard);
        Wait(world.Simulator.Elapsed + HandOverMax);

        void Wait(TimeSpan until) => world.Simulator.After(TimeSpan.FromMilliseconds(20), null, () =>
        {
            if (from.Process.Alive && from.Holds(shard) && world.Simulator.Elapsed < until)
            {
                Wait(until);
                return;
            }
            from.Drop(shard);
            world.Settle(shard, to.Process.Alive ? to : Living.FirstOrDefault() ?? to);
        });
    }

    /// <summary>The node is given up while it lives: until it learns that, both have the shard.</summary>
    public void Twin(Node from, string shard, Node to, TimeSpan learns)
    {
        world.Say($"shard {shard} is given to {to.Name} while {from.Name} goes on with it for {learns.TotalSeconds:F1} s");
        world.Homes.Unaware(from, shard);
        world.Settle(shard, to);
        world.Simulator.After(learns, from.Process, () => world.Homes.Aware(from, shard));
    }

    /// <summary>What the shard's entities still owe must not wait until somebody happens to speak to them.</summary>
    public void WakeOwing(string shard, Node home)
    {
        foreach (var id in world.Check.Owing(shard))
        {
            world.Simulator.After(TimeSpan.FromMilliseconds(100), home.Process, () => world.Route(home, id, new Wake(id), null));
        }
    }

    void SettleAll(IEnumerable<string> shards)
    {
        foreach (var shard in shards)
        {
            if (!world.Settled(shard) && Place() is { } home)
            {
                world.Settle(shard, home);
            }
        }
    }

    /// <summary>Who is there now is told to all of them.</summary>
    void ChangeMembers()
    {
        var (number, members) = (++_membersNumber, Living.ToList());
        _members = members;
        foreach (var member in members)
        {
            world.Network.News(members[0].Process, member.Process, () => member.Learn(number, members));
        }
    }
}
