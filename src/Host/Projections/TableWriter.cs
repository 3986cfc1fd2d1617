using System.Data.Common;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>
/// The one connection that writes the tables. Everything between Begin and Commit is one transaction. After any failure it
/// is thrown away.
/// </summary>
sealed class TableWriter : IDisposable
{
    readonly DbConnection _connection;
    readonly ITablePosition _position;
    readonly DbCommand _event;
    readonly DbCommand _entity;
    readonly DbCommand _request;
    readonly DbCommand _answer;
    DbTransaction? _transaction;

    public TableWriter(IReadDatabase database)
    {
        (_connection, _position) = database.OpenWriter();
        _event = Prepare(Sql.Upsert(
            "events", "ordering",
            "ordering", "actor", "sequence", "at", "type", "version", "who", "correlation", "cause", "oid", "hash"));
        _entity = Prepare(Sql.Upsert(
            "entities", "id",
            "id", "kind", "host", "switch", "revision", "sequence", "ordering", "created", "updated", "gone", "drifted", "open_work",
            "state_name", "state", "notes"));
        _request = Prepare("""
            INSERT INTO requests (message_id, entity, body_hash, sequence, revision, at) VALUES (@id, @entity, @hash, @sequence, @revision, @at)
            ON CONFLICT DO NOTHING
            """);
        _answer = Prepare("""
            UPDATE requests SET reply_name = @reply, payload = @payload, sequence = @sequence, revision = @revision WHERE message_id = @id
            """);
    }

    public FeedPosition Position() => _position.Read();

    /// <summary>Whether this process is the one that fills the tables; asked again before its turn runs out.</summary>
    public bool Take() => _position.Take();

    /// <summary>The next one may take the turn at once.</summary>
    public void Release() => _position.Release();

    public EntityView? View(EntityId id) => ViewRows.Find(_connection, id);

    public IReadOnlySet<string> StoppedViews() =>
        _connection.Query("SELECT entity FROM stopped_views").Rows(reader => reader.GetString(0)).ToHashSet(StringComparer.Ordinal);

    /// <summary>False, and nothing begun: another one fills the tables now, or has moved them on.</summary>
    public bool Begin(FeedPosition expected)
    {
        _transaction = _connection.BeginTransaction();
        if (_position.Hold(expected, _transaction))
        {
            return true;
        }
        Close();
        return false;
    }

    public void Commit(FeedPosition position)
    {
        _position.Move(position, _transaction!);
        _transaction!.Commit();
        Close();
    }

    public void Event(JournalRow row, StoredEvent happened) => Event(
        row, StoredNames.Kind(happened.Name), StoredNames.Version(happened.Name), happened.At, happened.Who, happened.Correlation,
        happened.Cause, (happened.Event as OidCompleted)?.Oid.ToString(), happened.Hash.ToArray());

    /// <summary>A row that cannot be decoded is listed all the same, with what the journal's columns say.</summary>
    public void Unreadable(JournalRow row) =>
        Event(row, row.Manifest.Length > 0 ? row.Manifest : "?", 0, new DateTimeOffset(row.Created, TimeSpan.Zero), "", "", null, null, []);

    public void Entity(EntityView view, long ordering) => ViewRows.Write(With(_entity), view, ordering);

    /// <param name="revision">0 when the view does not say.</param>
    public void Request(StoredEvent happened, long revision)
    {
        var values = With(_request).Parameters;
        values["@id"].Value = happened.MessageId;
        values["@entity"].Value = happened.Entity.Text;
        values["@hash"].Value = (object?)happened.BodyHash ?? DBNull.Value;
        values["@sequence"].Value = happened.Sequence;
        values["@revision"].Value = revision;
        values["@at"].Value = happened.At.UtcTicks;
        _request.ExecuteNonQuery();
    }

    public void Answer(StoredEvent happened, StoredAnswer answer, long revision)
    {
        var values = With(_answer).Parameters;
        values["@id"].Value = answer.MessageId;
        values["@reply"].Value = (object?)answer.ReplyName ?? DBNull.Value;
        values["@payload"].Value = answer.Payload.ToArray();
        values["@sequence"].Value = happened.Sequence;
        values["@revision"].Value = revision;
        _answer.ExecuteNonQuery();
    }

