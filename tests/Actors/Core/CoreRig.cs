using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

/// <summary>A core on a table: inputs go in by hand, what it stores and says is kept.</summary>
sealed class CoreRig(CoreLimits? limits = null)
{
    readonly List<Output> _out = [];

    public EntityCore<Toy, ToyState, PortEvent> Core { get; private set; } = Toy.Core(limits);

    public DateTimeOffset Now { get; set; } = Toy.Dawn;

    /// <summary>Rows of acknowledged writes.</summary>
    public List<StoredEvent> Journal { get; } = [];

    public Output.Persist? Open { get; private set; }

    public List<CoreSnapshot> Snapshots { get; } = [];

    public IReadOnlyList<Output> Feed(Input input)
    {
        var outputs = Core.Step(input, Now);
        foreach (var output in outputs)
        {
            Open = output as Output.Persist ?? Open;
            if (output is Output.SaveSnapshot(var snapshot))
            {
                Snapshots.Add(snapshot);
            }
        }
        _out.AddRange(outputs);
        return outputs;
    }

    public IReadOnlyList<Output> Ask(Envelope envelope, object? asker = null) => Feed(new Input.Receive(envelope, asker ?? envelope.MessageId));

    public IReadOnlyList<Output> Written()
    {
        Journal.AddRange(Open!.Rows);
        Open = null;
        return Feed(new Input.WriteDone());
    }

    /// <summary>Asks, lets every write succeed and gives the answer to this asker.</summary>
    public Answer? Do(Envelope envelope)
    {
        var asker = new object();
        var outputs = Ask(envelope, asker).ToList();
        while (Open is not null)
        {
            outputs.AddRange(Written());
        }
        return outputs.OfType<Output.Respond>().LastOrDefault(said => said.Asker == asker)?.Answer;
    }

    /// <summary>A new incarnation from the journal, with or without the last snapshot.</summary>
    public IReadOnlyList<Output> Restart(bool withSnapshot = true)
    {
        Open = null;
        Core = Toy.Core(limits);
        var from = 0L;
        if (withSnapshot && Snapshots.LastOrDefault() is { } snapshot)
        {
            Core.Step(new Input.Restore(snapshot), Now);
            from = snapshot.Sequence;
        }
        foreach (var row in Journal.Where(row => row.Sequence > from))
        {
            Core.Step(new Input.Replay(row), Now);
        }
        return Feed(new Input.RecoveryDone());
    }
}
