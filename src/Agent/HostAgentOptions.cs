namespace ControlPlane.Agent;

/// <summary>Bounds and patience of one agent.</summary>
public sealed record HostAgentOptions
{
    /// <summary>Commands at work, waiting, or completed without the cluster's receipt; one more is dropped, and comes again.</summary>
    public int CommandsMax { get; init; } = 10_000;

    /// <summary>Commands that the driver carries out at the same time.</summary>
    public int CommandsAtOnceMax { get; init; } = 16;

    /// <summary>Completions that are remembered, to answer a repeated command without carrying it out again.</summary>
    public int CompletionsRememberedMax { get; init; } = 1_000;

    /// <summary>A command without an answer after so long is forgotten: its repeat starts it again, which is safe.</summary>
    public TimeSpan CommandTakesMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Frames in one report; the next report follows the receipt of this one.</summary>
    public int FramesPerReportMax { get; init; } = 256;

    /// <summary>Frames read from the driver ahead of the reports.</summary>
    public int FramesAheadMax { get; init; } = 1_024;

    /// <summary>The cluster took only a part of a report: it is busy, so the rest waits.</summary>
    public TimeSpan FramesPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the node may take to open a session or to acknowledge frames.</summary>
    public TimeSpan AnswerTakesMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an ordered stop waits for the commands at work and for the good-bye.</summary>
    public TimeSpan StopTakesMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>First and longest pause between two attempts to connect.</summary>
    public TimeSpan ReconnectFirst { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromSeconds(10);
}
