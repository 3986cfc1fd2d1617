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
                return new(Trim(All.SetItem(i, All[i] with { Answer = answer }), max));
            }
        }
        return Add(new Executed(answer.MessageId, null, answer, who, correlation), max);
    }

    static ImmutableArray<Executed> Trim(ImmutableArray<Executed> all, int max)
    {
        for (var i = 0; all.Length > max && i < all.Length;)
        {
            if (all[i].Answer is not null)
            {
                all = all.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
        return all;
    }
}
