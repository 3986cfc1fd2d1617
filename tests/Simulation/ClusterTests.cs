using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What becomes of three nodes when one is cut off or stands still, without luck (reliability.md 10 F4, F5, F7, F8, F12).</summary>
public sealed class ClusterTests
{
    static readonly string Shard = World.ShardOf(EntityId.Bridge("hv01"));

    static readonly TimeSpan Settled = TimeSpan.FromSeconds(5);

    /// <summary>By then every rule has done what it does.</summary>
    static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(12);

    [Fact]
    public void Node_that_is_cut_from_the_journal_ends_and_its_shards_are_elsewhere() =>
        Play(world => world.Journal.Cut(world.Nodes[0].Process), [false, true, true]);

    [Fact]
    public void Journal_that_is_away_for_all_and_comes_back_ends_nobody() => Play(
        world =>
        {
            world.Journal.Away = true;
            world.Simulator.After(TimeSpan.FromSeconds(10), null, () => world.Journal.Away = false);
        },
        [true, true, true]);

    [Fact]
    public void Node_that_is_apart_from_its_peers_ends_and_they_go_on() => Play(Isolate, [false, true, true]);

    [Fact]
    public void Node_that_is_apart_goes_on_when_it_alone_reaches_the_lease() => Play(
        world =>
        {
            Isolate(world);
            world.Journal.Cut(world.Nodes[1].Process);
            world.Journal.Cut(world.Nodes[2].Process);
        },
        [true, false, false]);

    [Theory]
    [InlineData(3.4, true)]
    [InlineData(3.6, false)]
    public void Node_that_stood_still_ends_if_that_was_longer_than_its_peers_wait(double seconds, bool goesOn) => Play(
        world =>
        {
            var (node, still) = (world.Nodes[0], TimeSpan.FromSeconds(seconds));
            node.Process.Pause();
            world.Simulator.After(still, null, () => world.Cluster.Wake(node, still));
        },
        [goesOn, true, true]);

    static void Isolate(World world)
    {
        foreach (var other in world.Nodes.Skip(1))
        {
            world.Network.Cut(world.Nodes[0].Name, other.Name);
            world.Network.Cut(other.Name, world.Nodes[0].Name);
        }
        world.Cluster.Suspect(world.Nodes[0]);
    }

    /// <param name="expected">Of the three first nodes, which live on; the first has the shard.</param>
    static void Play(Action<World> deed, bool[] expected)
    {
        bool[] lives = [];
        var placed = false;
        var report = Run.Of(Choices.Of([]), new Options { Nodes = 3 }, Mutant.None, null, (world, _) =>
        {
            Run.Begin(world);
            var nodes = world.Nodes.ToList();
            world.Settle(Shard, nodes[0]);
            Run.Until(world, Settled, () => false);
            deed(world);
            Run.Until(world, Settled + Aftermath, () => false);
            lives = [.. nodes.Select(node => node.Process.Alive)];
            placed = world.Homes.Decided(Shard) is { } home && (home == nodes[0] || !lives[0]);
        }, null);
        Assert.True(report.Violation is null, $"{report.Violation}\n{string.Join('\n', report.Tail.TakeLast(60))}");
        Assert.Equal(expected, lives);
        Assert.True(placed, "the shard is at no node that lives");
    }
}
