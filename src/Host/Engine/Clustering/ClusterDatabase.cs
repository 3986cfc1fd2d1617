using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// The database as the nodes' arbiter, over a small pool of its own: a journal that is busy, or a pool that is used up, must
/// not keep a lease from being renewed (reliability.md 6).
/// </summary>
sealed class ClusterDatabase : IAsyncDisposable
{
    /// <summary>The lease, the heartbeat, one for who asks about the cluster, and one to spare.</summary>
    const int ConnectionsMax = 4;

    // Any number: what matters is that all nodes take the same.
    const long SchemaLock = 4_217_001;

    readonly NpgsqlDataSource _source;

    public ClusterDatabase(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "controlplane cluster",
            MaxPoolSize = ConnectionsMax,
            Timeout = (int)Numbers.ClusterStatementMax.TotalSeconds,
            CommandTimeout = (int)Numbers.ClusterStatementMax.TotalSeconds,
            // A statement without an answer gives its connection up; to cancel it first would wait for the same silence.
            CancellationTimeout = -1,
        };
        // Nothing here may be answered by a server that only follows.
        _source = new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost().WithTargetSession(TargetSessionAttributes.ReadWrite);
    }

    /// <summary>Makes the tables that are not there. Any number of nodes may do so at once.</summary>
    public async Task Create(CancellationToken stop)
    {
        await using var stream = typeof(ClusterDatabase).Assembly.GetManifestResourceStream("Cluster.sql")
            ?? throw new InvalidOperationException("Cluster.sql is not in the assembly");
        using var reader = new StreamReader(stream);
        var schema = await reader.ReadToEndAsync(stop);
        await using var connection = await _source.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({SchemaLock}); {schema}", connection, transaction);
        await command.ExecuteNonQueryAsync(stop);
        await transaction.CommitAsync(stop);
    }

    /// <summary>A connection from the pool; the caller disposes it. Throws <see cref="NpgsqlException"/> while the database is away.</summary>
    public ValueTask<NpgsqlConnection> Open(CancellationToken stop) => _source.OpenConnectionAsync(stop);

    /// <summary>One statement; the first column of its first row, or null.</summary>
    public async Task<object?> Scalar(string sql, CancellationToken stop, params (string Name, object Value)[] parameters)
    {
        await using var connection = await Open(stop);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }
        return await command.ExecuteScalarAsync(stop);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
