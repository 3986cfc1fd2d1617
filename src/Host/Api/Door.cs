using System.Globalization;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Security;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api;

/// <summary>Asks an entity; every outcome is an answer.</summary>
delegate Task<Answer> AskEntity(Envelope envelope, TimeSpan patience, CancellationToken stop);

/// <summary>
/// The way from a request to an entity and back. A repeat that runs beside its first joins it; one that comes after the
/// entity has forgotten is answered from the read tables; and an answer is given when the read tables show the change, so
/// that what a client reads next is what it wrote.
/// </summary>
sealed class Door(AskEntity ask, ReadTables tables, Positions positions, Projector projector)
{
    /// <summary>An entity answers in milliseconds; an OID waits for its turn and for the host.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long an answer waits for the read tables (read your writes).</summary>
    static readonly TimeSpan ViewPatience = TimeSpan.FromSeconds(2);

    /// <summary>Changes in flight; entities bound what each of them takes.</summary>
    const int InFlightMax = 4_096;

    readonly Lock _lock = new();
    readonly Dictionary<string, (string? BodyHash, Task<Answer> Answer)> _inFlight = new(StringComparer.Ordinal);

    /// <summary>Sends a change as this request asks for it: its caller, If-Match, dryRun and deadline.</summary>
    public Task<Answer> Change(HttpContext http, Query query, EntityId to, Command command, RequestKey key, bool operation = false) => Send(
        new Envelope(
            to, key.MessageId, http.Caller().Who, key.Id, command,
            OperationId: operation ? key.Id : null, BodyHash: key.BodyHash, Deadline: Deadline(http),
            IfRevision: IfMatch(http), DryRun: query.DryRun),
        http.RequestAborted);

    /// <summary>
    /// True when the answer of <see cref="Change"/> does not depend on what there is now: a repeat has its answer from
    /// the first, and before the read tables are filled nothing is taken. What a handler looks up first is for the others.
    /// </summary>
    public bool Settled(Query query, RequestKey key)
    {
        if (!projector.Begun)
        {
            return true;
        }
        if (query.DryRun || !RequestIds.OfDoor(key.MessageId))
        {
            return false;
        }
        lock (_lock)
        {
            if (_inFlight.ContainsKey(key.MessageId))
            {
                return true;
            }
        }
        return tables.Request(key.MessageId) is not null;
    }

    async Task<Answer> Send(Envelope envelope, CancellationToken stop)
    {
        if (!projector.Begun)
        {
            return Refuse(envelope, RefusalKind.Unavailable, "read.behind", "The read tables are being filled from the journal; try again later.");
        }
        if (!envelope.DryRun && RequestIds.OfDoor(envelope.MessageId))
        {
            if (Recorded(envelope) is { } recorded)
            {
                return recorded;
            }
            // Not cancelled with the caller: others may have joined, and what was asked for goes on.
            return await Joined(envelope).WaitAsync(stop);
        }
        return await Asked(envelope);
    }

    Answer? Recorded(Envelope envelope) => tables.Request(envelope.MessageId) switch
    {
        null => null,
        var known when known.Entity != envelope.To || (known.BodyHash is { } hash && hash != envelope.BodyHash) => Mismatch(envelope),
        { Answer: { } answer } known => new Answer(
            envelope.MessageId, known.Entity, null, known.Sequence, known.Revision, answer.Reply, answer.Refusal),
        _ => null,
    };

    Task<Answer> Joined(Envelope envelope)
    {
        lock (_lock)
        {
            if (_inFlight.TryGetValue(envelope.MessageId, out var first))
            {
                return first.BodyHash == envelope.BodyHash ? first.Answer : Task.FromResult(Mismatch(envelope));
            }
            if (_inFlight.Count >= InFlightMax)
            {
                return Task.FromResult(Refuse(envelope, RefusalKind.Overloaded, "door.overloaded", $"{InFlightMax} changes are under way; try again later."));
            }
            var answer = Finished(envelope);
            if (!answer.IsCompleted)
            {
                _inFlight[envelope.MessageId] = (envelope.BodyHash, answer);
            }
            return answer;
        }
    }

    async Task<Answer> Finished(Envelope envelope)
    {
        // Off the lock, whatever the ask does at first.
        await Task.Yield();
        try
        {
            return await Asked(envelope);
        }
        finally
        {
            lock (_lock)
            {
                _inFlight.Remove(envelope.MessageId);
            }
        }
    }

    async Task<Answer> Asked(Envelope envelope)
    {
        var answer = await ask(envelope, Patience, CancellationToken.None);
        if (answer.Sequence > 0 && !envelope.DryRun)
        {
            await Reached(answer.From, answer.Sequence, CancellationToken.None);
        }
        return answer;
    }

    /// <summary>True when the read tables show the entity at this sequence number.</summary>
    public Task<bool> Reached(EntityId entity, long sequence, CancellationToken stop) =>
        positions.Reached(entity.Text, sequence, () => tables.Sequence(entity), ViewPatience, stop);

    static long? IfMatch(HttpContext http)
    {
        var values = http.Request.Headers.IfMatch;
        if (values.Count == 0 || values == "*")
        {
            return null;
        }
        return values.Count == 1 && long.TryParse(values[0]!.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? revision
            : throw new BadInputException(Problem.Malformed("header.if-match", "If-Match is an ETag of this server, or *.", "If-Match"));
    }

    static DateTimeOffset? Deadline(HttpContext http)
    {
        var values = http.Request.Headers["Request-Deadline"];
        return values.Count == 0 ? null
            : values.Count == 1 && Times.Parse(values[0] ?? "") is { } time ? time
            : throw new BadInputException(Problem.Malformed("header.deadline", "Request-Deadline is a time such as 2026-11-22T10:00:00Z.", "Request-Deadline"));
    }

    static Answer Mismatch(Envelope envelope) =>
        Refuse(envelope, RefusalKind.Unprocessable, "idempotency.mismatch", "The key was used before with another request.");

    static Answer Refuse(Envelope envelope, RefusalKind kind, string code, string detail) =>
        new(envelope.MessageId, envelope.To, null, 0, 0, null, new Refusal(kind, code, detail));
}
