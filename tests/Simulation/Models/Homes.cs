namespace ControlPlane.Simulation;

/// <summary>
/// Where each shard is, as the cluster decides. Each decision has a number, under which the nodes hear of it, each in its
/// time: a node acts by the newest that it has heard of (reliability.md 9 I37), rightly or not.
/// </summary>
sealed class Homes(World world)
{
    readonly SortedDictionary<string, (long Number, Node Home)> _decided = new(StringComparer.Ordinal);
    readonly HashSet<string> _unsettled = new(StringComparer.Ordinal);
    readonly HashSet<(Node, string)> _unaware = [];
    long _number;

    /// <summary>The node that has the shard; given out when it is asked for. Null: it is between two, or no node lives.</summary>
    public Node? Of(string shard)
    {
        if (_unsettled.Contains(shard))
        {
            return null;
        }
        if (_decided.TryGetValue(shard, out var decided) && decided.Home.Process.Alive)
        {
            return decided.Home;
        }
        if (world.Cluster.Place() is { } given)
        {
            Decide(shard, given);
            return given;
        }
        return null;
    }

    /// <summary>The same, and nobody is given it for that.</summary>
    public Node? Decided(string shard) => _decided.TryGetValue(shard, out var decided) && decided.Home.Process.Alive ? decided.Home : null;

    /// <summary>The node that has the shard as <paramref name="from"/> sees it. Null: it does not know, or nobody has it.</summary>
    public Node? Of(string shard, Node from)
    {
        var alone = world.Cluster.Isolated(from);
        var told = from.Told(shard);
        var stale = _decided.TryGetValue(shard, out var decided) && told.Number < decided.Number;
        if ((alone || stale) && told.What is { Process.Alive: true } home && (home != from || from.Shards.Contains(shard)))
        {
            world.Check.Cluster.Acts(from, shard, told.Number);
            return home;
        }
        if (alone || Of(shard) is not { } asked)
        {
            return null;
        }
        from.Learn(shard, _decided[shard].Number, asked);
        world.Check.Cluster.Acts(from, shard, told.Number);
        return asked;
    }

    public IEnumerable<string> At(Node node) => _decided.Where(pair => pair.Value.Home == node).Select(pair => pair.Key).ToList();

    public bool Settled(string shard) => !_unsettled.Contains(shard);

    /// <summary>Nobody has the shard for now: what is for it waits.</summary>
    public void Unsettle(string shard)
    {
        _decided.Remove(shard);
        _unsettled.Add(shard);
    }

    public void Settle(string shard, Node home)
    {
        // As in the engine: who is given a shard begins it anew, also if it had it before and was not told that it lost it.
        home.Drop(shard);
        _unsettled.Remove(shard);
        Decide(shard, home);
        world.Say($"shard {shard} is at {home.Name}");
    }

    /// <summary>The node hears nothing of the shard until <see cref="Aware"/>.</summary>
    public void Unaware(Node node, string shard) => _unaware.Add((node, shard));

    public void Aware(Node node, string shard)
    {
        _unaware.Remove((node, shard));
        if (!_decided.TryGetValue(shard, out var decided))
        {
            node.Drop(shard);
        }
        else if (decided.Home != node)
        {
            node.Learn(shard, decided.Number, decided.Home);
        }
    }

    /// <summary>The node asks for what it may have missed.</summary>
    public void Refresh(Node node)
    {
        foreach (var (shard, (number, home)) in _decided)
        {
            if (node.Told(shard) is { What: not null } told && told.Number < number && !_unaware.Contains((node, shard)))
            {
                node.Learn(shard, number, home);
            }
        }
    }

    void Decide(string shard, Node home)
    {
        var number = ++_number;
        _decided[shard] = (number, home);
        home.Learn(shard, number, home);
        home.Shards.Add(shard);
        foreach (var node in world.Nodes.Where(node => node != home && node.Process.Alive && !_unaware.Contains((node, shard))))
        {
            world.Network.News(home.Process, node.Process, () =>
            {
                if (!_unaware.Contains((node, shard)))
                {
                    node.Learn(shard, number, home);
                }
            });
        }
    }
}
