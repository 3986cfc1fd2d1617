using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The later rounds of announcements: spaced as QEMU spaces its own, since a switch on the way may still be learning when
/// the first one passes. Best effort: a round that fails ends its announcement, and at the bound there are no later rounds.
/// </summary>
/// <param name="round">Sends one round, if the gate is still open under the command's epoch.</param>
sealed class AnnounceRounds(Func<DriverCommand, CancellationToken, Task<bool>> round, TimeProvider time) : IAsyncDisposable
{
    public const int Rounds = 5;

    /// <summary>Announcements under way at once; the next has its first round only.</summary>
    const int Max = 1_000;

    static readonly TimeSpan First = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan Longer = TimeSpan.FromMilliseconds(100);

    readonly CancellationTokenSource _end = new();
    readonly Lock _turn = new();
    readonly HashSet<Task> _running = [];
    bool _ended;

    public void Begin(DriverCommand command)
    {
        lock (_turn)
        {
            _running.RemoveWhere(task => task.IsCompleted);
            if (_running.Count < Max && !_ended)
            {
                _running.Add(Run(command));
            }
        }
    }

    async Task Run(DriverCommand command)
    {
        try
        {
            for (var sent = 1; sent < Rounds; sent++)
            {
                await Task.Delay(First + (Longer * (sent - 1)), time, _end.Token);
                if (!await round(command, _end.Token))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The driver ends, and its announcements with it.
        }
        catch (KernelException)
        {
            // The host is going, or the device went: there is nothing left to announce.
        }
    }

    /// <summary>Safe twice: a driver may be ended by more than one hand.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] left;
        lock (_turn)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
            left = [.. _running];
        }

        await _end.CancelAsync();
        await Task.WhenAll(left);
        _end.Dispose();
    }
}
