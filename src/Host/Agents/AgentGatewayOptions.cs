using System.Security.Cryptography;

namespace ControlPlane.Host.Agents;

/// <summary>Bounds of the agents' gateway, and what happens at each.</summary>
sealed record AgentGatewayOptions
{
    /// <summary>
    /// Names this process in message ids: the bridge answers a repeated id from its record, so two processes may never
    /// use the same.
    /// </summary>
    public string Instance { get; init; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>
    /// Agents may also come over an address. Their host name is believed, so this is for tests and for networks that
    /// something else guards; else they come over the agent socket alone.
    /// </summary>
    public bool TrustAddresses { get; init; }

    /// <summary>Streams on this node; one more is told to come again.</summary>
    public int StreamsMax { get; init; } = 5_000;

    /// <summary>Words waiting for one agent; a command over it is dropped and counted, and the bridge repeats it.</summary>
    public int OutgoingMax { get; init; } = 1_024;

    /// <summary>Reports waiting for the bridge; an agent that sends more does not wait for receipts, and its stream ends.</summary>
    public int FrameReportsMax { get; init; } = 4;

    /// <summary>Completions of one agent on their way to the bridge at once; behind them the stream waits.</summary>
    public int CompletionsAtOnce { get; init; } = 8;

    /// <summary>Streams that one host may open within <see cref="OpensWithin"/>; more are sent away, longer each time.</summary>
    public int OpensMax { get; init; } = 10;

    public TimeSpan OpensWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From the opening of a stream to its first word.</summary>
    public TimeSpan HelloMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>One question to the bridge.</summary>
    public TimeSpan AskMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long frames are offered to a bridge that cannot take them, before the agent is sent away with them.</summary>
    public TimeSpan FramesOfferedMax { get; init; } = TimeSpan.FromSeconds(20);
}
