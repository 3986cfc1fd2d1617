using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>
/// The database as the nodes' arbiter, over a pool that nothing else uses: a journal that is busy, or a pool that is used up,
/// must not keep a lease from being renewed (reliability.md 6).
/// </summary>
/// <param name="wire">The newest wire version that this node may speak.</param>
sealed class ClusterDatabase(NpgsqlDataSource pool, int wire)
{
    public int Wire => wire;

    /// <summary>A connection from the pool; the caller disposes it. Throws <see cref="NpgsqlException"/> while the database is away.</summary>
    public ValueTask<NpgsqlConnection> Open(CancellationToken stop) => pool.OpenConnectionAsync(stop);

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
}
