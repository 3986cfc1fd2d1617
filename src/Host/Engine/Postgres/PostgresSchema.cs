using System.Globalization;
using Npgsql;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>
/// The tables, made and migrated by the program itself under a lock: the journal's in one schema for ever, the read tables
/// in a schema whose name bears their version, so that two releases can run at once and a change of them is a new schema
/// that is filled from the journal.
/// </summary>
static class PostgresSchema
{
    public const string Name = "controlplane";

    /// <summary>Raised with each script <c>Journal.N.sql</c>.</summary>
    public const int Version = 3;

    /// <summary>Raised with each change of the read tables or of what is written into them.</summary>
    public const int ReadVersion = 1;

    const string ReadPrefix = "controlplane_read_";

    /// <summary>Former read tables that are kept: those of the release before, which may still run.</summary>
    const int ReadVersionsKept = 1;

    /// <summary>The number of the lock under which one process at a time changes the schema: "CPLSCHEM" in bytes.</summary>
    const long SchemaLock = 0x43504C534348454D;

    static readonly TimeSpan MigrateMax = TimeSpan.FromMinutes(10);

    public static string ReadTables => string.Create(CultureInfo.InvariantCulture, $"{ReadPrefix}{ReadVersion}");

    /// <summary>Makes or migrates what is missing; does nothing, and needs no right to, when nothing is.</summary>
    /// <exception cref="PostgresRefusedException">The schema is newer than this program, or this role may not make it.</exception>
    public static void Ensure(NpgsqlConnection runtime, PostgresOptions options)
    {
        try
        {
            var (version, readTables) = Known(runtime);
            if (version == Version && readTables)
            {
                return;
            }
            Refuse(version);
            Migrate(options);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new PostgresRefusedException(
                "postgres.schema", $"the schema is missing, old or not granted, and the role may not change it ({refused.MessageText}).",
                "Give the setting postgresOwner, or run controlplane database migrate with it once.");
        }
    }

    public static void Migrate(PostgresOptions options)
    {
        var settings = PostgresSource.Settings(options.Owner ?? options.Connection);
        settings.Pooling = false;
        settings.CommandTimeout = (int)MigrateMax.TotalSeconds;
        settings.Options += " -c lock_timeout=0 -c client_min_messages=warning";
        using var owner = new NpgsqlConnection(settings.ToString());
        owner.Open();
        using var transaction = owner.BeginTransaction();
        Run(owner, $"SELECT pg_advisory_xact_lock({SchemaLock})");
        Run(owner, $"CREATE SCHEMA IF NOT EXISTS {Name}");
        var (version, readTables) = Known(owner);
        Refuse(version);
        for (var next = version + 1; next <= Version; next++)
        {
            Run(owner, Script($"Journal.{next}.sql"));
            Run(owner, $"UPDATE {Name}.cluster SET schema_version = {next}");
        }
        if (!readTables)
        {
            Run(owner, $"CREATE SCHEMA {ReadTables}; SET LOCAL search_path = {ReadTables}; {Script("ReadTables.sql")}");
        }
        DropOldReadTables(owner);
        Grant(owner, new NpgsqlConnectionStringBuilder(options.Connection).Username!);
        transaction.Commit();
    }

    static void Refuse(int version)
    {
        if (version > Version)
        {
            throw new PostgresRefusedException(
                "postgres.newer-schema", $"the journal has schema version {version}; this program knows {Version}.", "Start the newer program.");
        }
    }

    /// <exception cref="PostgresRefusedException">The cluster speaks what this node may not: it could not read what is stored.</exception>
    public static void CheckWire(NpgsqlConnection connection, int wire)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT wire FROM {Name}.cluster_founding";
        if (command.ExecuteScalar() is int spoken && spoken > wire)
        {
            throw new PostgresRefusedException(
                "postgres.newer-wire", $"the cluster speaks wire version {spoken}; this node may speak {wire}.", "Raise its setting wire, or start the newer program.");
        }
    }

    /// <summary>The journal's version, 0 before it was made, and whether there are read tables of ours.</summary>
    static (int Version, bool ReadTables) Known(NpgsqlConnection connection)
    {
        // From the catalog, which everybody may read.
        using var command = connection.CreateCommand();
        command.CommandText = $"""
            SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'cluster' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{Name}')),
                EXISTS (SELECT FROM pg_namespace WHERE nspname = '{ReadTables}')
            """;
        bool made, readTables;
        using (var reader = command.ExecuteReader())
        {
            reader.Read();
            (made, readTables) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }
        if (!made)
        {
            return (0, readTables);
        }
        command.CommandText = $"SELECT schema_version FROM {Name}.cluster";
        return ((int)command.ExecuteScalar()!, readTables);
    }

    static void DropOldReadTables(NpgsqlConnection owner)
    {
        var old = new List<string>();
        using (var command = owner.CreateCommand())
        {
            command.CommandText = $"SELECT nspname FROM pg_namespace WHERE nspname ~ '^{ReadPrefix}[0-9]+$'";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                var name = reader.GetString(0);
                if (int.Parse(name[ReadPrefix.Length..], CultureInfo.InvariantCulture) < ReadVersion - ReadVersionsKept)
                {
                    old.Add(name);
                }
            }
        }
        old.ForEach(name => Run(owner, $"DROP SCHEMA {name} CASCADE"));
    }

    /// <summary>What the run-time role may do: append to the journal and read it, never change or delete what is in it.</summary>
    static void Grant(NpgsqlConnection owner, string role)
    {
        if (role == new NpgsqlConnectionStringBuilder(owner.ConnectionString).Username)
        {
            return;
        }
        var to = new NpgsqlCommandBuilder().QuoteIdentifier(role);
        Run(owner, $"""
            GRANT USAGE ON SCHEMA {Name}, {ReadTables} TO {to};
            GRANT SELECT, INSERT ON {Name}.journal TO {to};
            GRANT SELECT, INSERT, UPDATE, DELETE ON {Name}.snapshot TO {to};
            GRANT SELECT, UPDATE ON {Name}.cluster, {Name}.cluster_founding TO {to};
            GRANT SELECT, INSERT, UPDATE, DELETE ON {Name}.cluster_lease, {Name}.cluster_member TO {to};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {ReadTables} TO {to};
            """);
    }

    static string Script(string name)
    {
        using var stream = typeof(PostgresSchema).Assembly.GetManifestResourceStream($"Postgres.{name}")
            ?? throw new InvalidOperationException($"{name} is not in the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    static void Run(NpgsqlConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
