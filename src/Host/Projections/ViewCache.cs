using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>The projector's views in memory: the bound is a number of entities, the oldest in use go first.</summary>
sealed class ViewCache(int max)
{
    readonly Dictionary<EntityId, LinkedListNode<EntityView>> _byId = [];
    readonly LinkedList<EntityView> _byUse = new();

    public EntityView? Find(EntityId id)
    {
        if (!_byId.TryGetValue(id, out var node))
        {
            return null;
        }
        _byUse.Remove(node);
        _byUse.AddLast(node);
        return node.Value;
    }

    public void Put(EntityView view)
    {
        if (_byId.TryGetValue(view.Id, out var known))
        {
            _byUse.Remove(known);
        }
        _byId[view.Id] = _byUse.AddLast(view);
        if (_byId.Count > max)
        {
            _byId.Remove(_byUse.First!.Value.Id);
            _byUse.RemoveFirst();
        }
    }

    /// <summary>After a failed write nothing in memory is known to be stored.</summary>
    public void Clear()
    {
        _byId.Clear();
        _byUse.Clear();
    }
}
