using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Simulation.Shells;

/// <summary>The simulation's shell, alone.</summary>
sealed class SimulatedShell : IShell, IShellWorld
{
    readonly Simulator _simulator = new(Choices.Of([]), new Trace());
    readonly Process _process;
    readonly EntityId _id;
    readonly Func<EntityId, IEntityCore> _newCore;
    readonly ShellTimes _times;
    Incarnation? _incarnation;
    Recovery? _recovery;
    Action<WriteEnd>? _written;

    public SimulatedShell(EntityId id, Func<EntityId, IEntityCore> newCore, ShellTimes times)
    {
        (_id, _newCore, _times) = (id, newCore, times);
        _process = new Process(_simulator, "simulated");
    }

    public Stage Stage { get; } = new();

    public TimeProvider Clock => _process.Clock;

    public void Begin((object Snapshot, long Sequence)? offered, Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>> reading)
    {
        Stage.Begin(offered, reading);
        _incarnation = new Incarnation(_id, _process, this, _newCore, _times, Mutant.None);
    }

    public void Recover()
    {
        Stage.Recovers();
        _recovery!(Stage.Offered?.Snapshot, Stage.Rows.Count, Stage.Read);
        Pass(TimeSpan.Zero);
    }

    public void Hear(object message, string? door)
    {
        _incarnation!.Hear(message, door);
        Pass(TimeSpan.Zero);
    }

    public void EndWrite(Fate fate)
    {
        Stage.EndWrite(fate);
        _written!(fate switch { Fate.Stored => WriteEnd.Stored, Fate.Rejected => WriteEnd.Rejected, _ => WriteEnd.Unknown });
        Pass(TimeSpan.Zero);
    }

    public void Pass(TimeSpan time)
    {
        Stage.Pass(time);
        var until = _simulator.Elapsed + time;
        while (_simulator.Step(until))
        {
        }
        if ((_simulator.Defect ?? (object?)_simulator.Escaped) is { } wrong)
        {
            throw new InvalidOperationException(wrong.ToString());
        }
    }

    void IShellWorld.Append(EntityId id, ImmutableArray<StoredEvent> rows, Action<WriteEnd> answer)
    {
        Stage.Offer(rows);
        _written = answer;
    }

    void IShellWorld.Read(EntityId id, Recovery recovery) => _recovery = recovery;

    void IShellWorld.Save(CoreSnapshot snapshot) => Stage.Save(snapshot);

    void IShellWorld.Respond(object asker, Answer answer) => Stage.Respond(asker, answer);

    void IShellWorld.Tell(EntityId to, object message) => Stage.Tell(message);

    void IShellWorld.Drive(EntityId bridge, long session, DriverCommand command) => Stage.Say($"drives {bridge} {session} {command}");

    void IShellWorld.Wake(EntityId id, bool later) => Stage.Say($"wakes {id} {(later ? "later" : "now")}");

    void IShellWorld.Passivate(EntityId id) => Stage.Say("asks to leave memory");

    void IShellWorld.Ended(EntityId id, Incarnation incarnation) => Stage.Ended();

    void IShellWorld.Fault(EntityId id, FaultKind kind, string reason) => Stage.Say($"fault {id} {kind} {reason}");
}
