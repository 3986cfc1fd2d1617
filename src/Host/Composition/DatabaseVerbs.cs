using ControlPlane.Host.Engine.Postgres;
using Npgsql;

namespace ControlPlane.Host.Composition;

/// <summary>What an operator does to the database from the command line: each is one transaction, and says what it did.</summary>
static class DatabaseVerbs
{
    public static readonly string[] All = ["migrate", "accept-loss", "accept-copy"];

    public const string Usage = "usage: controlplane database migrate|accept-loss|accept-copy --postgres CONNECTION [--postgresOwner CONNECTION]";

    /// <exception cref="PostgresRefusedException">It cannot be reached, or it may not be done.</exception>
    public static string Run(NodeOptions options)
    {
        var database = options.Database ?? throw new SettingException(Usage);
        try
        {
            return options.DatabaseVerb switch
            {
                "migrate" => Migrate(database),
                "accept-loss" => AcceptLoss(database),
                _ => AcceptCopy(database),
            };
        }
        catch (NpgsqlException failure)
        {
            throw new PostgresRefusedException("postgres.unreachable", $"{failure.Message}.", "Check the setting postgres, and that the server runs.");
        }
    }

    static string Migrate(PostgresOptions options)
    {
        PostgresSchema.Migrate(options);
        return $"the schema has version {PostgresSchema.Version}, the read tables version {PostgresSchema.ReadVersion}";
    }

    /// <summary>The history goes on without what was lost; nodes that know of it have to be restarted.</summary>
    static string AcceptLoss(PostgresOptions options)
    {
        const string sql = """
            UPDATE controlplane.cluster SET loss = NULL, loss_no = loss_no + 1
            FROM (SELECT loss AS accepted FROM controlplane.cluster) AS before WHERE loss IS NOT NULL RETURNING accepted
            """;
        return Change(options, sql) is { } loss ? $"accepted: {loss}; now restart the nodes" : "there is no loss of data to accept";
    }

    /// <summary>This server is the cluster's from now on.</summary>
    static string AcceptCopy(PostgresOptions options)
    {
        const string sql = """
            UPDATE controlplane.cluster SET system_identifier = server.system_identifier,
                timeline = ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer
            FROM pg_control_system() AS server WHERE cluster.system_identifier <> server.system_identifier
            RETURNING server.system_identifier::text
            """;
        return Change(options, sql) is { } server ? $"the journal is now that of server {server}" : "the journal was written on this server";
    }

    static string? Change(PostgresOptions options, string sql)
    {
        using var connection = new NpgsqlConnection(PostgresSource.Settings(options.Connection).ToString());
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar() as string;
    }
}
