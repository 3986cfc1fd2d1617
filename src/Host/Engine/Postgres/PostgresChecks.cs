using System.Globalization;
using Npgsql;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>Looks at the server behind a connection, at the start and after each reconnect of the writer (reliability.md 4.4 rules 10 and 11).</summary>
static class PostgresChecks
{
    const string ServerSql = """
        SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
            current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
            current_setting('synchronous_standby_names'), (SELECT system_identifier FROM pg_control_system()),
            CASE WHEN pg_is_in_recovery() THEN '00000000' ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END
        """;

    const string ClusterSql = """
        SELECT cluster_id, schema_version, system_identifier, timeline, loss_no, loss,
            coalesce((SELECT tx FROM controlplane.journal ORDER BY tx DESC LIMIT 1) >= pg_snapshot_xmax(pg_current_snapshot()), false)
        FROM controlplane.cluster
        """;

    const string HoldsSql =
        "SELECT EXISTS (SELECT FROM controlplane.journal WHERE persistence_id = $1 AND sequence_number = $2 AND writer_uuid = $3)";

    /// <summary>The alarm of a database that is refused, whatever the reason.</summary>
    public const string Refused = "postgres.refused";

    public const string DataLoss = "postgres.data-loss";

    public static ServerFacts Look(NpgsqlConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = ServerSql;
        using var reader = command.ExecuteReader();
        reader.Read();
        return new ServerFacts(
            reader.GetInt32(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.GetString(3), reader.GetString(4), reader.GetString(5),
            reader.GetString(6), reader.GetInt64(7), int.Parse(reader.GetString(8), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    public static void CheckServer(ServerFacts server, PostgresOptions options)
    {
        if (PostgresVerdict.Of(server, options) is { } refused)
        {
            throw refused;
        }
    }

    /// <summary>Everything about the database behind the connection; what is in order is remembered by the node's witness.</summary>
    /// <exception cref="PostgresRefusedException">It must not be used; an alarm says so too.</exception>
    /// <param name="serving">
    /// The node serves, and so do others: after a fail-over it waits until each of them has had the time to miss its own row.
    /// </param>
    public static void Check(NpgsqlConnection connection, PostgresSource source, bool serving)
    {
        try
        {
            var server = Look(connection);
            CheckServer(server, source.Options);
            var cluster = Cluster(connection);
            var seen = source.Witness.Seen;
            if (PostgresVerdict.Of(server, cluster, seen, seen is null || Holds(connection, seen)) is { } refused)
            {
                if (refused.Code == DataLoss)
                {
                    Declare(connection, source.Witness, refused.Reason);
                }
                throw refused;
            }
            if (source.Witness.Lost is { } lost)
            {
                throw new PostgresRefusedException(DataLoss, lost, "The loss is accepted; restart this node, which remembers what is gone.");
            }
            if (serving && seen is not null && server.Timeline > seen.Timeline && source.Witness.SinceFailover(server.Timeline) < PostgresLimits.FailoverGrace)
            {
                throw new PostgresRefusedException(
                    "postgres.failover", $"the server is new, on timeline {server.Timeline}.",
                    $"Nothing: it is used {PostgresLimits.FailoverGrace.TotalSeconds} s later, if no node misses anything.");
            }
            if (server.Timeline > cluster.Timeline)
            {
                Run(connection, $"UPDATE controlplane.cluster SET timeline = {server.Timeline} WHERE timeline < {server.Timeline}");
            }
            source.Witness.Saw(cluster.Cluster, server.System, server.Timeline, cluster.LossNo);
            source.Alarms.Clear(Refused);
        }
        catch (PostgresRefusedException refused)
        {
            source.Alarms.Raise(Refused, critical: true, $"{refused.Code}: {refused.Reason}", refused.Action);
            throw;
        }
    }

    public static ClusterFacts Cluster(NpgsqlConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = ClusterSql;
        using var reader = command.ExecuteReader();
        if (!reader.Read())
        {
            throw new PostgresRefusedException("postgres.schema", "the row of the cluster is missing.", "Restore the database from a copy.");
        }
        return new ClusterFacts(
            reader.GetGuid(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetInt32(3), reader.GetInt64(4),
            reader.IsDBNull(5) ? null : reader.GetString(5), reader.GetBoolean(6));
    }

    static bool Holds(NpgsqlConnection connection, Seen seen)
    {
        if (seen.PersistenceId is null)
        {
            return true;
        }
        using var command = new NpgsqlCommand(HoldsSql, connection)
        {
            Parameters = { new() { Value = seen.PersistenceId }, new() { Value = seen.SequenceNr }, new() { Value = seen.Writer } },
        };
        return (bool)command.ExecuteScalar()!;
    }

    /// <summary>For all nodes: none serves before an operator has said how to go on.</summary>
    static void Declare(NpgsqlConnection connection, PostgresWitness witness, string loss)
    {
        witness.Lose(loss);
        using var command = new NpgsqlCommand("UPDATE controlplane.cluster SET loss = $1 WHERE loss IS NULL", connection)
        {
            Parameters = { new() { Value = loss.TrimEnd('.') } },
        };
        command.ExecuteNonQuery();
    }

    static void Run(NpgsqlConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
