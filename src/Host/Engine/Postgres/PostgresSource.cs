using System.Data.Common;
using System.Globalization;
using ControlPlane.Host.Engine.Journal;
using Npgsql;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>
/// One node's connections to PostgreSQL: a pool for reads and the read tables, a small one of its own for leases, and
/// connections that are nobody else's, for the journal's writer and for listening. Opening checks the database and makes
/// or migrates the schema; whoever needs more than that gets it as a service.
/// </summary>
sealed class PostgresSource : IDisposable
{
    readonly NpgsqlConnectionStringBuilder _settings;
    readonly NpgsqlDataSource _single;

    PostgresSource(PostgresOptions options, PostgresWitness witness, NodeAlarms alarms)
    {
        Options = options;
        Witness = witness;
        Alarms = alarms;
        _settings = Settings(options.Connection);
        Pool = NpgsqlDataSource.Create(With(settings => settings.MaxPoolSize = options.Pool));
        Leases = NpgsqlDataSource.Create(With(settings =>
        {
            settings.MaxPoolSize = PostgresLimits.LeasePool;
            settings.Timeout = Seconds(PostgresLimits.LeaseMax);
            settings.CommandTimeout = Seconds(PostgresLimits.LeaseMax);
        }));
        _single = NpgsqlDataSource.Create(With(settings => settings.Pooling = false));
    }

    public PostgresOptions Options { get; }

    /// <summary>Everything that is short and may wait for its turn.</summary>
    public NpgsqlDataSource Pool { get; }

    /// <summary>For leases alone.</summary>
    public NpgsqlDataSource Leases { get; }

    public PostgresWitness Witness { get; }

    public NodeAlarms Alarms { get; }

    /// <summary>Connections that wait in the pools are closed; the next users get fresh ones.</summary>
    public void ForgetIdle()
    {
        Pool.Clear();
        Leases.Clear();
        using var plugin = new NpgsqlConnection(PluginConnection);
        NpgsqlConnection.ClearPool(plugin);
    }

    /// <summary>For the persistence plugin, which opens its own.</summary>
    public string PluginConnection => With(settings => settings.MaxPoolSize = Options.Pool);

    /// <summary>The database, checked and with a schema that this release knows.</summary>
    /// <param name="witnessFile">Where this node keeps what it saw last.</param>
    /// <exception cref="PostgresRefusedException">It must not be used as it is, or cannot be reached.</exception>
    public static PostgresSource Open(PostgresOptions options, string witnessFile, NodeAlarms alarms)
    {
        var source = new PostgresSource(options, new PostgresWitness(witnessFile), alarms);
        try
        {
            using (var connection = source.Single())
            {
                PostgresChecks.CheckServer(PostgresChecks.Look(connection), options);
                PostgresSchema.Ensure(connection, options);
                PostgresSchema.CheckWire(connection, options.Wire);
                PostgresChecks.Check(connection, source, serving: false);
            }
            return source;
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            source.Dispose();
            throw new PostgresRefusedException(
                "postgres.unreachable", $"the database {source.Name} cannot be used: {failure.Message}.", "Check the setting postgres, and that the server runs.");
        }
        catch (PostgresRefusedException)
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Server and database, without secrets.</summary>
    public string Name => $"{_settings.Database} on {_settings.Host}";

    /// <summary>A connection of its own; the caller disposes it.</summary>
    public NpgsqlConnection Single() => _single.OpenConnection();

    public void Dispose()
    {
        Witness.Dispose();
        Pool.Dispose();
        Leases.Dispose();
        _single.Dispose();
    }

    /// <summary>What every connection of the product has in common, over what the user gave.</summary>
    internal static NpgsqlConnectionStringBuilder Settings(string given)
    {
        var settings = new NpgsqlConnectionStringBuilder(given)
        {
            ApplicationName = "controlplane",
            SearchPath = $"{PostgresSchema.ReadTables},{PostgresSchema.Name}",
            CommandTimeout = Seconds(PostgresLimits.ReadMax),
            MaxAutoPrepare = PostgresLimits.PreparedMax,
            AutoPrepareMinUsages = 2,
            TcpKeepAlive = true,
            TcpKeepAliveTime = Seconds(PostgresLimits.KeepAliveAfter),
            TcpKeepAliveInterval = 1,
            Multiplexing = false,
            Enlist = false,
        };
        if (!new DbConnectionStringBuilder { ConnectionString = given }.ContainsKey("Timeout"))
        {
            settings.Timeout = Seconds(PostgresLimits.ConnectMax);
        }
        if (settings.Host!.Contains(',', StringComparison.Ordinal))
        {
            settings.TargetSessionAttributes = "primary";
        }
        settings.Options = $"{settings.Options} {SessionOptions}".Trim();
        return settings;
    }

    static string SessionOptions => string.Create(CultureInfo.InvariantCulture, $"""
        -c idle_in_transaction_session_timeout={Milliseconds(PostgresLimits.IdleInTransactionMax)} -c lock_timeout={Milliseconds(JournalLimits.Default.LockWaitMax)} -c tcp_user_timeout={Milliseconds(PostgresLimits.SilenceMax)} -c tcp_keepalives_idle={Seconds(PostgresLimits.KeepAliveAfter)} -c tcp_keepalives_interval=1 -c tcp_keepalives_count=5 -c default_transaction_isolation=read\ committed
        """);

    string With(Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(_settings.ToString());
        change(settings);
        return settings.ToString();
    }

    static int Seconds(TimeSpan span) => (int)Math.Ceiling(span.TotalSeconds);

    static int Milliseconds(TimeSpan span) => (int)span.TotalMilliseconds;
}
