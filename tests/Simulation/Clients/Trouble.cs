using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>Takes things away for a while, again and again, until the run is healed.</summary>
sealed class Trouble(World world, TimeSpan every)
{
    static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan Long = TimeSpan.FromSeconds(15);

    readonly List<Action> _mendings = [];

    Choices Luck => world.Simulator.Luck;

    public void Begin() => Next();

    /// <summary>What is away comes back now.</summary>
    public void Mend()
    {
        foreach (var mending in _mendings.ToList())
        {
            mending();
        }
    }

    void Next() => world.Simulator.After(Luck.Between("trouble.pause", every / 4, every * 2), null, () =>
    {
        if (!world.Healed)
        {
            Strike();
            Next();
        }
    });

    void Strike()
    {
        var (cluster, host) = (world.Options.Cluster, world.Options.Host);
        var kinds = new List<(string Name, Action Strike)> { ("nothing", () => { }) };
        Add(cluster.Crash, "node.crash", Crash);
        Add(cluster.Pause, "node.pause", Pause);
        Add(cluster.HandOver, "shard.hand-over", HandOver);
        Add(cluster.Twin, "shard.twin", Twin);
        Add(cluster.Clock, "clock.jump", Jump);
        Add(cluster.Cut, "net.partition", CutNodes);
        Add(cluster.JournalAway, "journal.goes", JournalAway);
        Add(host.Crash, "agent.crash", KillAgent);
        Add(host.Hang, "agent.hang", HangAgent);
        Add(host.Drift, "host.drift", Drift);
        Add(host.Reboot, "host.reboot", Reboot);
        Add(host.FencesLost, "host.fences-lost", LoseFences);
        Add(host.Cut, "host.cut", CutHost);
        Add(host.Refused > 0, "driver.refuses", () => Refuse([DriverVerb.CreatePort, DriverVerb.CreateNic, DriverVerb.ConnectNic]));
        Add(host.Fails, "driver.fails", () => Refuse(
            [DriverVerb.EnsureSwitch, DriverVerb.RemoveSwitch, DriverVerb.ApplyPolicy, DriverVerb.ReadNic, DriverVerb.RestoreNic, DriverVerb.RepairNic]));
        Add(cluster.JournalCut, "node.journal-cut", CutFromJournal);
        Add(cluster.PeersCut, "node.peers-cut", CutFromPeers);
        var (name, strike) = Luck.Pick("trouble.what", kinds);
        if (name != "nothing")
        {
            world.Struck.Count(name);
            world.Say($"trouble: {name}");
            strike();
        }

        void Add(bool on, string kind, Action what)
        {
            if (on)
            {
                kinds.Add((kind, what));
            }
        }
    }

    Node? AnyNode()
    {
        var living = world.Nodes.Where(node => node.Process is { Alive: true, Paused: false }).ToList();
        return living.Count == 0 ? null : Luck.Pick("trouble.node", living);
    }

    SimulatedHost AnyHost() => Luck.Pick("trouble.host", world.Hosts);

    void ForAWhile(Action mend)
    {
        var mended = false;
        Action once = () => { };
        once = () =>
        {
            if (!mended)
            {
                mended = true;
                _mendings.Remove(once);
                mend();
            }
        };
        _mendings.Add(once);
        world.Simulator.After(Luck.Between("trouble.length", Short, Long), null, once);
    }

    void Crash()
    {
        if (AnyNode() is { } node)
        {
            world.Cluster.Crash(node);
        }
    }

    /// <summary>It keeps its memory and misses time; the others may give it up meanwhile.</summary>
    void Pause()
    {
        if (AnyNode() is not { } node)
        {
            return;
        }
        node.Process.Pause();
        var since = world.Simulator.Elapsed;
        if (Luck.Next("trouble.given-up", 2) == 1 && AnyNode() is { } other)
        {
            foreach (var shard in world.Homes.At(node))
            {
                world.Cluster.Twin(node, shard, other, Luck.Between("trouble.learns", Short, Long));
            }
        }
        ForAWhile(() => world.Cluster.Wake(node, world.Simulator.Elapsed - since));
    }

    void HandOver() => Move((from, shard, to) => world.Cluster.HandOver(from, shard, to));

    void Twin() => Move((from, shard, to) => world.Cluster.Twin(from, shard, to, Luck.Between("trouble.learns", Short, Long)));

    void Move(Action<Node, string, Node> move)
    {
        if (AnyNode() is { } from && AnyNode() is { } to && from != to && world.Homes.At(from).ToList() is { Count: > 0 } shards)
        {
            move(from, Luck.Pick("trouble.shard", shards), to);
        }
    }

