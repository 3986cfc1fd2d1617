using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>A core without its type arguments: what a shell or the simulation needs of it.</summary>
public interface IEntityCore
{
    long Sequence { get; }

    /// <summary>Something is owed: the shell keeps the entity and its retry timer.</summary>
    bool HasOpenWork { get; }

    /// <summary>As above, or what an open write would owe: it may be stored although nobody learns of it.</summary>
    bool MayOweWork { get; }

    /// <summary>Takes one input and says what is to be done, in order.</summary>
    IReadOnlyList<Output> Step(Input input, DateTimeOffset now);
}

/// <summary>Makes the core of an entity by its id's kind.</summary>
public delegate IEntityCore CoreFactory(EntityId id);
