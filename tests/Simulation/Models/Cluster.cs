using System.Globalization;
using ControlPlane.Actors.Shell;

namespace ControlPlane.Simulation;

/// <summary>Who has which shard, and the ways in which that changes: hand-over, death, and a node that was given up too soon.</summary>
sealed class Cluster(World world)
{
    static readonly TimeSpan DeathNoticed = TimeSpan.FromSeconds(3);
    static readonly TimeSpan HandOverMax = TimeSpan.FromSeconds(10);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Restart = TimeSpan.FromSeconds(4);

    int _starts;

    IEnumerable<Node> Living => world.Nodes.Where(node => node.Process.Alive);

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
        return node;
    }

    /// <summary>Without a last word. Another takes its shards when it is missed, and a new one starts.</summary>
    public void Crash(Node node)
    {
        world.Say($"{node.Name} dies");
        node.Process.Kill();
        world.BreakConnections(node.Process, atOnce: true);
        var shards = world.ShardsOf(node);
        foreach (var shard in shards)
        {
            world.Unsettle(shard);
        }
        world.Simulator.After(DeathNoticed, null, () => SettleAll(shards));
        world.Simulator.After(Restart, null, () =>
        {
            world.Nodes.Remove(node);
            StartNode();
            SettleAll(shards);
        });
    }

    /// <summary>In order: the entities end, then the other node is told.</summary>
    public void HandOver(Node from, string shard, Node to)
    {
        world.Say($"shard {shard} is handed over from {from.Name} to {to.Name}");
        world.Unsettle(shard);
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
        world.Settle(shard, to);
        world.Simulator.After(learns, from.Process, () =>
        {
            if (world.Home(shard) != from)
            {
                from.Drop(shard);
            }
        });
    }

    /// <summary>
    /// Somebody looks again and again for what is owed and nobody works at: an entity may have stored something after its
    /// shard was given away, and a write may be stored after everybody who waited for it is gone.
    /// </summary>
    public void Supervise() => world.Simulator.After(LookEvery, null, () =>
    {
        foreach (var shard in world.Check.Shards.Where(world.Settled).ToList())
        {
            if (world.Check.Owing(shard).Any() && world.Home(shard) is { } home)
            {
                WakeOwing(shard, home);
            }
        }
        Supervise();
    });

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
}
