using System.Collections.Concurrent;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.Agent.Tests.Fakes;

/// <summary>A driver that remembers what it was told, and that can be made to hold commands until they are let go.</summary>
sealed class CountingDriver(IDriver inner) : IDriver
{
    readonly ConcurrentDictionary<string, TaskCompletionSource> _held = new();

    public ConcurrentQueue<string> Begun { get; } = new();

    public ConcurrentQueue<string> Ended { get; } = new();

    public string Kind => inner.Kind;

    public bool Fenced => inner.Fenced;

    public void Hold(string commandId) => _held[commandId] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo(string commandId) => _held[commandId].TrySetResult();

    public IAsyncEnumerable<DriverFrame> Frames(long after, CancellationToken stop) => inner.Frames(after, stop);

    public async Task<Completion> Command(DriverCommand command, CancellationToken stop)
    {
        Begun.Enqueue(command.CommandId);
        if (_held.TryGetValue(command.CommandId, out var held))
        {
            await held.Task.WaitAsync(stop);
        }
        var completion = await inner.Command(command, stop);
        Ended.Enqueue(command.CommandId);
        return completion;
    }

    public Task<Inventory> Snapshot(CancellationToken stop) => inner.Snapshot(stop);

    public Task Fences(IReadOnlyDictionary<string, long> highestEpochs, CancellationToken stop) => inner.Fences(highestEpochs, stop);

    public Task Suspend(CancellationToken stop) => inner.Suspend(stop);

    public Task Resume(CancellationToken stop) => inner.Resume(stop);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
