using System.Data;
using System.Globalization;
using Akka.Persistence.Sql.Journal.Types;
using ControlPlane.Host.Engine.Journal;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>
/// The writer's connection. A batch is one statement over arrays, whatever its size: begin, insert and commit are one
/// round trip each.
/// </summary>
sealed class PostgresJournalConnection : IJournalConnection
{
    /// <summary>The alarm of commits that are on the primary alone.</summary>
    public const string LocalOnly = "postgres.local-only";

    /// <summary>
    /// Times that a batch is tried again without those that met a taken number. Each time at least one entity is taken out,
    /// unless what was in the way has gone again.
    /// </summary>
    const int TriesMax = 8;

    // Naming the key makes the server refuse the statement if that unique key is missing: a journal without its fence is
    // not written to. A row that meets a transaction of another node that is still open waits for its end, for a bounded time.
    const string InsertSql = """
        WITH stored AS (
            INSERT INTO controlplane.journal
                (created, persistence_id, sequence_number, message, manifest, identifier, tags, writer_uuid)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (persistence_id, sequence_number) DO NOTHING
            RETURNING ordering)
        SELECT count(*), max(ordering), pg_current_xact_id() FROM stored
        """;

    const string TakenSql = """
        SELECT persistence_id, sequence_number FROM controlplane.journal
        WHERE (persistence_id, sequence_number) IN (SELECT * FROM unnest($1, $2))
        """;

    const string HoldsSql =
        "SELECT EXISTS (SELECT FROM controlplane.journal WHERE persistence_id = $1 AND sequence_number = $2 AND writer_uuid = $3)";

    const string LastSql = "SELECT tx, ordering FROM controlplane.journal ORDER BY tx DESC, ordering DESC LIMIT 1";

    readonly NpgsqlConnection _connection;
    readonly PostgresSource _source;
    readonly NpgsqlCommand _begin;
    readonly NpgsqlCommand _insert;
    readonly NpgsqlCommand _commit;
    readonly TimeSpan _wait;
    bool _leftBehind;
    JournalPlace? _inserted;
    JournalRow? _lastRow;
    string? _notice;