    void Jump()
    {
        if (AnyNode() is { } node)
        {
            node.Process.Clock.WallOff += TimeSpan.FromMinutes(Luck.Next("trouble.jump", 121) - 60);
            node.Process.Clock.Rate = 1 + ((Luck.Next("trouble.rate", 5) - 2) / 100.0);
            ForAWhile(() => (node.Process.Clock.WallOff, node.Process.Clock.Rate) = (TimeSpan.Zero, 1));
        }
    }

    /// <summary>One way or both.</summary>
    void CutNodes()
    {
        if (AnyNode() is { } one && AnyNode() is { } other && one != other)
        {
            CutForAWhile(one.Name, other.Name, both: Luck.Next("trouble.both", 2) == 1);
        }
    }

    void CutHost()
    {
        if (AnyNode() is { } node)
        {
            CutForAWhile("agent." + AnyHost().Name, node.Name, both: Luck.Next("trouble.both", 2) == 1);
        }
    }

    void CutForAWhile(string from, string to, bool both)
    {
        Cut(from, to, both);
        ForAWhile(() => Mend(from, to));
    }

    void Cut(string from, string to, bool both = true)
    {
        world.Network.Cut(from, to);
        if (both)
        {
            world.Network.Cut(to, from);
        }
        world.BreakConnections(from, to);
    }

    void Mend(string from, string to)
    {
        world.Network.Mend(from, to);
        world.Network.Mend(to, from);
    }

    void JournalAway()
    {
        world.Journal.Away = true;
        ForAWhile(() => world.Journal.Away = false);
    }

    /// <summary>reliability.md 10 F7. One that is alone has nobody who reaches it: that is a journal that is away for all.</summary>
    void CutFromJournal()
    {
        if (world.Nodes.Count(node => node.Process.Alive) > 1 && AnyNode() is { } node)
        {
            world.Journal.Cut(node.Process);
            ForAWhile(() => world.Journal.Mend(node.Process));
        }
    }

    /// <summary>reliability.md 10 F8.</summary>
    void CutFromPeers()
    {
        if (AnyNode() is not { } node || world.Nodes.Where(other => other != node && other.Process.Alive).ToList() is not { Count: > 0 } others)
        {
            return;
        }
        foreach (var other in others)
        {
            Cut(node.Name, other.Name);
        }
        world.Cluster.Suspect(node);
        ForAWhile(() => others.ForEach(other => Mend(node.Name, other.Name)));
    }

    void KillAgent()
    {
        var host = AnyHost();
        if (host.Agent is { Alive: true })
        {
            host.KillAgent();
            ForAWhile(host.StartAgent);
        }
    }

    void HangAgent()
    {
        if (AnyHost().Agent is { Alive: true, Paused: false } agent)
        {
            agent.Pause();
            ForAWhile(agent.Continue);
        }
    }

    /// <summary>Somebody deletes devices, moves their gates, plugs in devices of their own: some at once.</summary>
    void Drift()
    {
        var host = AnyHost();
        for (var times = Luck.Next("trouble.times", 8); times >= 0; times--)
        {
            var devices = host.Devices().Where(device => device.NicKey.Length > 0).ToList();
            if (devices.Count == 0)
            {
                return;
            }
            var device = Luck.Pick("trouble.device", devices);
            if (Luck.Next("trouble.removed", 5) == 1)
            {
                host.Driver.RemoveDevice(device.NicKey);
            }
            else
            {
                host.Driver.SetGate(device.NicKey, !device.Up);
            }
            world.Say($"{host.Name}: a stranger was at {device.NicKey}");
            world.Check.DataPath.Touched(host.Name, device.NicKey);
        }
    }

    /// <summary>The agent dies with the host, and both come back.</summary>
    void Reboot()
    {
        var host = AnyHost();
        if (host.Agent is { Alive: true })
        {
            host.KillAgent();
            host.Driver.Reboot();
            world.Check.DataPath.Rebooted(host.Name);
            ForAWhile(host.StartAgent);
        }
    }

    void LoseFences()
    {
        var host = AnyHost();
        if (host.Agent is { Alive: true })
        {
            host.KillAgent();
            host.Driver.LoseFences();
            ForAWhile(host.StartAgent);
        }
    }

    void Refuse(IReadOnlyList<DriverVerb> verbs) =>
        AnyHost().Driver.Plant(new PlantedFault(Luck.Pick("trouble.verb", verbs), NdisStatus.Resources, 1));
}
