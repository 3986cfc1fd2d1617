using System.Collections.Immutable;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// The messages that an entity has executed, oldest first, with their answers. Answered ones are forgotten beyond the
/// bound; those whose answer is still to come are kept.
/// </summary>
public sealed class ExecutedBook
{
    public static readonly ExecutedBook Empty = new([]);

    ExecutedBook(ImmutableArray<Executed> all) => All = all;

    public ImmutableArray<Executed> All { get; }

    public static ExecutedBook Of(ImmutableArray<Executed> all) => new(all);

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

    public ExecutedBook Add(Executed executed, int max) => new(Trim(All.Add(executed), max));

    /// <summary>Notes the answer to an executed message; to one that was never executed (a dropped poison), both.</summary>
    public ExecutedBook Settle(StoredAnswer answer, string who, string correlation, int max)
    {
        for (var i = All.Length - 1; i >= 0; i--)
        {
            if (All[i].MessageId == answer.MessageId)
            {
                // As the newest: it waited while others came and went, and whoever waits for it may still ask again.
                return new(Trim(All.RemoveAt(i).Add(All[i] with { Answer = answer }), max));
            }
        }
        return Add(new Executed(answer.MessageId, null, answer, who, correlation), max);
    }

    /// <summary>Only answered ones count: however many wait, an answer is remembered until so many came after it.</summary>
    static ImmutableArray<Executed> Trim(ImmutableArray<Executed> all, int max)
    {
        if (all.Length <= max)
        {
            return all;
        }
        var over = all.Count(executed => executed.Answer is not null) - max;
        return over <= 0 ? all : all.RemoveAll(executed => executed.Answer is not null && over-- > 0);
    }
}
