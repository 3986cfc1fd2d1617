using ControlPlane.Messages;

namespace ControlPlane.Actors.Projections;

/// <summary>What an event says about an operation that people can look up: it began, or it ended.</summary>
public abstract record OperationChange(string Id)
{
    /// <param name="Migration">The VM's migration that does it, by its number.</param>
    public sealed record Began(string Id, string Kind, long? Migration = null) : OperationChange(Id);

    public sealed record Ended(string Id, Refusal? Problem) : OperationChange(Id);

    public static OperationChange? Of(Event happened) => happened switch
    {
        VmStartRequested e => new Began(e.OperationId, "vm.start"),
        VmStopRequested e => new Began(e.OperationId, "vm.stop"),
        VmChangeRequested e => new Began(e.OperationId, e.Kind),
        VmChanged e => new Ended(e.OperationId, null),
        VmChangeRefused e => new Ended(e.OperationId, e.Refusal),
        VmStarted e => new Ended(e.OperationId, null),
        VmStopped e => new Ended(e.OperationId, null),
        VmStartRefused e => new Ended(e.OperationId, e.Refusal),
        VmMigrationStarted e => new Began(e.OperationId, "vm.migrate", e.Number),
        VmMigrated e => new Ended(e.OperationId, null),
        VmMigrationFailed e => new Ended(e.OperationId, e.Problem),
        VmLost { OperationId: { } id } e => new Ended(id, HostLoss.Refusal(e.Host, e.Reason)),
        _ => null,
    };
}