    public PostgresJournalConnection(NpgsqlConnection connection, PostgresSource source, long writerLock, JournalLimits limits)
    {
        _connection = connection;
        _source = source;
        _connection.Notice += (_, told) =>
        {
            if (told.Notice.InvariantSeverity == "WARNING")
            {
                _notice = told.Notice.MessageText;
            }
        };
        _begin = Command(
            string.Create(CultureInfo.InvariantCulture, $"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({writerLock})"));
        _insert = Command(InsertSql);
        foreach (var type in Columns)
        {
            _insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type | NpgsqlDbType.Array });
        }
        _insert.Prepare();
        // Without a limit: at its end the driver would send a cancel request, and a cancelled wait for the standby leaves the
        // commit on the primary alone (reliability.md 4.4 rule 9).
        _commit = Command("COMMIT");
        _commit.CommandTimeout = 0;
        _wait = limits.CommitDeadline;
    }

    static NpgsqlDbType[] Columns =>
    [
        NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Bigint, NpgsqlDbType.Bytea, NpgsqlDbType.Text, NpgsqlDbType.Integer,
        NpgsqlDbType.Text, NpgsqlDbType.Text,
    ];

    /// <summary>The session's own durability and bounds, whatever the server's defaults are.</summary>
    public static void Harden(NpgsqlConnection connection, JournalLimits limits)
    {
        using var command = connection.CreateCommand();
        // remote_apply is stronger and stays.
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"""
            SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
                set_config('lock_timeout', '{(long)limits.LockWaitMax.TotalMilliseconds}', false), set_config('statement_timeout', '0', false)
            """);
        command.ExecuteNonQuery();
    }

    public void Begin()
    {
        if (_connection.State != ConnectionState.Open)
        {
            throw new IOException("the connection to the database was lost");
        }
        (_inserted, _lastRow) = (null, null);
        // Taken by every transaction of this writer: who gets it knows that a lost one has ended.
        _begin.ExecuteNonQuery();
    }

    public void Insert(WriteAttempt attempt)
    {
        RefuseDoubles(attempt);
        for (var tries = 1; ; tries++)
        {
            var rows = Undecided(attempt);
            if (rows.Count == 0 || TryInsert(attempt, rows))
            {
                return;
            }
            if (tries == TriesMax)
            {
                throw new IOException($"rows were in the way of a batch {TriesMax} times");
            }
        }
    }

    public JournalPlace LastPlace()
    {
        if (_inserted is { } place)
        {
            return place;
        }
        using var command = Command(LastSql);
        using var reader = command.ExecuteReader();
        return reader.Read() ? new JournalPlace(reader.GetFieldValue<ulong>(0), reader.GetInt64(1)) : default;
    }

    public void Commit()
    {
        _notice = null;
        if (_inserted is null)
        {
            CommitWithin(_wait);
        }
        else
        {
            // The deadline of the batch gives this thread up.
            _commit.ExecuteNonQuery();
        }
        if (_notice is { } notice)
        {
            _source.Alarms.Raise(
                LocalOnly, critical: true, $"A commit is on the primary alone: {notice}",
                "Bring the synchronous standby back. Nothing is acknowledged until a commit has reached it.");
            throw new LocalOnlyCommitException(notice);
        }
        _source.Alarms.Clear(LocalOnly);
        if (_lastRow is { } last)
        {
            _source.Witness.Acknowledged(last);
        }
    }

    public void Rollback()
    {
        (_inserted, _lastRow) = (null, null);
        Run("ROLLBACK");
    }

    // An ERROR in answer to COMMIT means that the transaction was aborted. FATAL may come after the commit record.
    public bool IsRolledBack(Exception commitFailure) => commitFailure is PostgresException { InvariantSeverity: "ERROR" };

    public bool Holds(JournalRow row)
    {
        using var command = Command(HoldsSql);
        command.Parameters.Add(new() { Value = row.PersistenceId });
        command.Parameters.Add(new() { Value = row.SequenceNumber });
        command.Parameters.Add(new() { Value = row.WriterUuid });
        var holds = (bool)command.ExecuteScalar()!;
        _lastRow = holds ? row : _lastRow;
        return holds;
    }

    // A record in the write-ahead log that commits with this transaction: flushed, and sent to the standby, like any other.
    public void Supersede() => Run("SELECT pg_logical_emit_message(true, 'controlplane', 'probe')");

    public void Dispose()
    {
        if (!_leftBehind)
        {
            _connection.Dispose();
        }
    }

    /// <summary>A probe or a look-up has no deadline over it: after its own the connection is left to itself until the server answers.</summary>
    void CommitWithin(TimeSpan wait)
    {
        var commit = _commit.ExecuteNonQueryAsync();
        if (((IAsyncResult)commit).AsyncWaitHandle.WaitOne(wait))
        {
            commit.GetAwaiter().GetResult();
            return;
        }
        _leftBehind = true;
        _ = commit.ContinueWith(_ => _connection.Dispose(), TaskScheduler.Default);
        throw new TimeoutException($"the commit took longer than {wait.TotalSeconds} s");
    }

    /// <summary>Two live incarnations in one node may be in one batch: the second would only conflict with the first.</summary>
    static void RefuseDoubles(WriteAttempt attempt)
    {
        var keys = new HashSet<(string, long)>();
        for (var i = 0; i < attempt.Writes.Count; i++)
        {
            if (attempt.Verdicts[i] is null && Array.Find(attempt.Writes[i].Rows, row => !keys.Add((row.PersistenceId, row.SequenceNumber))) is { } taken)
            {
                attempt.Refuse(i, new FencedException(taken.PersistenceId, taken.SequenceNumber));
            }
        }
    }

    /// <summary>In the order of ids: two nodes whose batches meet wait for each other in one direction only.</summary>
    static List<JournalRow> Undecided(WriteAttempt attempt)
    {
        var rows = new List<JournalRow>();
        for (var i = 0; i < attempt.Writes.Count; i++)
        {
            if (attempt.Verdicts[i] is null)
            {
                rows.AddRange(attempt.Writes[i].Rows);
            }
        }
        return [.. rows.OrderBy(row => row.PersistenceId, StringComparer.Ordinal)];
    }

    /// <summary>False: the transaction was begun anew, and those that must not be in it have their verdict.</summary>
    bool TryInsert(WriteAttempt attempt, List<JournalRow> rows)
    {
        try
        {
            if (Store(rows) == rows.Count)
            {
                return true;
            }
            Again();
            RefuseTaken(attempt, rows);
        }
        catch (PostgresException failure) when (IsAboutTheRow(failure))
        {
            Again();
            RefuseEachThatFails(attempt);
            Again();
        }
        return false;
    }

    void Again()
    {
        Rollback();
        Begin();
    }

    void RefuseTaken(WriteAttempt attempt, List<JournalRow> rows)
    {
        var taken = new HashSet<(string, long)>();
        using (var command = Command(TakenSql))
        {
            command.Parameters.Add(new() { Value = rows.Select(row => row.PersistenceId).ToArray() });
            command.Parameters.Add(new() { Value = rows.Select(row => row.SequenceNumber).ToArray() });
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                taken.Add((reader.GetString(0), reader.GetInt64(1)));
            }
        }
        for (var i = 0; i < attempt.Writes.Count; i++)
        {
            if (attempt.Verdicts[i] is null
                && Array.Find(attempt.Writes[i].Rows, row => taken.Contains((row.PersistenceId, row.SequenceNumber))) is { } met)
            {
                attempt.Refuse(i, new FencedException(met.PersistenceId, met.SequenceNumber));
            }
        }
    }

    /// <summary>The server names no row when it refuses a statement: each write is tried alone, and undone again.</summary>
    void RefuseEachThatFails(WriteAttempt attempt)
    {
        for (var i = 0; i < attempt.Writes.Count; i++)
        {
            if (attempt.Verdicts[i] is not null)
            {
                continue;
            }
            Run("SAVEPOINT one_write");
            try
            {
                Store(attempt.Writes[i].Rows);
            }
            catch (PostgresException failure) when (IsAboutTheRow(failure))
            {
                attempt.Refuse(i, new WriteRefusedException(attempt.Writes[i].PersistenceId, failure.MessageText, failure));
            }
            Run("ROLLBACK TO SAVEPOINT one_write");
        }
    }

    int Store(IReadOnlyCollection<JournalRow> rows)
    {
        var values = _insert.Parameters;
        values[0].Value = rows.Select(row => row.Timestamp).ToArray();
        values[1].Value = rows.Select(row => row.PersistenceId).ToArray();
        values[2].Value = rows.Select(row => row.SequenceNumber).ToArray();
        values[3].Value = rows.Select(row => row.Message).ToArray();
        values[4].Value = rows.Select(row => row.Manifest).ToArray();
        values[5].Value = rows.Select(row => row.Identifier).ToArray();
        values[6].Value = rows.Select(row => string.IsNullOrEmpty(row.Tags) ? null : row.Tags).ToArray();
        values[7].Value = rows.Select(row => row.WriterUuid).ToArray();
        using var reader = _insert.ExecuteReader();
        reader.Read();
        var count = checked((int)reader.GetInt64(0));
        if (count > 0)
        {
            (_inserted, _lastRow) = (new JournalPlace(reader.GetFieldValue<ulong>(2), reader.GetInt64(1)), rows.Last());
        }
        return count;
    }

    /// <summary>Wrong data (22) or a constraint (23): the same rows would fail again, their neighbours not.</summary>
    static bool IsAboutTheRow(PostgresException failure) =>
        failure.SqlState.StartsWith("22", StringComparison.Ordinal) || failure.SqlState.StartsWith("23", StringComparison.Ordinal)
        || failure.SqlState == PostgresErrorCodes.ProgramLimitExceeded;

    NpgsqlCommand Command(string sql) => new(sql, _connection);

    void Run(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }
}
