using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Projections;

/// <summary>Any entity as it was: the fold of its events up to a time, read from the journal.</summary>
sealed class PastViews(IJournalReader journal)
{
    const int PageRows = 1_000;

    /// <summary>
    /// Null if there was nothing yet. The first event after the time ends the fold, so that a clock that was set back
    /// makes no view in which a later event is seen and an earlier one is not. Times are compared as they are shown, in
    /// microseconds: the time of an event is a time at which it is seen.
    /// </summary>
    public EntityView? At(EntityId entity, DateTimeOffset time)
    {
        var view = EntityView.New(entity);
        while (true)
        {
            var rows = journal.OfEntity(entity, view.Sequence, PageRows);
            foreach (var row in rows)
            {
                var happened = row.Decode();
                if (happened.At.UtcTicks - (happened.At.UtcTicks % TimeSpan.TicksPerMicrosecond) > time.UtcTicks)
                {
                    return view.Sequence == 0 ? null : view;
                }
                view = view.After(happened);
            }
            if (rows.Count < PageRows)
            {
                return view.Sequence == 0 ? null : view;
            }
        }
    }
}
