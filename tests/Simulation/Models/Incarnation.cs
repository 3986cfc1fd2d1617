using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// One life of an entity in the memory of one node: what <see cref="EntityActor"/> does, without the engine. The
/// comparison of both, input by input, is a test.
/// </summary>
public sealed class Incarnation
{
    /// <summary>As the core's limit: so many of those that wait are decided at once.</summary>
    const int BatchMax = 64;

    readonly EntityId _id;
    readonly Process _process;
    readonly IShellWorld _world;
    readonly ShellTimes _times;
    readonly Mutant _mutant;
    readonly Queue<(object Message, object? Asker)> _beforeRecovery = new();
    readonly Naps _naps;
    readonly Func<EntityId, IEntityCore> _newCore;
    IEntityCore _core;
    ITimer? _retry;
    ITimer? _idle;
    bool _recovered;
    bool _stopAsked;
    bool _over;
    bool _writing;

    public Incarnation(EntityId id, Process process, IShellWorld world, Func<EntityId, IEntityCore> newCore, ShellTimes times, Mutant mutant)
    {
        (_id, _process, _world, _newCore, _times, _mutant) = (id, process, world, newCore, times, mutant);
        _core = newCore(id);
        _naps = new Naps(process.Clock, Stay, effect => Feed(new Input.TimerDue(effect)));
        world.Read(id, Recover);
    }

    public bool Over => _over;

    public IEntityCore Core => _core;

    /// <summary>Messages that wait behind an open write: what the core's stash holds of them.</summary>
    public int Waiting { get; private set; }

    public void Hear(object message, object? asker = null)
    {
        if (_over)
        {
            return; // as a stopped actor: nobody hears it
        }
        if (!_recovered)
        {
            _beforeRecovery.Enqueue((message, asker));
            return;
        }
        switch (message)
        {
            case Envelope envelope:
                Feed(new Input.Receive(envelope, envelope.From is null ? asker : null));
                break;
            case Answer answer:
                Feed(new Input.ReceiveAnswer(answer));
                break;
            case Wake:
                Stay();
                break;
            case EntityStop:
                _stopAsked = true;
                Feed(new Input.Stop());
                break;
            default:
                throw new System.Diagnostics.UnreachableException(message.ToString());
        }
    }

    /// <summary>Its node is gone, or has lost it: no last word.</summary>
    public void Vanish()
    {
        _over = true;
        _retry?.Dispose();
        _idle?.Dispose();
        _naps.Dispose();
    }

