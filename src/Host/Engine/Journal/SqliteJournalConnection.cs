using Akka.Persistence.Sql.Journal.Types;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// The writer's connection and its prepared statements, into the table that the plugin creates and reads.
/// </summary>
sealed class SqliteJournalConnection : IJournalConnection
{
    // Naming the key in ON CONFLICT makes SQLite refuse to prepare the statement if that unique key is missing: a journal
    // without its fence cannot be opened. DO NOTHING leaves the transaction alive, so a conflict costs its neighbours
    // nothing, and a write of one row needs no savepoint.
    const string InsertSql = """
        INSERT INTO journal
            (created, deleted, persistence_id, sequence_number, message, manifest, identifier, tags, writer_uuid)
        VALUES (@created, 0, @id, @nr, @message, @manifest, @identifier, @tags, @writer)
        ON CONFLICT (persistence_id, sequence_number) DO NOTHING
        """;

    const string HoldsSql = """
        SELECT count(*) FROM journal
        WHERE persistence_id = @id AND sequence_number = @nr AND writer_uuid = @writer
        """;

    readonly SqliteConnection _connection;
    readonly SqliteCommand _begin;
    readonly SqliteCommand _commit;
    readonly SqliteCommand _rollback;
    readonly SqliteCommand _savepoint;
    readonly SqliteCommand _undo;
    readonly SqliteCommand _release;
    readonly SqliteCommand _lastOrdering;
    readonly SqliteCommand _insert;
    readonly SqliteParameter _created = new("@created", SqliteType.Integer);
    readonly SqliteParameter _id = new("@id", SqliteType.Text);
    readonly SqliteParameter _nr = new("@nr", SqliteType.Integer);
    readonly SqliteParameter _message = new("@message", SqliteType.Blob);
    readonly SqliteParameter _manifest = new("@manifest", SqliteType.Text);
    readonly SqliteParameter _identifier = new("@identifier", SqliteType.Integer);
    readonly SqliteParameter _tags = new("@tags", SqliteType.Text);
    readonly SqliteParameter _writer = new("@writer", SqliteType.Text);

    public SqliteJournalConnection(SqliteConnection connection)
    {
        _connection = connection;
        // Takes the write lock at once; a deferred transaction could find the file changed under it at its first write.
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _savepoint = Prepare("SAVEPOINT one_write");
        _undo = Prepare("ROLLBACK TO one_write");
        _release = Prepare("RELEASE one_write");
        // Not last_insert_rowid(): it keeps counting rows that a savepoint has undone, and their numbers are given out
        // again, so that a reader waiting behind such a number would miss the next event.
        _lastOrdering = Prepare("SELECT max(ordering) FROM journal");
        _insert = Prepare(
            InsertSql, _created, _id, _nr, _message, _manifest, _identifier, _tags, _writer);
    }

    public void Begin() => _begin.ExecuteNonQuery();

    public void Insert(WriteAttempt attempt)
    {
        for (var i = 0; i < attempt.Writes.Count; i++)
        {
            if (attempt.Verdicts[i] is null && Insert(attempt.Writes[i]) is { } refused)
            {
                attempt.Refuse(i, refused);
            }
        }
    }

    public JournalPlace LastPlace() => new(0, _lastOrdering.ExecuteScalar() is long last ? last : 0);

    public void Commit() => _commit.ExecuteNonQuery();

    public void Rollback()
    {
        // Some failures (a full disk, an I/O error) have already rolled back.
        if (IsInTransaction)
        {
            _rollback.ExecuteNonQuery();
        }
    }

    public bool IsRolledBack(Exception commitFailure)
    {
        // These fail before the commit frame is in the log, so no later recovery can find it. Anything else (an I/O
        // error in the sync above all) may have left a whole commit frame on the disk.
        var saysSo = commitFailure is SqliteException
        {
            SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_READONLY or raw.SQLITE_BUSY or raw.SQLITE_LOCKED
        };
        if (!saysSo)
        {
            return false;
        }

        Rollback();
        return true;
    }

    public bool Holds(JournalRow row)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = HoldsSql;
        command.Parameters.AddWithValue("@id", row.PersistenceId);
        command.Parameters.AddWithValue("@nr", row.SequenceNumber);
        command.Parameters.AddWithValue("@writer", row.WriterUuid);
        return command.ExecuteScalar() is > 0L;
    }

    public void Supersede()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = $"PRAGMA user_version = {JournalFile.SchemaVersion}";
        command.ExecuteNonQuery();
    }

    public void Dispose() => _connection.Dispose();

    bool IsInTransaction => raw.sqlite3_get_autocommit(_connection.Handle) == 0;

    JournalWriteException? Insert(PendingWrite write)
    {
        try
        {
            return (write.Rows.Length == 1 ? InsertOne(write.Rows[0]) : InsertAll(write.Rows)) is { } taken
                ? new FencedException(write.PersistenceId, taken)
                : null;
        }
        catch (SqliteException failure) when (IsAboutTheRow(failure))
        {
            return new WriteRefusedException(write.PersistenceId, failure.Message, failure);
        }
    }

    long? InsertAll(JournalRow[] rows)
    {
        _savepoint.ExecuteNonQuery();
        try
        {
            foreach (var row in rows)
            {
                if (InsertOne(row) is { } taken)
                {
                    _undo.ExecuteNonQuery();
                    return taken;
                }
            }

            return null;
        }
        catch (SqliteException failure) when (IsAboutTheRow(failure))
        {
            _undo.ExecuteNonQuery();
            throw;
        }
        finally
        {
            // Gone with the transaction, if the failure ended that.
            if (IsInTransaction)
            {
                _release.ExecuteNonQuery();
            }
        }
    }

    long? InsertOne(JournalRow row)
    {
        _created.Value = row.Timestamp;
        _id.Value = row.PersistenceId;
        _nr.Value = row.SequenceNumber;
        _message.Value = row.Message;
        _manifest.Value = row.Manifest;
        _identifier.Value = row.Identifier.HasValue ? row.Identifier.Value : DBNull.Value;
        _tags.Value = row.Tags ?? (object)DBNull.Value;
        _writer.Value = row.WriterUuid;
        return _insert.ExecuteNonQuery() == 0 ? row.SequenceNumber : null;
    }

    static bool IsAboutTheRow(SqliteException failure) => failure.SqliteErrorCode
        is raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH or raw.SQLITE_RANGE;

    SqliteCommand Prepare(string sql, params SqliteParameter[] parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddRange(parameters);
        command.Prepare();
        return command;
    }
}
