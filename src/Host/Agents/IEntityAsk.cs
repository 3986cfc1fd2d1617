using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>
/// The door to the entities that the agents' gateway needs. Every outcome is an answer; one that did not come in time is
/// the refusal "unknown", after which the same message may be sent again.
/// </summary>
interface IEntityAsk
{
    Task<Answer> Ask(Envelope envelope, TimeSpan timeout, CancellationToken stop);
}
