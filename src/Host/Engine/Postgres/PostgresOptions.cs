using ControlPlane.Messages;
using Npgsql;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>Which PostgreSQL keeps the journal and the read tables, and what is asked of it.</summary>
/// <param name="Connection">Of the role that works at run time; it needs no right to change the schema.</param>
sealed record PostgresOptions(string Connection)
{
    public const int PoolMin = 4;
    public const int PoolMax = 1_000;

    /// <summary>Of the role that makes and changes the schema; null: the run-time role does.</summary>
    public string? Owner { get; init; }

    /// <summary>Connections of this node at most, beside the few of its writer, its leases and its projector.</summary>
    public int Pool { get; init; } = 20;

    /// <summary>Refuse a server that names no synchronous standby: then a commit that was acknowledged survives the loss of the primary.</summary>
    public bool NeedsStandby { get; init; }

    /// <summary>
    /// The newest wire version that this node may speak in a cluster. Below <see cref="StoredNames.Wire"/> nothing is stored that the
    /// former release could not read.
    /// </summary>
    public int Wire { get; init; } = StoredNames.Wire;

    /// <summary>Null when it is a connection string that names a server and a database; else what is wrong, without repeating it.</summary>
    public static string? Fault(string connection)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(connection);
            return string.IsNullOrWhiteSpace(settings.Host) ? "names no Host"
                : string.IsNullOrWhiteSpace(settings.Database) ? "names no Database"
                : string.IsNullOrWhiteSpace(settings.Username) ? "names no Username"
                : null;
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or OverflowException)
        {
            return $"is no connection string: {wrong.Message}";
        }
    }
}
