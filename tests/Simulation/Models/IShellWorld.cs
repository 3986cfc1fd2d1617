using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What an incarnation of an entity needs of the node that it lives on.</summary>
public interface IShellWorld
{
    void Append(EntityId id, System.Collections.Immutable.ImmutableArray<StoredEvent> rows, Action<WriteEnd> answer);

    void Read(EntityId id, Recovery recovery);

    void Save(CoreSnapshot snapshot);

    void Respond(object asker, Answer answer);

    void Tell(EntityId to, object message);

    void Drive(EntityId bridge, long session, DriverCommand command);

    void Wake(EntityId id, bool later);

    void Passivate(EntityId id);

    /// <summary>The incarnation is over.</summary>
    void Ended(EntityId id, Incarnation incarnation);

    /// <summary>It cannot be served.</summary>
    void Fault(EntityId id, FaultKind kind, string reason);
}

/// <summary>What an entity recovers from.</summary>
/// <param name="snapshot">The last snapshot, or what is left of it, if there is one.</param>
/// <param name="last">The journal's last sequence number of the entity.</param>
/// <param name="after">The rows after a sequence number; throws if they cannot be read.</param>
public delegate void Recovery(object? snapshot, long last, Func<long, IReadOnlyList<StoredEvent>> after);

/// <summary>The shell's two times; shorter in a simulation, so that more happens.</summary>
public sealed record ShellTimes(TimeSpan RetryEvery, TimeSpan IdleAfter);
