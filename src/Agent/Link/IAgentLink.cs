namespace ControlPlane.Agent.Link;

/// <summary>A word on the stream between an agent and a node.</summary>
/// <param name="Session">The session that it belongs to; 0 before one is open.</param>
/// <param name="Id">What an answer refers to, or empty.</param>
public sealed record LinkParcel(object Word, long Session = 0, string Id = "");

/// <summary>The door to the cluster: where an agent opens its stream.</summary>
public interface IAgentLink
{
    Task<IAgentStream> Open(CancellationToken stop);
}

/// <summary>One open stream. Its end, by either side, is a <see cref="LinkEndedException"/> from any of the calls.</summary>
public interface IAgentStream : IAsyncDisposable
{
    /// <summary>May be called from several tasks. A cancelled call gives up waiting; it does not hurt the stream.</summary>
    Task Send(LinkParcel parcel, CancellationToken stop);

    Task<LinkParcel> Receive(CancellationToken stop);

    /// <summary>Nothing more will be sent; what the node still says can be received.</summary>
    Task Finish(CancellationToken stop);
}

/// <summary>The stream is over.</summary>
/// <param name="comeAgain">When the node said so: how long to stay away.</param>
public sealed class LinkEndedException(string reason, TimeSpan? comeAgain = null, Exception? inner = null) : Exception(reason, inner)
{
    public TimeSpan? ComeAgain { get; } = comeAgain;
}

/// <summary>What arrived is no word of the link.</summary>
public sealed class MalformedParcelException(string reason, Exception? inner = null) : Exception(reason, inner);
