namespace ControlPlane.Host.Engine.Postgres;

/// <summary>What a server says of itself.</summary>
sealed record ServerFacts(
    int Version, bool InRecovery, bool ReadOnly, string Fsync, string FullPageWrites, string SynchronousCommit, string Standbys, long System,
    int Timeline);

/// <summary>What the database says of the cluster whose journal it keeps.</summary>
/// <param name="Loss">Why an operator has to say how to go on; null: nothing is open.</param>
/// <param name="JournalAhead">Rows bear numbers of transactions that this server has not reached.</param>
sealed record ClusterFacts(Guid Cluster, int SchemaVersion, long System, int Timeline, long LossNo, string? Loss, bool JournalAhead);

/// <summary>Whether a database may be used: pure, and each refusal names what is wrong and what to do.</summary>
static class PostgresVerdict
{
    public static PostgresRefusedException? Of(ServerFacts server, PostgresOptions options) => server switch
    {
        { Version: var version } when version < PostgresLimits.VersionMin => new(
            "postgres.version", $"the server is PostgreSQL {version}.", $"Use {PostgresLimits.VersionMin} or later."),
        { InRecovery: true } => new(
            "postgres.standby", "the server is a standby.", "Point the setting postgres at the primary, or name all servers in Host with commas between."),
        { ReadOnly: true } => new(
            "postgres.read-only", "transactions are read-only.", "Set default_transaction_read_only = off on the server, the database and the role."),
        { Fsync: not "on" } => new(
            "postgres.fsync", $"fsync is {server.Fsync}: an acknowledged change could be lost.", "Set fsync = on on the server."),
        { FullPageWrites: not "on" } => new(
            "postgres.full-page-writes", $"full_page_writes is {server.FullPageWrites}: a crash could tear a page.",
            "Set full_page_writes = on on the server."),
        { SynchronousCommit: not ("on" or "remote_apply") } => new(
            "postgres.synchronous-commit", $"synchronous_commit is {server.SynchronousCommit}: an acknowledged change could be lost.",
            "Set synchronous_commit = on or remote_apply on the server, the database and the role."),
        { Standbys: "" } when options.NeedsStandby => new(
            "postgres.no-standby", "synchronous_standby_names is empty, and postgresStandby is synchronous.",
            "Name the synchronous standbys on the server, or set postgresStandby to none: then a fail-over may lose acknowledged changes."),
        _ => null,
    };

    /// <param name="seen">What this node saw before; null: nothing.</param>
    /// <param name="lastIsThere">Whether the row that this node acknowledged last is stored.</param>
    public static PostgresRefusedException? Of(ServerFacts server, ClusterFacts cluster, Seen? seen, bool lastIsThere)
    {
        const string Decide = "Bring the servers back that have it; or run controlplane database accept-loss, and restart the nodes.";
        if (cluster.SchemaVersion > PostgresSchema.Version)
        {
            return new(
                "postgres.newer-schema", $"the journal has schema version {cluster.SchemaVersion}; this program knows {PostgresSchema.Version}.",
                "Start the newer program.");
        }
        if (seen is not null && seen.Cluster != cluster.Cluster)
        {
            return new(
                "postgres.other-cluster", $"the database is of cluster {cluster.Cluster}; this node belongs to {seen.Cluster}.",
                "Correct the setting postgres, or give the node an empty data directory.");
        }
        if (cluster.System != server.System)
        {
            return new(
                "postgres.copied", $"the journal was written on server {cluster.System}, and this is server {server.System}: a copy, or a restored dump.",
                "If nobody writes to the other one any more, run controlplane database accept-copy.");
        }
        if (Math.Max(cluster.Timeline, seen?.System == server.System ? seen.Timeline : 0) is var known && server.Timeline < known)
        {
            return new(
                "postgres.old-timeline", $"the server is on timeline {server.Timeline}, and {known} was seen: a primary of before a fail-over.",
                "Stop it, or rebuild it as a standby of the new primary.");
        }
        if (cluster.Loss is not null)
        {
            return new("postgres.data-loss", $"{cluster.Loss}.", Decide);
        }
        if (seen is not null && seen.LossNo == cluster.LossNo && !lastIsThere)
        {
            return new(
                "postgres.data-loss", $"event {seen.SequenceNr} of {seen.PersistenceId}, which this node acknowledged, is not in the journal.", Decide);
        }
        return cluster.JournalAhead
            ? new("postgres.behind", "the journal has numbers of transactions that the server has not reached: a restored dump.", "Restore a physical copy.")
            : null;
    }
}
