using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>
/// The bridge's way to its agent. It never waits: a command that finds no stream, or a full one, is dropped and counted,
/// and the bridge brings it again by its timer for as long as it has no completion.
/// </summary>
sealed class AgentDoor(AgentStreams streams) : IAgentDoor
{
    public void Drive(EntityId bridge, long session, DriverCommand command) => streams.Hand(bridge.Parts[0], session, command);
}
