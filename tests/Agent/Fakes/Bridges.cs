using System.Collections.Concurrent;
using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Agents;
using ControlPlane.Messages;

namespace ControlPlane.Agent.Tests.Fakes;

/// <summary>The engine's door with real bridges behind it, whose journal is a list that never fails.</summary>
sealed class Bridges : IEntityAsk
{
    readonly Lock _sync = new();
    readonly Dictionary<EntityId, IEntityCore> _cores = [];

    /// <summary>By which bridges judge.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>The bridge as the read tables would show it; null: nothing of it was ever stored.</summary>
    public BridgeState? Shown(string host)
    {
        var rows = Stored.Where(row => row.Entity == EntityId.Bridge(host)).Select(row => row.Event).OfType<BridgeEvent>().ToList();
        return rows.Count == 0 ? null : rows.Aggregate(BridgeLifecycle.Initial(EntityId.Bridge(host)), BridgeLifecycle.Evolve);
    }

    /// <summary>Where bridges hand their commands.</summary>
    public IAgentDoor? Door { get; set; }

    /// <summary>Everything that was asked, in order.</summary>
    public ConcurrentQueue<Envelope> Asked { get; } = new();

    /// <summary>Stored events of all bridges, in order.</summary>
    public ConcurrentQueue<StoredEvent> Stored { get; } = new();

    /// <summary>Answers a question in the bridge's place; null lets it through.</summary>
    public Func<Envelope, Refusal?>? InsteadOfBridge { get; set; }

    public async Task<Answer> Ask(Envelope envelope, TimeSpan timeout, CancellationToken stop)
    {
        Asked.Enqueue(envelope);
        if (InsteadOfBridge?.Invoke(envelope) is { } refusal)
        {
            return new Answer(envelope.MessageId, envelope.To, null, 0, 0, null, refusal);
        }
        var answer = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        Feed(envelope.To, new Input.Receive(envelope, answer));
        return await answer.Task.WaitAsync(timeout, stop);
    }

    /// <summary>A command as a port or NIC would ask for it; the answer is its completion.</summary>
    public async Task<Completion> Issue(string host, DriverCommand command)
    {
        var envelope = new Envelope(EntityId.Bridge(host), $"test>{command.CommandId}", "test", "test", new IssueCommand(command));
        var answer = await Ask(envelope, Eventually.Deadline, CancellationToken.None);
        return Assert.IsType<CommandDone>(answer.Reply).Completion;
    }

    /// <summary>What the shell's timer does every two seconds.</summary>
    public void Retry(string host) => Feed(EntityId.Bridge(host), new Input.Retry());

    public IEnumerable<Command> Heard => Asked.Select(envelope => envelope.Body);

    void Feed(EntityId id, Input input)
    {
        lock (_sync)
        {
            if (!_cores.TryGetValue(id, out var core))
            {
                _cores[id] = core = EntityKinds.NewCore(id);
                core.Step(new Input.RecoveryDone(), DateTimeOffset.UnixEpoch);
            }
            var inputs = new Queue<Input>([input]);
            while (inputs.TryDequeue(out var next))
            {
                foreach (var output in core.Step(next, Time.GetUtcNow()))
                {
                    CarryOut(output, inputs);
                }
            }
        }
    }

    void CarryOut(Output output, Queue<Input> inputs)
    {
        switch (output)
        {
            case Output.Persist(var rows):
                foreach (var row in rows)
                {
                    Stored.Enqueue(row);
                }
                inputs.Enqueue(new Input.WriteDone());
                break;
            case Output.Respond(var asker, var answer):
                ((TaskCompletionSource<Answer>)asker).TrySetResult(answer);
                break;
            case Output.Drive(var bridge, var session, var command):
                Door?.Drive(bridge, session, command);
                break;
            default:
                break; // Messages to entities that are not part of these stories.
        }
    }
}
