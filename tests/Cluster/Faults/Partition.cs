using ControlPlane.Host.Engine.Clustering;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>Two sides of a cluster that do not hear each other.</summary>
sealed class Partition
{
    readonly IReadOnlyList<NodeProcess> _left;
    readonly IReadOnlyList<NodeProcess> _right;
    readonly Dictionary<NodeProcess, int> _exits;

    /// <summary>Cuts them apart; the filter's owner heals it.</summary>
    public Partition(Cuts cuts, IReadOnlyList<NodeProcess> left, IReadOnlyList<NodeProcess> right)
    {
        (_left, _right) = (left, right);
        _exits = left.Concat(right).ToDictionary(node => node, node => node.Process.Exits.Count);
        cuts.Between([.. left.Select(node => (node.User!.Value, node.Port))], [.. right.Select(node => (node.User!.Value, node.Port))]);
    }

    /// <summary>The process that was there at the cut is there no more; another may be.</summary>
    public bool HasEnded(NodeProcess node) => node.Process.Exits.Count > _exits[node];

    /// <summary>Waits until one side has ended; the other is answered, and nobody of it has.</summary>
    public async Task<IReadOnlyList<NodeProcess>> Winners()
    {
        IReadOnlyList<NodeProcess>? winners = null;
        await LocalCluster.Until(
            () => Task.FromResult((winners = _left.All(HasEnded) ? _right : _right.All(HasEnded) ? _left : null) is not null),
            "one side ends", TimeSpan.FromSeconds(120));
        // A machine that is too busy can make a node stand still, and end for that.
        Assert.All(winners!.Where(HasEnded), node => Assert.Contains("it stood still", node.Process.Log, StringComparison.Ordinal));
        Assert.All(_left.Concat(_right).Except(winners!), node => Assert.Equal(Departure.ExitCode, node.Process.Exits[_exits[node]]));
        return winners!;
    }
}
