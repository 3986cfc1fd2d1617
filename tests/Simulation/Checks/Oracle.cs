using ControlPlane.Actors;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>The journal at the end, against what the clients were told, and against itself.</summary>
static class Oracle
{
    /// <summary>Rows between two restarts of the projector.</summary>
    const int ViewReadEvery = 7;

    public static void Judge(World world, IReadOnlyList<Client> clients)
    {
        foreach (var id in world.Journal.Entities)
        {
            Replays(world, id);
            Views(world, id);
        }
        foreach (var group in clients.SelectMany(client => client.History).Where(request => request.Answer is not null).GroupBy(request => request.Envelope.To))
        {
            InOrder(world, group.Key, [.. group]);
        }
    }

    /// <summary>I11, I12: from the first event, and from the snapshot on, the state is the same, byte by byte.</summary>
    static void Replays(World world, EntityId id)
    {
        var rows = world.Journal.Rows(id);
        var whole = Replay(id, null, rows);
        if (!whole.AsSpan().SequenceEqual(Replay(id, null, rows)))
        {
            world.Check.Violate("I12", $"{id} is another after a second replay");
        }
        if (world.Journal.Snapshot(id) is { } snapshot && !whole.AsSpan().SequenceEqual(Replay(id, snapshot.Read(), rows)))
        {
            world.Check.Violate("I11", $"{id} is another from its snapshot at {snapshot.Sequence}");
        }
    }

    /// <summary>I13: what the projector folds, with a view read back from its bytes now and then, is the entity's own state.</summary>
    static void Views(World world, EntityId id)
    {
        var view = EntityView.New(id);
        foreach (var row in world.Journal.Rows(id))
        {
            view = view.After(Journal.AsRead(row));
            if (row.Sequence % ViewReadEvery == 0)
            {
                var state = StateNames.Decode(id, StateNames.Of(id), StateNames.Encode(id, view.State));
                view = view with { State = state, Notes = ViewNotes.Decode(view.Notes.Encode()) };
            }
        }
        if (!StateNames.Encode(id, view.State).AsSpan().SequenceEqual(Replay(id, null, world.Journal.Rows(id))))
        {
            world.Check.Violate("I13", $"the view of {id} is not its state");
        }
    }

    static byte[] Replay(EntityId id, CoreSnapshot? snapshot, IReadOnlyList<StoredEvent> rows)
    {
        var core = Mutants.Core(Mutant.None, id);
        if (snapshot is not null)
        {
            core.Step(new Input.Restore(snapshot), default);
        }
        foreach (var row in rows.Skip((int)(snapshot?.Sequence ?? 0)))
        {
            core.Step(new Input.Replay(Journal.AsRead(row)), row.At);
        }
        return StateNames.Encode(id, States.Of(core));
    }

    /// <summary>I10: what was answered before another request was sent has a smaller number. I9: what was refused changed nothing.</summary>
    static void InOrder(World world, EntityId id, IReadOnlyList<Request> requests)
    {
        var places = world.Journal.Rows(id).Where(row => row.MessageId is not null).ToDictionary(row => row.MessageId!, row => row, StringComparer.Ordinal);
        foreach (var request in requests)
        {
            if (!places.TryGetValue(request.Envelope.MessageId, out var place))
            {
                world.Check.Violate("I7", $"{id}: {request.Envelope.MessageId} was answered and is not stored");
                continue;
            }
            if (requests.FirstOrDefault(other => other.AnsweredAt < request.SentAt
                && places.TryGetValue(other.Envelope.MessageId, out var earlier) && earlier.Sequence > place.Sequence) is { } before)
            {
                world.Check.Violate("I10", $"{id}: {before.Envelope.MessageId} was answered before {request.Envelope.MessageId} was sent, and is stored after it");
            }
        }
    }
}
