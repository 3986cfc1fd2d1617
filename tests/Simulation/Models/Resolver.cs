using ControlPlane.Host.Engine;

namespace ControlPlane.Simulation;

/// <summary>
/// What the engine's resolver of partitions comes to: the side that gets the lease in the database goes on, the larger if it
/// can; the other ends. Until it has, both have its shards.
/// </summary>
sealed class Resolver(World world)
{
    /// <summary>A silence is noticed and has been stable: never sooner than a node may stand still.</summary>
    static readonly TimeSpan DecidedMin = Numbers.PauseMax;

    static readonly TimeSpan DecidedMax = TimeSpan.FromSeconds(6);

    static readonly TimeSpan RemovedMin = TimeSpan.FromMilliseconds(500);

    static readonly TimeSpan RemovedMax = TimeSpan.FromSeconds(2);

    /// <summary>A side that does not get the lease: the delay of the smaller one, a tick, and as long as it may ask.</summary>
    static readonly TimeSpan LoserEndsMax = TimeSpan.FromSeconds(3) + Numbers.LeaseAcquireMax;

    /// <summary>The node and all others have just stopped to hear each other.</summary>
    public void Suspect(Node node) => world.Simulator.After(world.Simulator.Luck.Between("resolver.decides", DecidedMin, DecidedMax), null, () =>
    {
        if (node.Process.Alive && world.Cluster.Isolated(node))
        {
            Resolve(node, [.. world.Cluster.Living.Where(other => other != node)]);
        }
    });

    void Resolve(Node node, IReadOnlyList<Node> others)
    {
        IReadOnlyList<Node>[] sides = world.Simulator.Luck.Next("resolver.smaller-first", 4) == 1 ? [[node], others] : [others, [node]];
        var winners = sides.FirstOrDefault(side => side.Any(Gets)) ?? [];
        world.Say($"{node.Name} is apart from {string.Join(", ", others.Select(other => other.Name))}: {(winners.Count == 0 ? "nobody gets" : $"{winners[0].Name} gets")} the lease");
        var losers = others.Append(node).Except(winners).ToList();
        foreach (var loser in losers)
        {
            world.Simulator.After(
                world.Simulator.Luck.Between("resolver.loser-ends", TimeSpan.FromMilliseconds(50), LoserEndsMax), loser.Process, () => world.Cluster.Depart(loser, "apart"));
        }
        if (winners.Count > 0)
        {
            world.Simulator.After(world.Simulator.Luck.Between("resolver.removes", RemovedMin, RemovedMax), null, () => world.Cluster.Remove(losers));
        }
    }

    bool Gets(Node node) => node.Process is { Alive: true, Paused: false } && world.Journal.Reaches(node.Process);
}
