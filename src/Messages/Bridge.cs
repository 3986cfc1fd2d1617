namespace ControlPlane.Messages;

/// <summary>An agent opens its stream for a host.</summary>
/// <param name="Fenced">False: the agent lost its fences and refuses creates until they were sent.</param>
public sealed record OpenSession(string Driver, string Version, bool Fenced, Inventory Inventory) : Command;

/// <summary>The session's number: it rises with each stream, and anything under a lower one is dropped and counted.</summary>
/// <param name="Fences">Highest grant epoch by NIC key, for an agent that lost its own.</param>
public sealed record SessionOpened(long Session, IReadOnlyDictionary<string, long> Fences) : Reply;

public sealed record CloseSession(long Session, string Reason) : Command;

/// <summary>Frames of the host's stream, in order.</summary>
public sealed record ReportFrames(long Session, IReadOnlyList<DriverFrame> Frames) : Command;

/// <summary>Up to where frames are stored: the agent's cursor.</summary>
public sealed record FramesStored(long StreamEpoch, long Seq) : Reply;

public sealed record ReportCompletion(long Session, Completion Completion) : Command;

/// <summary>A command for the host's data path; the answer is its completion.</summary>
public sealed record IssueCommand(DriverCommand Command) : Command;

/// <param name="Session">The session that reported it: what it read back is newer than the snapshot that opened the session.</param>
public sealed record CommandDone(Completion Completion, long Session = 0) : Reply;

/// <summary>The first word of an agent's stream.</summary>
/// <param name="Protocol">Version of the link; a node names the versions that it speaks when it refuses one.</param>
public sealed record AgentHello(string Host, int Protocol, OpenSession Open) : LinkWord;

/// <summary>A command for the host's data path, on its way to the agent. It comes again until its completion is stored.</summary>
public sealed record HandCommand(DriverCommand Command) : LinkWord;

/// <summary>The completion is stored: the agent need not repeat it.</summary>
public sealed record CompletionTaken(string CommandId) : LinkWord;

/// <summary>The node ends the stream; the agent opens another after so long, here or at another node.</summary>
public sealed record ComeAgain(int AfterMilliseconds, string Reason) : LinkWord;

/// <summary>A word between agent and node that is no message to an entity.</summary>
public abstract record LinkWord
{
    private protected LinkWord()
    {
    }
}

/// <summary>Refused with host.offline unless a session is open.</summary>
public sealed record CheckHost : Command;

public sealed record AgentSessionOpened(
    long Session, string Driver, string Version, bool Fenced, string BootId, long StreamEpoch, long Cursor,
    IReadOnlyList<string> Switches, IReadOnlyList<DeviceState> Devices) : BridgeEvent;

/// <summary>
/// A host without a session came with a snapshot that is older than what is known of it: it lost its state, or an older one was
/// restored, or the hello was overtaken on its way. Stored once until a session opens, however often it comes.
/// </summary>
public sealed record OldSnapshotRefused(string BootId, long StreamEpoch, long LastSeq) : BridgeEvent;

/// <summary>
/// A host came with a device whose epoch or revision was never issued by what is stored: events are lost, or somebody else
/// commands the host. It gets no session, and no command. Stored once until a session opens, however often it comes.
/// </summary>
public sealed record UnknownCommandSeen(string Nic, long Epoch, long Revision, long KnownEpoch, long KnownRevision) : BridgeEvent;

public sealed record AgentSessionClosed(long Session, string Reason) : BridgeEvent;

/// <summary>A report of an older session was dropped.</summary>
public sealed record StaleReportDropped(long Session, string What) : BridgeEvent;

/// <summary>The frame is stored: it is the cursor; its delivery to the NIC is open work.</summary>
public sealed record FrameRecorded(DriverFrame Frame) : BridgeEvent;

public sealed record FrameDelivered(long StreamEpoch, long Seq) : BridgeEvent;

/// <summary>Frames are missing between the cursor and this one: the host is asked for a snapshot.</summary>
public sealed record FrameGapSeen(long StreamEpoch, long Expected, long Got) : BridgeEvent;

public sealed record CommandIssued(string MessageId, DriverCommand Command) : BridgeEvent;

/// <summary>A newer command for the same NIC was issued before this one's completion came: nobody hands it out again.</summary>
public sealed record CommandOvertaken(string MessageId, string By) : BridgeEvent, IOnBehalf;

public sealed record CommandCompleted(string MessageId, Completion Completion) : BridgeEvent, IOnBehalf;

/// <summary>A switch has taken its part of the host's snapshot.</summary>
public sealed record SwitchTold(long Session, string Switch) : BridgeEvent;

/// <summary>What happens at a host's bridge.</summary>
public abstract record BridgeEvent : Event
{
    private protected BridgeEvent()
    {
    }
}
