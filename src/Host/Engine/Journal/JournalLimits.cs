namespace ControlPlane.Host.Engine.Journal;

/// <summary>Every bound of the write path, with its reason. Tests shorten the times and lower the bounds.</summary>
sealed record JournalLimits
{
    public static readonly JournalLimits Default = new();

    /// <summary>
    /// Requests waiting for the writer. An entity has one write open at a time, so this is also the number of entities
    /// that may write at once; at 40,000 events/s it is half a second of work, and later callers are better told "no".
    /// </summary>
    public int QueueWritesMax { get; init; } = 20_000;

    /// <summary>Payload bytes waiting for the writer; keeps 20,000 large events from becoming gigabytes.</summary>
    public long QueueBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Rows in one transaction. Larger batches share one fsync among more callers, but the last caller waits for all
    /// rows: 2,000 rows insert in about 20 ms, some ten times an fsync, where sharing it further gains little.
    /// </summary>
    public int BatchRowsMax { get; init; } = 2_000;

    /// <summary>Payload bytes in one transaction; bounds the write-ahead log's growth by one commit.</summary>
    public long BatchBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Events in one atomic request (PersistAll). Half a batch: a larger one is a design error of its entity.</summary>
    public int WriteEventsMax { get; init; } = 1_000;

    /// <summary>One serialised event. Events are a few hundred bytes; save data of a NIC is the largest, below 64 KiB.</summary>
    public int EventBytesMax { get; init; } = 1024 * 1024;

    /// <summary>From the first statement of a batch to the end of its commit. A healthy disk needs milliseconds.</summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Wait for a lock that somebody else holds on the file (a backup, a checkpoint, a snapshot being saved). Less than
    /// the commit deadline, so that a locked file is reported as such and not as a lost commit.
    /// </summary>
    public TimeSpan LockWaitMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two probes while the database is away: short enough to be back within a client's retry.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long stopping the journal waits for the batch under way.</summary>
    public TimeSpan StopWaitMax { get; init; } = TimeSpan.FromSeconds(5);
}
