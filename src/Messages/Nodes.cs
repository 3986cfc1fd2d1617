namespace ControlPlane.Messages;

/// <summary>A word between nodes that is no message to an entity. Lost, it is said again by who needs it.</summary>
public abstract record NodeWord
{
    private protected NodeWord()
    {
    }
}

/// <summary>A command of a bridge for the node that has the stream of its host's agent.</summary>
public sealed record DriveAgent(string Host, long Session, DriverCommand Command) : NodeWord;

/// <summary>The stream is at the node that says this, and has taken a command.</summary>
public sealed record AgentIsHere(string Host) : NodeWord;

/// <summary>No stream of that host at the node that says this, or a full one.</summary>
public sealed record AgentNotHere(string Host) : NodeWord;

/// <summary>Asks a node whether the database answers it.</summary>
public sealed record AskDatabase : NodeWord;

/// <summary>When the database last answered the node that says this.</summary>
public sealed record DatabaseSeen(long MillisecondsAgo) : NodeWord;
