using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using Npgsql;

namespace ControlPlane.Host.Projections.Postgres;

/// <summary>
/// Looks after the database every second: a loss of data, whether this node misses something or another one said so, closes
/// the journal also of a node that has nothing to write; and a
/// transaction that stays open holds back the feed of everybody, which is an alarm with its owner's name.
/// </summary>
sealed partial class PostgresWatch(PostgresSource source, JournalHealth health, TimeProvider time, ILogger<PostgresWatch> log)
    : BackgroundService
{
    public const string HeldBack = "feed.held-back";

    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>An oldest open transaction of this age is no longer one of ours: they end within the commit's deadline, most in milliseconds.</summary>
    static readonly TimeSpan OpenMax = TimeSpan.FromSeconds(5);

    const string OldestSql = """
        SELECT pid, coalesce(usename, '?'), coalesce(application_name, ''), coalesce(datname, '?'), coalesce(state, '?'),
            extract(epoch FROM clock_timestamp() - xact_start)::float8
        FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY age(backend_xid) DESC LIMIT 1
        """;

    const string XminSql = """
        SELECT pg_snapshot_xmin(s), pg_snapshot_xmax(s) FROM pg_current_snapshot() AS s
        """;

    ulong _xmin;
    long _since;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                Look();
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException)
            {
                LogBlind(log, failure.Message);
            }
            await Task.WhenAny(Task.Delay(LookEvery, time, stoppingToken));
        }
    }

    void Look()
    {
        using var connection = source.Pool.OpenConnection();
        LookForLoss(connection);
        using var command = new NpgsqlCommand(XminSql, connection);
        var (xmin, xmax) = command.First(reader => (reader.GetFieldValue<ulong>(0), reader.GetFieldValue<ulong>(1)));
        if (xmin != _xmin || xmin == xmax)
        {
            (_xmin, _since) = (xmin, time.GetTimestamp());
            source.Alarms.Clear(HeldBack);
        }
        else if (time.GetElapsedTime(_since) >= OpenMax)
        {
            using var oldest = new NpgsqlCommand(OldestSql, connection);
            var who = oldest.First(reader =>
                $"process {reader.GetInt32(0)} of {reader.GetString(1)} ({reader.GetString(2)}) in database {reader.GetString(3)}, {reader.GetString(4)}, for {reader.GetDouble(5):F0} s");
            source.Alarms.Raise(
                HeldBack, critical: false, $"Transaction {xmin} stays open; what was stored since is not shown. It is of {who ?? "an unknown process"}.",
                "End it: SELECT pg_terminate_backend(process). Nothing is lost meanwhile.");
        }
    }

    void LookForLoss(NpgsqlConnection connection)
    {
        try
        {
            PostgresChecks.Check(connection, source, serving: true);
        }
        catch (PostgresRefusedException refused) when (refused.Code == PostgresChecks.DataLoss)
        {
            source.Witness.Lose(refused.Reason);
            health.Closed(new JournalFailure(time.GetUtcNow(), refused.Message));
        }
        catch (PostgresRefusedException)
        {
            // An alarm tells of it; the writer is refused too when it connects, and it alone knows when it is mended.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The database cannot be looked after: {Reason}")]
    static partial void LogBlind(ILogger logger, string reason);
}
