using ControlPlane.Host.Engine;
using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>The engine as the gateway's door to the bridges.</summary>
sealed class ShardedAsk(ShardedEntities entities) : IEntityAsk
{
    public Task<Answer> Ask(Envelope envelope, TimeSpan timeout, CancellationToken stop) => entities.Ask(envelope, timeout, stop);
}
