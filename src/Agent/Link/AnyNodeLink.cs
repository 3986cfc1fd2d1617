namespace ControlPlane.Agent.Link;

/// <summary>
/// The link to whichever node takes the agent: one after the other, beginning at a random one, so that the agents of a node
/// that went away spread over the others.
/// </summary>
public sealed class AnyNodeLink(IReadOnlyList<GrpcAgentLink> nodes, Random random) : IAgentLink, IDisposable
{
    int _next = random.Next(nodes.Count);

    public Task<IAgentStream> Open(CancellationToken stop)
    {
        var node = nodes[_next];
        _next = (_next + 1) % nodes.Count;
        return node.Open(stop);
    }

    public void Dispose()
    {
        foreach (var node in nodes)
        {
            node.Dispose();
        }
    }
}
