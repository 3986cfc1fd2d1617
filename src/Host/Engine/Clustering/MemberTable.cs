using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Npgsql;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>A process that was seen in the database.</summary>
/// <param name="Silent">Since it was last seen, by the database's clock.</param>
sealed record MemberRow(string Address, long Uid, string State, TimeSpan Silent);

/// <summary>What a heartbeat learns.</summary>
/// <param name="Removed">Its peers went on without this process.</param>
/// <param name="Founding">How often a cluster was founded here.</param>
/// <param name="Wire">The newest wire version that all members may speak.</param>
sealed record Heard(bool Removed, long Founding, int Wire);

/// <summary>What a process that wants to join is told.</summary>
abstract record Way
{
    /// <summary>The members that are there.</summary>
    public sealed record Join(IReadOnlyList<string> Addresses, long Founding) : Way;

    /// <summary>Nobody is there: this process is the first, and on record as that.</summary>
    public sealed record Found(long Founding) : Way;

    /// <summary>Somebody was there a moment ago, and may come back.</summary>
    public sealed record Wait(IReadOnlyList<string> Silent) : Way;
}

/// <summary>
/// The processes of the cluster in the database: by it they find each other without a list of seeds, and one that its peers
/// removed learns so, whatever network lies between.
/// </summary>
sealed class MemberTable(ClusterDatabase database)
{
    const long FoundingLock = 4_217_002;

    /// <summary>The newest wire version that this process may speak.</summary>
    public int Wire => database.Wire;

    public static string IdOf(UniqueAddress address) => IdOf(AddressOf(address.Address), address.Uid);

    public static string IdOf(string address, long uid) => string.Create(CultureInfo.InvariantCulture, $"{address}#{uid}");

    /// <summary>HOST:PORT of an address of the engine.</summary>
    public static string AddressOf(Address address) => string.Create(CultureInfo.InvariantCulture, $"{address.Host}:{address.Port}");

    /// <summary>
    /// Decides under one lock, so that of several first processes one founds and the others join it.
    /// </summary>
    /// <param name="gone">Silent processes at whose address nobody answers: they are not waited for.</param>
    public async Task<Way> Enter(string address, long uid, IReadOnlyCollection<string> gone, CancellationToken stop)
    {
        await using var connection = await database.Open(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await Run($"SELECT pg_advisory_xact_lock({FoundingLock})");
        var others = new List<MemberRow>();
        await using (var command = new NpgsqlCommand(
            "SELECT address, uid, state, clock_timestamp() - seen FROM controlplane.cluster_member WHERE state <> 'removed' AND address <> @address",
            connection, transaction))
        {
            command.Parameters.AddWithValue("address", address);
            await using var reader = await command.ExecuteReaderAsync(stop);
            while (await reader.ReadAsync(stop))
            {
                others.Add(new MemberRow(reader.GetString(0), reader.GetInt64(1), reader.GetString(2), reader.GetTimeSpan(3)));
            }
        }
        var live = others.Where(other => other.Silent < Numbers.MemberSilentMax).ToList();
        var silent = others.Where(other => other.Silent >= Numbers.MemberSilentMax && other.Silent < Numbers.MemberGoneAfter
            && !gone.Contains(other.Address)).Select(other => other.Address).ToList();
        Way way;
        if (live.Where(other => other.State == "up").Select(other => other.Address).ToList() is { Count: > 0 } up)
        {
            way = new Way.Join(up, await Founding());
        }
        else if (live.Count > 0 || silent.Count > 0)
        {
            // One that founds now is "joining" for a moment; one that was up until now may only be cut from the database.
            return new Way.Wait(silent);
        }
        else
        {
            await Run("DELETE FROM controlplane.cluster_member WHERE state <> 'removed' OR seen < clock_timestamp() - interval '1 day'");
            await Run("UPDATE controlplane.cluster_founding SET number = number + 1");
            way = new Way.Found(await Founding());
        }
        await Run("INSERT INTO controlplane.cluster_member (address, uid, state, wire) VALUES (@address, @uid, 'joining', @wire) ON CONFLICT (address, uid) DO NOTHING");
        await transaction.CommitAsync(stop);
        return way;

        async Task Run(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            command.Parameters.AddWithValue("address", address);
            command.Parameters.AddWithValue("uid", uid);
            command.Parameters.AddWithValue("wire", database.Wire);
            await command.ExecuteNonQueryAsync(stop);
        }

        async Task<long> Founding()
        {
            await using var command = new NpgsqlCommand("SELECT number FROM controlplane.cluster_founding", connection, transaction);
            return (long)(await command.ExecuteScalarAsync(stop) ?? 0L);
        }
    }

    /// <summary>Puts a process on record that joins by a list of seeds; answers the founding's number.</summary>
    public async Task<long> Register(string address, long uid, CancellationToken stop) => await database.Scalar("""
        INSERT INTO controlplane.cluster_member (address, uid, state, wire) VALUES (@address, @uid, 'joining', @wire) ON CONFLICT (address, uid) DO NOTHING;
        SELECT number FROM controlplane.cluster_founding;
        """, stop, ("address", address), ("uid", uid), ("wire", database.Wire)) as long? ?? 0;

    /// <summary>
    /// This process is there; answers what others did about it meanwhile. What all members may speak is put on record as what
    /// is spoken from now on: who may not is let in no more.
    /// </summary>
    public async Task<Heard> Beat(string address, long uid, bool up, CancellationToken stop)
    {
        await using var connection = await database.Open(stop);
        await using var command = new NpgsqlCommand("""
            UPDATE controlplane.cluster_member SET seen = clock_timestamp(), state = @state WHERE address = @address AND uid = @uid AND state <> 'removed';
            UPDATE controlplane.cluster_founding SET wire = common FROM
                (SELECT min(wire) AS common FROM controlplane.cluster_member WHERE state <> 'removed' AND seen > clock_timestamp() - @gone) members
                WHERE common > wire;
            SELECT (SELECT state FROM controlplane.cluster_member WHERE address = @address AND uid = @uid), number, wire FROM controlplane.cluster_founding;
            """, connection);
        command.Parameters.AddWithValue("address", address);
        command.Parameters.AddWithValue("uid", uid);
        command.Parameters.AddWithValue("state", up ? "up" : "joining");
        command.Parameters.AddWithValue("gone", Numbers.WireSilentMax);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        // A row that is not there was cleared by a later founding.
        return new Heard(reader.IsDBNull(0) || reader.GetString(0) == "removed", reader.GetInt64(1), reader.GetInt32(2));
    }

    /// <summary>Puts on record that the cluster goes on without a process. It never comes back; its address may, with another uid.</summary>
    public Task Remove(string address, long uid, CancellationToken stop) => database.Scalar("""
        INSERT INTO controlplane.cluster_member (address, uid, state) VALUES (@address, @uid, 'removed')
        ON CONFLICT (address, uid) DO UPDATE SET state = 'removed'
        """, stop, ("address", address), ("uid", uid));
}
