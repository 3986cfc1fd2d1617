using Akka.Configuration;
using Akka.Persistence.Sql;
using ControlPlane.Host.Engine.Postgres;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>The plugin's configuration, every number with its reason. The rest is the plugin's own default.</summary>
static class JournalSettings
{
    /// <summary>
    /// One node, one file. Taking the opened file and not its name makes it impossible to configure a journal whose file
    /// was not locked and checked.
    /// </summary>
    public static Config Sqlite(JournalFile file) => Of(Database(file));

    /// <summary>Many nodes, one database, which <see cref="PostgresSource"/> has checked and given its tables.</summary>
    public static Config Postgres(PostgresSource source) => Of($"""
        connection-string = "{Quoted(source.PluginConnection)}"
        provider-name = "PostgreSQL.15"
        # The schema is ours, and leaner than the plugin's.
        auto-initialize = off
        schema-name = "{PostgresSchema.Name}"
        read-isolation-level = read-committed
        """);

    static Config Of(string database) => ConfigurationFactory.ParseString($$"""
        akka.persistence {
          journal {
            plugin = "akka.persistence.journal.sql"
            sql {
              class = "{{TypeName}}"
              {{database}}

              # The plugin stamps one writer id per journal instance, so its default filter, repair-by-discard-old,
              # drops events of an entity that moved away and back (5 stored, 3 recovered, only a warning). The unique
              # key (persistence_id, sequence_number) already excludes what the filter is meant to repair.
              replay-filter { mode = off }

              # No tags are used. Csv keeps them in a column, so that no second table is created or deleted from.
              tag-write-mode = Csv

              # Row-marked deletes are enough; the metadata table would add a row to every delete.
              delete-compatibility-mode = off

              # One page of replay. Entities are snapshotted long before they have this many events.
              replay-batch-size = 1000

              # The plugin's own write queue (buffer-size, batch-size, parallelism) is not used by our class; its bounds
              # are JournalLimits.

              circuit-breaker {
                # Above every bound of the write path (lock wait, commit deadline, look-up of a lost commit: 5 + 10 + 5 s),
                # so that callers get the classified outcome and not a bare timeout.
                call-timeout = 60s
                # Never opens by itself: fences are failures too, and ten deposed entities would close the journal for
                # all others. JournalHealth is the gate, and it opens by a probe and not by waiting.
                max-failures = 2147483647
                reset-timeout = 1s
              }
            }
          }
          snapshot-store {
            plugin = "akka.persistence.snapshot-store.sql"
            sql {
              # The same database as the journal: a copy of it then never holds a snapshot that is ahead of its events.
              {{database}}
            }
          }
        }
        """).WithFallback(SqlPersistence.DefaultConfiguration);

    static string TypeName => $"{typeof(FencedSqlJournal).FullName}, {typeof(FencedSqlJournal).Assembly.GetName().Name}";

    static string Database(JournalFile file) => $"""
        connection-string = "{Quoted(ConnectionString(file.Path))}"
        provider-name = "SQLite.MS"
        auto-initialize = on
        # The driver begins every other level with BEGIN IMMEDIATE, so that each read of a recovery would queue for the
        # write lock. This one begins a plain transaction, which in WAL mode reads a committed snapshot all the same:
        # SQLite has dirty reads only between connections that share a cache, and ours do not.
        read-isolation-level = read-uncommitted
        """;

    static string Quoted(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    // Default Timeout bounds the plugin's own wait for a lock, in seconds: a snapshot that cannot be saved is given up.
    static string ConnectionString(string path) =>
        new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 10 }.ToString();
}
