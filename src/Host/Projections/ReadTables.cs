using System.Data.Common;
using System.Globalization;
using System.Text;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

sealed record OperationRow(
    string Id, string Actor, string Kind, string Status, Refusal? Problem, DateTimeOffset Started, DateTimeOffset? Ended, string Correlation);

sealed record AlarmRow(string Entity, string Code, string Severity, DateTimeOffset Since, string Reason, string Action);

/// <summary>A request of a door that was executed, with its answer once there is one.</summary>
sealed record RequestRow(EntityId Entity, string? BodyHash, StoredAnswer? Answer, long Sequence, long Revision);

sealed record EventRow(
    long Ordering, string Actor, long Sequence, DateTimeOffset At, string Type, int Version, string Who, string Correlation,
    string? Cause, string? Oid, byte[] Hash);

/// <summary>Which events; null means any.</summary>
sealed record EventFilter(
    string? Actor = null, string? Type = null, string? Who = null, string? Correlation = null,
    DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>How many things a host has.</summary>
sealed record HostCounts(long Switches, long Ports, long Nics, long Vms, long Drift);

/// <summary>What is read of the read tables.</summary>
sealed class ReadTables(IReadDatabase database)
{
    public EntityView? View(EntityId id)
    {
        using var connection = database.Open();
        return ViewRows.Find(connection, id);
    }

    /// <summary>The view of something that exists now.</summary>
    public EntityView? Present(EntityId id) => View(id) is { Gone: false } view ? view : null;

    public long Sequence(EntityId id)
    {
        using var connection = database.Open();
        return connection.Query("SELECT sequence FROM entities WHERE id = @id", ("@id", id.Text)).First(reader => reader.GetInt64(0));
    }

    /// <summary>What exists of a kind, in the order of ids: everywhere, on a host, or on a switch.</summary>
    public IReadOnlyList<EntityView> List(string kind, string? host, EntityId? onSwitch, string? after, int limit)
    {
        var where = new StringBuilder("gone = 0 AND kind = @kind AND id > @after");
        if (host is not null)
        {
            where.Append(" AND host = @host");
        }
        if (onSwitch is not null)
        {
            where.Append(" AND switch = @switch");
        }
        using var connection = database.Open();
        return connection.Query(
            $"SELECT {ViewRows.Columns} FROM entities WHERE {where} ORDER BY id LIMIT @limit",
            ("@kind", kind), ("@host", host), ("@switch", onSwitch?.Text), ("@after", after ?? ""), ("@limit", limit)).Rows(ViewRows.Read);
    }

    /// <summary>Entities that owe something, in the order of ids.</summary>
    public IReadOnlyList<EntityId> WithOpenWork(string after, int limit)
    {
        using var connection = database.Open();
        return connection.Query(
            "SELECT id FROM entities WHERE open_work = 1 AND id > @after ORDER BY id LIMIT @limit", ("@after", after), ("@limit", limit))
            .Rows(reader => EntityId.Parse(reader.GetString(0))!.Value);
    }

    public HostCounts Counts(string host)
    {
        using var connection = database.Open();
        var counts = connection.Query(
            "SELECT kind, count(*), CAST(sum(drifted) AS bigint) FROM entities WHERE host = @host AND gone = 0 GROUP BY kind", ("@host", host))
            .Rows(reader => (Kind: reader.GetString(0), Count: reader.GetInt64(1), Drifted: reader.GetInt64(2)))
            .ToDictionary(row => row.Kind);
        return new HostCounts(Of("switch"), Of("port"), Of("nic"), Of("vm"), counts.Values.Sum(row => row.Drifted));

        long Of(string kind) => counts.TryGetValue(kind, out var row) ? row.Count : 0;
    }

    public OperationRow? Operation(string id)
    {
        using var connection = database.Open();
        return connection.Query(
            "SELECT id, actor, kind, status, problem, started, ended, correlation FROM operations WHERE id = @id", ("@id", id))
            .First(reader => new OperationRow(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3),
                reader.IsDBNull(4) ? null : StoredNames.DecodeRefusal(reader.Bytes(4)), reader.Time(5),
                reader.IsDBNull(6) ? null : reader.Time(6), reader.GetString(7)));
    }

    public IReadOnlyList<AlarmRow> Alarms((string Entity, string Code)? after, int limit)
    {
        using var connection = database.Open();
        return connection.Query(
            "SELECT entity, code, severity, since, reason, action FROM alarms WHERE (entity, code) > (@entity, @code) ORDER BY entity, code LIMIT @limit",
            ("@entity", after?.Entity ?? ""), ("@code", after?.Code ?? ""), ("@limit", limit))
            .Rows(reader => new AlarmRow(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.Time(3), reader.GetString(4), reader.GetString(5)));
    }

    public RequestRow? Request(string messageId)
    {
        using var connection = database.Open();
        return connection.Query(
            "SELECT entity, body_hash, reply_name, payload, sequence, revision FROM requests WHERE message_id = @id", ("@id", messageId))
            .First(reader => new RequestRow(
                EntityId.Parse(reader.GetString(0))!.Value, reader.TextOrNull(1),
                reader.IsDBNull(3) ? null : new StoredAnswer(messageId, reader.TextOrNull(2), reader.Bytes(3)),
                reader.GetInt64(4), reader.GetInt64(5)));
    }

    /// <summary>Events after a position that the filter lets through, in order.</summary>
    public IReadOnlyList<EventRow> Events(EventFilter filter, long after, int limit)
    {
        var where = new StringBuilder("ordering > @after");
        Term(filter.Actor, " AND actor = @actor");
        Term(filter.Type, " AND type = @type");
        Term(filter.Who, " AND who = @who");
        Term(filter.Correlation, " AND correlation = @correlation");
        Term(filter.From, " AND at >= @from");
        Term(filter.To, " AND at < @to");
        using var connection = database.Open();
        return connection.Query($"""
            SELECT ordering, actor, sequence, at, type, version, who, correlation, cause, oid, hash
            FROM events WHERE {where} ORDER BY ordering LIMIT @limit
            """,
            ("@after", after), ("@actor", filter.Actor), ("@type", filter.Type), ("@who", filter.Who), ("@correlation", filter.Correlation),
            ("@from", filter.From?.UtcTicks), ("@to", filter.To?.UtcTicks), ("@limit", limit)).Rows(ReadEvent);

        void Term(object? given, string term) => where.Append(given is null ? "" : term);
    }

    /// <summary>What became visible between two positions: the entities, each with its last sequence number, and the operations that ended.</summary>
    public (IReadOnlyList<Shown> Entities, IReadOnlyList<string> Ended) Changes(long after, long upTo)
    {
        using var connection = database.Open();
        var entities = connection.Query(
            "SELECT actor, max(sequence), max(ordering) FROM events WHERE ordering > @after AND ordering <= @to GROUP BY actor", ("@after", after), ("@to", upTo))
            .Rows(reader => new Shown(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), null));
        var ended = connection.Query(
            "SELECT id FROM operations WHERE ended_ordering > @after AND ended_ordering <= @to", ("@after", after), ("@to", upTo))
            .Rows(reader => reader.GetString(0));
        return (entities, ended);
    }

    /// <summary>Head of the events, 0 when there is none.</summary>
    public long LastEvent()
    {
        using var connection = database.Open();
        return connection.Query("SELECT ordering FROM position").First(reader => reader.GetInt64(0));
    }

    static EventRow ReadEvent(DbDataReader reader) => new(
        reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2), reader.Time(3), reader.GetString(4),
        Convert.ToInt32(reader.GetInt64(5), CultureInfo.InvariantCulture), reader.GetString(6), reader.GetString(7),
        reader.TextOrNull(8), reader.TextOrNull(9), reader.Bytes(10));
}
