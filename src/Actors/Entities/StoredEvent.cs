using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>What was answered, to which message: stored, as bytes, with the event that made it true.</summary>
/// <param name="ReplyName">The reply's stored name; null when the payload is a refusal.</param>
public sealed record StoredAnswer(string MessageId, string? ReplyName, ReadOnlyMemory<byte> Payload)
{
    public Reply? Reply => ReplyName is null ? null : (Reply)StoredNames.Decode(ReplyName, Payload.Span);

    public Refusal? Refusal => ReplyName is null ? StoredNames.DecodeRefusal(Payload.Span) : null;

    public static StoredAnswer Of(string messageId, Reply? reply, Refusal? refusal) =>
        reply?.AsRecorded() is { } kept
            ? new StoredAnswer(messageId, StoredNames.Of(kept), StoredNames.Encode(kept))
            : new StoredAnswer(messageId, null, StoredNames.EncodeRefusal(refusal ?? throw new ArgumentNullException(nameof(refusal))));
}

/// <summary>
/// One row of the journal: an event with its circumstances and its link in the entity's hash chain. The body is encoded
/// before it is stored, so that what is hashed is what is written.
/// </summary>
/// <param name="MessageId">The message whose turn this is; only on the first event of a turn.</param>
/// <param name="BodyHash">Hash of that message's body, for idempotency keys.</param>
/// <param name="Answers">Answers that became true with this turn; only on its first event.</param>
/// <param name="PreviousHash">The hash of the entity's event before this one; 32 zero bytes for the first.</param>
public sealed record StoredEvent(
    EntityId Entity,
    long Sequence,
    DateTimeOffset At,
    string Who,
    string? Cause,
    string Correlation,
    string? OperationId,
    string? MessageId,
    string? BodyHash,
    ImmutableArray<StoredAnswer> Answers,
    string Name,
    ReadOnlyMemory<byte> Body,
    ReadOnlyMemory<byte> PreviousHash,
    ReadOnlyMemory<byte> Hash)
{
    public static readonly ReadOnlyMemory<byte> NoHash = new byte[32];

    /// <summary>The event itself.</summary>
    public Event Event => _event ??= (Event)StoredNames.Decode(Name, Body.Span);

    Event? _event;

    public static StoredEvent Make(
        EntityId entity, long sequence, DateTimeOffset at, string who, string? cause, string correlation, string? operationId,
        string? messageId, string? bodyHash, ImmutableArray<StoredAnswer> answers, Event happened, ReadOnlyMemory<byte> previousHash)
    {
        var bare = new StoredEvent(
            entity, sequence, at, who, cause, correlation, operationId, messageId, bodyHash, answers,
            StoredNames.Of(happened), StoredNames.Encode(happened), previousHash, NoHash)
        { _event = happened };
        return bare with { Hash = bare.ComputeHash(), _event = happened };
    }

    /// <summary>True if the content is what was hashed: false after a flipped bit or an edited row (reliability.md 10 F44, F45).</summary>
    public bool HashHolds() => ComputeHash().AsSpan().SequenceEqual(Hash.Span);

    /// <summary>
    /// SHA-256 over a fixed binary order (reliability.md 13.2), not over JSON: the previous hash, then each field with
    /// its length before it, so that no two contents have the same bytes.
    /// </summary>
    byte[] ComputeHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([1]); // the version of this order
        hash.AppendData(PreviousHash.Span);
        AppendNumber(hash, Sequence);
        AppendNumber(hash, At.UtcTicks);
        AppendText(hash, Entity.Text);
        AppendText(hash, Who);
        AppendText(hash, Cause);
        AppendText(hash, Correlation);
        AppendText(hash, OperationId);
        AppendText(hash, MessageId);
        AppendText(hash, BodyHash);
        AppendNumber(hash, Answers.Length);
        foreach (var answer in Answers)
        {
            AppendText(hash, answer.MessageId);
            AppendText(hash, answer.ReplyName);
            AppendBytes(hash, answer.Payload.Span);
        }
        AppendText(hash, Name);
        AppendBytes(hash, Body.Span);
        return hash.GetHashAndReset();
    }

    static void AppendNumber(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        hash.AppendData(bytes);
    }

    static void AppendText(IncrementalHash hash, string? text) =>
        AppendBytes(hash, text is null ? default : Encoding.UTF8.GetBytes(text), text is null);

    static void AppendBytes(IncrementalHash hash, ReadOnlySpan<byte> bytes, bool absent = false)
    {
        AppendNumber(hash, absent ? -1 : bytes.Length);
        hash.AppendData(bytes);
    }
}