    void Recover(object? snapshot, long last, Func<long, IReadOnlyList<StoredEvent>> after)
    {
        if (_over)
        {
            return;
        }
        StoredEvent? read = null;
        try
        {
            Restore(snapshot);
            foreach (var row in after(_core.Sequence))
            {
                read = row;
                _core.Step(new Input.Replay(row), _process.Clock.GetUtcNow());
            }
        }
#pragma warning disable CA1031 // As in the engine's shell: whatever it is, this incarnation cannot be.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            Fault(defect switch
            {
                UnknownWordException or System.Text.Json.JsonException => FaultKind.NeedsNewerNode,
                CorruptHistoryException => FaultKind.CorruptHistory,
                _ when read is not null => FaultKind.NeedsNewerNode,
                _ => FaultKind.Unreadable,
            }, defect.Message);
            return;
        }
        if (last != _core.Sequence)
        {
            Fault(FaultKind.CorruptHistory, $"the journal's last number is {last}, but events were read up to {_core.Sequence}");
            return;
        }
        _recovered = true;
        _idle = _process.Clock.CreateTimer(_ => Feed(new Input.Idle()), null, _times.IdleAfter, _times.IdleAfter);
        if (_mutant != Mutant.NothingAskedAgain)
        {
            Feed(new Input.RecoveryDone());
        }
        while (!_over && _beforeRecovery.TryDequeue(out var first))
        {
            Hear(first.Message, first.Asker);
        }
    }

    /// <summary>A snapshot is only a short cut: whatever is wrong with it, the events tell the truth.</summary>
    void Restore(object? offered)
    {
        try
        {
            if (offered is CoreSnapshot snapshot && snapshot.Entity == _id)
            {
                _core.Step(new Input.Restore(snapshot), _process.Clock.GetUtcNow());
            }
        }
#pragma warning disable CA1031
        catch (Exception)
#pragma warning restore CA1031
        {
            _core = _newCore(_id);
        }
    }

    /// <summary>Something came for it: it is not idle. The tick of the retry is nothing new.</summary>
    void Stay() => _idle?.Change(_times.IdleAfter, _times.IdleAfter);

    void Feed(Input input)
    {
        if (_over)
        {
            return;
        }
        if (input is not Input.Retry)
        {
            Stay();
        }
        IReadOnlyList<Output> outputs;
        try
        {
            outputs = _core.Step(input, _process.Clock.GetUtcNow());
        }
#pragma warning disable CA1031 // As in the engine's shell: a defect of the core ends this incarnation.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            Fault(FaultKind.Defect, $"{defect.GetType().Name}: {defect.Message}");
            return;
        }
        Count(input, outputs);
        foreach (var output in outputs)
        {
            CarryOut(output);
        }
        if (!_core.HasOpenWork || _over)
        {
            _retry?.Dispose();
            _retry = null;
        }
        else if (_mutant != Mutant.NothingAskedAgain)
        {
            _retry ??= _process.Clock.CreateTimer(_ => Feed(new Input.Retry()), null, _times.RetryEvery, _times.RetryEvery);
        }
    }

    void Count(Input input, IReadOnlyList<Output> outputs)
    {
        if (input is Input.WriteDone)
        {
            Waiting = Math.Max(0, Waiting - BatchMax);
            _writing = false;
        }
        else if (_writing && input is Input.Receive && outputs.Count == 0)
        {
            Waiting++;
        }
        _writing |= outputs.Any(output => output is Output.Persist);
    }

    void CarryOut(Output output)
    {
        switch (output)
        {
            case Output.Persist(var rows) when _mutant == Mutant.SpeakBeforeStore:
                _world.Append(_id, rows, end => Feed(end == WriteEnd.Stored ? new Input.Retry() : new Input.WriteFailed("after the word")));
                Feed(new Input.WriteDone());
                break;
            case Output.Persist(var rows):
                _world.Append(_id, rows, Written);
                break;
            case Output.Respond(var asker, var answer):
                _world.Respond(asker, answer);
                break;
            case Output.Send(var envelope):
                _world.Tell(envelope.To, envelope);
                break;
            case Output.SendAnswer(var answer):
                _world.Tell(answer.To!.Value, answer);
                break;
            case Output.Drive(var bridge, var session, var command):
                _world.Drive(bridge, session, command);
                break;
            case Output.WakeMe wake:
                _naps.Until(wake);
                break;
            case Output.SaveSnapshot(var snapshot):
                _world.Save(snapshot);
                break;
            case Output.Passivate:
                _world.Passivate(_id);
                break;
            case Output.End:
                End();
                break;
            default:
                throw new System.Diagnostics.UnreachableException(output.ToString());
        }
    }

    void Written(WriteEnd end) => Feed(end switch
    {
        WriteEnd.Stored => new Input.WriteDone(),
        WriteEnd.Rejected => new Input.WriteRejected("rejected"),
        _ => new Input.WriteFailed("unknown"),
    });

    void End()
    {
        Vanish();
        if (_core.MayOweWork)
        {
            _world.Wake(_id, later: !_stopAsked);
        }
        _world.Ended(_id, this);
    }

    void Fault(FaultKind kind, string reason)
    {
        Vanish();
        _world.Fault(_id, kind, reason);
        if (kind == FaultKind.Unreadable || (kind == FaultKind.Defect && _core.MayOweWork))
        {
            _world.Wake(_id, later: true);
        }
        _world.Ended(_id, this);
    }
}
