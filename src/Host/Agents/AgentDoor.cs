using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>
/// The bridge's way to its agent, here or at another node. It never waits: a command that finds no stream, or a full one, is
/// dropped and counted, and the bridge brings it again by its timer for as long as it has no completion.
/// </summary>
/// <param name="elsewhere">Null: there are no other nodes.</param>
sealed class AgentDoor(AgentStreams streams, AgentRoutes? elsewhere = null) : IAgentDoor
{
    public void Drive(EntityId bridge, long session, DriverCommand command)
    {
        var host = bridge.Parts[0];
        if (!streams.Hand(host, session, command))
        {
            elsewhere?.Send(new DriveAgent(host, session, command));
        }
    }
}
