namespace ControlPlane.Host.Engine.Postgres;

/// <summary>Every number of the connections to PostgreSQL, with its reason. The write path's own are <see cref="Journal.JournalLimits"/>.</summary>
static class PostgresLimits
{
    /// <summary>
    /// Connections for what nodes settle among themselves: the lease, the heartbeat, one for who asks about the cluster, and one
    /// to spare. They are in a pool of their own, as a full pool must not cost a node its lease (reliability.md 6).
    /// </summary>
    public const int LeasePool = 4;

    /// <summary>A server on the same network answers in milliseconds; a dead one is better known soon.</summary>
    public static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);

    /// <summary>Also how long a request waits for a free connection of the pool before it is refused.</summary>
    public static readonly TimeSpan ReadMax = TimeSpan.FromSeconds(10);

    /// <summary>A lease that is not renewed by then is lost anyway.</summary>
    public static readonly TimeSpan LeaseMax = TimeSpan.FromSeconds(1);

    /// <summary>A frozen process must not hold its rows and locks for longer: the server ends its transaction.</summary>
    public static readonly TimeSpan IdleInTransactionMax = TimeSpan.FromSeconds(10);

    /// <summary>The server drops a client whose machine is gone after this much silence on an answer.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(10);

    /// <summary>A connection that is silent for so long is probed, every second, by both ends.</summary>
    public static readonly TimeSpan KeepAliveAfter = TimeSpan.FromSeconds(5);

    /// <summary>After a fail-over: three looks of every node (<see cref="Projections.Postgres.PostgresWatch"/>), each a second.</summary>
    public static readonly TimeSpan FailoverGrace = TimeSpan.FromSeconds(3);

    /// <summary>Statements kept prepared per connection; there are some thirty.</summary>
    public const int PreparedMax = 60;

    /// <summary>The oldest release with all that the schema and the checks use.</summary>
    public const int VersionMin = 14;
}
