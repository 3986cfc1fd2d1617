using ControlPlane.DriverAbi;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Agent;

/// <summary>
/// Where an agent's commands wait, are carried out and are remembered. It lives longer than a session, because a
/// completion that the cluster has not got yet is owed to the next one.
/// <list type="bullet">
/// <item>Commands that share a switch or a NIC are carried out in the order in which they came; others side by side.</item>
/// <item>A command that is waiting or at work is not begun twice, one that is done is answered again from memory.</item>
/// <item>A command that was overtaken by a newer one for its NIC is not carried out.</item>
/// <item>A command that still waits when a newer session opens is dropped, unless that session brings it again.</item>
/// </list>
/// </summary>
sealed class CommandDesk(IDriver driver, HostAgentOptions options, TimeProvider time, ILogger log) : IDisposable
{
    readonly Lock _sync = new();
    readonly SemaphoreSlim _slots = new(options.CommandsAtOnceMax);
    readonly CancellationTokenSource _end = new();
    readonly Dictionary<string, Held> _open = new(StringComparer.Ordinal);
    readonly Dictionary<string, Task> _tails = new(StringComparer.Ordinal);
    readonly Dictionary<string, Completion> _done = new(StringComparer.Ordinal);
    readonly Queue<string> _doneInOrder = new();
    readonly HashSet<string> _unacknowledged = new(StringComparer.Ordinal);
    readonly Queue<string> _toSend = new();
    readonly HashSet<string> _queued = new(StringComparer.Ordinal);
    readonly NewestCommands _newest = new();
    TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _session;

    /// <summary>Commands of an older session, and commands over the bound.</summary>
    public long Dropped { get; private set; }

    /// <summary>A session is open: what the cluster has no receipt for is said again.</summary>
    public void Attach(long session)
    {
        lock (_sync)
        {
            _session = session;
            _newest.Clear();
            _toSend.Clear();
            _queued.Clear();
            foreach (var id in _doneInOrder.Where(_unacknowledged.Contains))
            {
                QueueToSend(id);
            }
        }
    }

    public void Take(long session, DriverCommand command)
    {
        lock (_sync)
        {
            if (session != _session)
            {
                Dropped++;
                return;
            }
            var newer = _newest.Before(command);
            if (_done.ContainsKey(command.CommandId))
            {
                QueueToSend(command.CommandId);
            }
            else if (_open.TryGetValue(command.CommandId, out var held))
            {
                held.Session = session;
            }
            else if (_open.Count + _unacknowledged.Count >= options.CommandsMax)
            {
                Dropped++;
                AgentLog.CommandDropped(log, command.CommandId, options.CommandsMax);
            }
            else if (newer is { } by)
            {
                Remember(new Completion(command.CommandId, NdisStatus.InvalidParameter, $"overtaken by {by}"));
            }
            else
            {
                Begin(new Held(command) { Session = session });
            }
        }
    }

    /// <summary>The cluster has stored the completion.</summary>
    public void Acknowledge(string commandId)
    {
        lock (_sync)
        {
            _unacknowledged.Remove(commandId);
        }
    }

    /// <summary>Completions to send, as soon as there are any.</summary>
    public async Task<IReadOnlyList<Completion>> NextToSend(CancellationToken stop)
    {
        while (true)
        {
            Task more;
            lock (_sync)
            {
                if (_toSend.Count > 0)
                {
                    Completion[] next = [.. _toSend.Select(id => _done[id])];
                    _toSend.Clear();
                    _queued.Clear();
                    return next;
                }
                more = _more.Task;
            }
            await Together.Until(more, stop);
        }
    }

    /// <summary>Nothing is begun any more; what is at work gets so long to finish.</summary>
    public async Task Close()
    {
        Task atWork;
        lock (_sync)
        {
            _session = long.MaxValue;
            atWork = Task.WhenAll(_tails.Values);
        }
        try
        {
            await atWork.WaitAsync(options.StopTakesMax, time);
        }
        catch (TimeoutException)
        {
            AgentLog.CommandsLeft(log, options.StopTakesMax);
            Together.Cancel(_end);
            await atWork;
        }
    }

    /// <summary>After <see cref="Close"/>.</summary>
    public void Dispose()
    {
        _slots.Dispose();
        _end.Dispose();
    }

    void Begin(Held held)
    {
        _open[held.Command.CommandId] = held;
        string[] lanes = held.Command.NicKey.Length > 0
            ? ["switch " + held.Command.Switch, "nic " + held.Command.NicKey]
            : ["switch " + held.Command.Switch];
        var before = Task.WhenAll(lanes.Where(_tails.ContainsKey).Select(lane => _tails[lane]));
        // On the scheduler of whoever brought it, so that one agent stays on one.
        var run = Task.Factory.StartNew(
            () => Run(held, before), CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current).Unwrap();
        foreach (var lane in lanes)
        {
            _tails[lane] = run;
        }
        held.Ended = run.ContinueWith(_ => Leave(lanes, run), TaskScheduler.Current);
    }

    void Leave(string[] lanes, Task run)
    {
        lock (_sync)
        {
            foreach (var lane in lanes.Where(lane => _tails.GetValueOrDefault(lane) == run))
            {
                _tails.Remove(lane);
            }
        }
    }

    async Task Run(Held held, Task before)
    {
        await before;
        await _slots.WaitAsync(CancellationToken.None);
        Completion? completion = null;
        try
        {
            if (IsWanted(held))
            {
                completion = await Carry(held.Command);
            }
        }
        finally
        {
            _slots.Release();
            lock (_sync)
            {
                _open.Remove(held.Command.CommandId);
                if (completion is not null)
                {
                    _newest.Completed(held.Command, completion);
                    Remember(completion);
                }
            }
        }
    }

    bool IsWanted(Held held)
    {
        lock (_sync)
        {
            var wanted = held.Session == _session;
            Dropped += wanted ? 0 : 1;
            return wanted;
        }
    }

    /// <summary>Null: no answer in time. Whether it took effect is not known, so nothing is said and the repeat finds out.</summary>
    async Task<Completion?> Carry(DriverCommand command)
    {
        using var patience = new CancellationTokenSource(options.CommandTakesMax, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _end.Token);
        try
        {
            return await driver.Command(command, stop.Token);
        }
        catch (OperationCanceledException)
        {
            AgentLog.NoAnswer(log, command.CommandId, options.CommandTakesMax);
            return null;
        }
        catch (Exception defect) when (defect is not OutOfMemoryException)
        {
            // The seam says that this does not happen; if it does, the command must not come again for ever.
            AgentLog.DriverDefect(log, defect, command.CommandId);
            return new Completion(command.CommandId, NdisStatus.Failure, $"driver: {defect.GetType().Name}: {defect.Message}");
        }
    }

    void Remember(Completion completion)
    {
        var id = completion.CommandId;
        if (_done.TryAdd(id, completion))
        {
            _doneInOrder.Enqueue(id);
        }
        _unacknowledged.Add(id);
        QueueToSend(id);
        while (_doneInOrder.Count > options.CompletionsRememberedMax
            && _doneInOrder.Peek() is var oldest && !_unacknowledged.Contains(oldest) && !_queued.Contains(oldest))
        {
            _doneInOrder.Dequeue();
            _done.Remove(oldest);
        }
    }

    void QueueToSend(string id)
    {
        if (_queued.Add(id))
        {
            _toSend.Enqueue(id);
            _more.SetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    sealed class Held(DriverCommand command)
    {
        public DriverCommand Command { get; } = command;

        public long Session { get; set; }

        public Task? Ended { get; set; }
    }
}
