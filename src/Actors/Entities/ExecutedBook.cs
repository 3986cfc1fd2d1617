using System.Collections.Immutable;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// The messages that an entity has executed, oldest first, with their answers. Beyond the bound the answered ones lose their
/// answers; those whose answer is still to come are kept. Of the last ones without an answer it is known for longer that they
/// were executed: a copy that was held up on its way is not taken for a new message (reliability.md 9 I6).
/// </summary>
public sealed class ExecutedBook
{
    /// <summary>Messages that are remembered without their answers, as 8 bytes each; at most eight times as many as answers.</summary>
    public const int ForgottenMax = 64;

    const int ForgottenPerAnswer = 8;

    public static readonly ExecutedBook Empty = new([], []);

    ExecutedBook(ImmutableArray<Executed> all, ImmutableArray<ulong> forgotten) => (All, Forgotten) = (all, forgotten);

    public ImmutableArray<Executed> All { get; }

    /// <summary>Hashes of the ids of messages whose answers are forgotten, oldest first.</summary>
    public ImmutableArray<ulong> Forgotten { get; }

    public static ExecutedBook Of(ImmutableArray<Executed> all, ImmutableArray<ulong> forgotten) => new(all, forgotten);

    /// <summary>It was executed, and nothing else is known of it. A new id of the same hash is refused too: once in 10^17 messages.</summary>
    public bool HasForgotten(string messageId) => Forgotten.Length > 0 && Forgotten.Contains(Hash(messageId));

    public Executed? Find(string messageId)
    {
        for (var i = All.Length - 1; i >= 0; i--)
        {
            if (All[i].MessageId == messageId)
            {
                return All[i];
            }
        }
        return null;
    }

    public ExecutedBook Add(Executed executed, int max) => Trimmed(All.Add(executed), max);

    /// <summary>Notes the answer to an executed message; to one that was never executed (a dropped poison), both.</summary>
    public ExecutedBook Settle(StoredAnswer answer, string who, string correlation, int max)
    {
        for (var i = All.Length - 1; i >= 0; i--)
        {
            if (All[i].MessageId == answer.MessageId)
            {
                // As the newest: it waited while others came and went, and whoever waits for it may still ask again.
                return Trimmed(All.RemoveAt(i).Add(All[i] with { Answer = answer }), max);
            }
        }
        return Add(new Executed(answer.MessageId, null, answer, who, correlation), max);
    }

    /// <summary>Only answered ones count: however many wait, an answer is remembered until so many came after it.</summary>
    ExecutedBook Trimmed(ImmutableArray<Executed> all, int max)
    {
        var over = all.Length <= max ? 0 : all.Count(executed => executed.Answer is not null) - max;
        if (over <= 0)
        {
            return new(all, Forgotten);
        }
        var forgotten = Forgotten.AddRange(all.Where(executed => executed.Answer is not null).Take(over).Select(executed => Hash(executed.MessageId)));
        var beyond = forgotten.Length - Math.Min(ForgottenMax, ForgottenPerAnswer * max);
        return new(
            all.RemoveAll(executed => executed.Answer is not null && over-- > 0), beyond > 0 ? forgotten.RemoveRange(0, beyond) : forgotten);
    }

    /// <summary>FNV-1a of the id's UTF-16 units: it is stored in snapshots, so it is the same in every process and release.</summary>
    static ulong Hash(string messageId)
    {
        var hash = 14695981039346656037;
        foreach (var unit in messageId)
        {
            hash = unchecked((hash ^ unit) * 1099511628211);
        }
        return hash;
    }
}
