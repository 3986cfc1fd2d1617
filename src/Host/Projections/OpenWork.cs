using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>Finds in the read tables who owes something, for the cluster's supervisor.</summary>
sealed class OpenWork(Projector projector, ReadTables tables, TimeProvider time)
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The next after an entity, in the order of ids. Before the first, it waits until the tables show what was stored by
    /// now: the last words of a node that died may not be in them yet.
    /// </summary>
    public async Task<IReadOnlyList<EntityId>> Next(string after, int max, CancellationToken stop)
    {
        if (after.Length == 0)
        {
            await Until(() => projector.Begun, stop);
            var head = projector.Head;
            await Until(() => projector.Position >= head, stop);
        }
        return tables.WithOpenWork(after, max);
    }

    async Task Until(Func<bool> condition, CancellationToken stop)
    {
        while (!condition())
        {
            await Task.Delay(LookEvery, time, stop);
        }
    }
}
