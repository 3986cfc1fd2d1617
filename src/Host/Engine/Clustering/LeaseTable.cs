using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Who holds a lease, for people who look.</summary>
/// <param name="Left">Until it ends, if it is not renewed; negative when it has ended.</param>
sealed record LeaseRow(string Owner, long Token, TimeSpan Left);

/// <summary>Leases in the database. All times are the database's own.</summary>
sealed class LeaseTable(ClusterDatabase database)
{
    /// <summary>
    /// The token under which the lease is held now, or null if another holds it. A process that its peers removed never
    /// gets one: it may have slept through their decision and find the lease free again.
    /// </summary>
    public async Task<long?> Acquire(string name, string owner, TimeSpan ttl, CancellationToken stop) => await database.Scalar("""
        INSERT INTO controlplane.cluster_lease AS held (name, owner, token, expires)
        SELECT @name, @owner, 1, clock_timestamp() + @ttl
        WHERE NOT EXISTS (SELECT FROM controlplane.cluster_member WHERE address || '#' || uid = @owner AND state = 'removed')
        ON CONFLICT (name) DO UPDATE SET owner = @owner, token = held.token + 1, expires = clock_timestamp() + @ttl
        WHERE held.owner = @owner OR held.expires < clock_timestamp()
        RETURNING token
        """, stop, ("name", name), ("owner", owner), ("ttl", ttl)) as long?;

    /// <summary>False: it ended and another took it, or it was never ours.</summary>
    public async Task<bool> Renew(string name, string owner, long token, TimeSpan ttl, CancellationToken stop) => await database.Scalar("""
        UPDATE controlplane.cluster_lease SET expires = clock_timestamp() + @ttl
        WHERE name = @name AND owner = @owner AND token = @token RETURNING token
        """, stop, ("name", name), ("owner", owner), ("token", token), ("ttl", ttl)) is not null;

    /// <summary>Ends it now, so that another need not wait; the token stays, and rises on.</summary>
    public Task Release(string name, string owner, long token, CancellationToken stop) => database.Scalar("""
        UPDATE controlplane.cluster_lease SET expires = clock_timestamp()
        WHERE name = @name AND owner = @owner AND token = @token
        """, stop, ("name", name), ("owner", owner), ("token", token));

    /// <summary>Null: nobody ever held it.</summary>
    public async Task<LeaseRow?> Find(string name, CancellationToken stop)
    {
        await using var connection = await database.Open(stop);
        await using var command = new NpgsqlCommand(
            "SELECT owner, token, expires - clock_timestamp() FROM controlplane.cluster_lease WHERE name = @name", connection);
        command.Parameters.AddWithValue("name", name);
        await using var reader = await command.ExecuteReaderAsync(stop);
        return await reader.ReadAsync(stop) ? new LeaseRow(reader.GetString(0), reader.GetInt64(1), reader.GetTimeSpan(2)) : null;
    }
}