    public void Operation(OperationChange change, JournalRow row, StoredEvent happened)
    {
        switch (change)
        {
            case OperationChange.Began(var id, var kind):
                Run(Sql.Upsert("operations", "id", "id", "actor", "kind", "status", "problem", "started", "ended", "ended_ordering", "correlation"),
                    ("@id", id), ("@actor", happened.Entity.Text), ("@kind", kind), ("@status", "running"), ("@problem", null),
                    ("@started", happened.At.UtcTicks), ("@ended", null), ("@ended_ordering", null), ("@correlation", happened.Correlation));
                break;
            case OperationChange.Ended(var id, var problem):
                Run("UPDATE operations SET status = @status, problem = @problem, ended = @at, ended_ordering = @ordering WHERE id = @id",
                    ("@id", id), ("@ordering", row.At.Number), ("@status", problem is null ? "done" : "refused"),
                    ("@problem", problem is null ? null : StoredNames.EncodeRefusal(problem)), ("@at", happened.At.UtcTicks));
                break;
        }
    }

    /// <summary>An alarm that stays open keeps the time at which it began. That the view stopped does not follow from the view.</summary>
    public void Alarms(EntityView view)
    {
        var open = Actors.Projections.Alarms.Of(view);
        var ended = _connection.Query("SELECT code FROM alarms WHERE entity = @entity AND code <> 'view.stopped'", ("@entity", view.Id.Text));
        foreach (var code in With(ended).Rows(reader => reader.GetString(0)).Except(open.Select(alarm => alarm.Code)))
        {
            Run("DELETE FROM alarms WHERE entity = @entity AND code = @code", ("@entity", view.Id.Text), ("@code", code));
        }
        foreach (var alarm in open)
        {
            Alarm(view.Id.Text, alarm, view.Updated);
        }
    }

    /// <summary>The entity's view stays as it is, with an alarm; the other entities go on.</summary>
    public void Stop(JournalRow row, string error)
    {
        Run(Sql.Upsert("stopped_views", "entity", "entity", "ordering", "error"),
            ("@entity", row.PersistenceId), ("@ordering", row.At.Number), ("@error", error));
        Alarm(row.PersistenceId, new Alarm("view.stopped", AlarmSeverity.Critical,
            $"The view stopped before event {row.Sequence}: {error}",
            "The entity itself goes on. Start a release that can read the event, then throw the read tables away: they are built again."),
            new DateTimeOffset(row.Created, TimeSpan.Zero));
    }

    public int ForgetRequests(DateTimeOffset before) =>
        _connection.Query("DELETE FROM requests WHERE at < @before", ("@before", before.UtcTicks)).Run();

    public void Dispose()
    {
        Close();
        _connection.Dispose();
    }

    void Event(
        JournalRow row, string type, int version, DateTimeOffset at, string who, string correlation, string? cause, string? oid, byte[] hash)
    {
        var values = With(_event).Parameters;
        values["@ordering"].Value = row.At.Number;
        values["@actor"].Value = row.PersistenceId;
        values["@sequence"].Value = row.Sequence;
        values["@at"].Value = at.UtcTicks;
        values["@type"].Value = type;
        values["@version"].Value = version;
        values["@who"].Value = who;
        values["@correlation"].Value = correlation;
        values["@cause"].Value = (object?)cause ?? DBNull.Value;
        values["@oid"].Value = (object?)oid ?? DBNull.Value;
        values["@hash"].Value = hash;
        _event.ExecuteNonQuery();
    }

    void Alarm(string entity, Alarm alarm, DateTimeOffset since) => Run("""
        INSERT INTO alarms (entity, code, severity, since, reason, action) VALUES (@entity, @code, @severity, @since, @reason, @action)
        ON CONFLICT (entity, code) DO UPDATE SET severity = excluded.severity, reason = excluded.reason, action = excluded.action
        """,
        ("@entity", entity), ("@code", alarm.Code), ("@severity", alarm.Severity == AlarmSeverity.Critical ? "critical" : "warning"),
        ("@since", since.UtcTicks), ("@reason", alarm.Reason), ("@action", alarm.Action));

    DbCommand Prepare(string text)
    {
        var command = _connection.Query(text);
        foreach (var word in text.Split([' ', ',', '(', ')', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(word => word[0] == '@'))
        {
            command.Add(word, null);
        }
        return command;
    }

    DbCommand With(DbCommand command)
    {
        command.Transaction = _transaction;
        return command;
    }

    void Run(string text, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        With(_connection.Query(text, parameters)).Run();
    }

    void Close()
    {
        _transaction?.Dispose();
        _transaction = null;
    }
}
