using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using Npgsql;

namespace ControlPlane.Host.Projections.Postgres;

/// <summary>
/// Rings between nodes: after this node's commits it notifies the others, and it rings here when another one does. It is
/// only for speed, since everybody looks by himself ten times a second; so it is told after the commit and not in it,
/// where notifying would let the commits of all nodes wait for each other.
/// </summary>
sealed partial class PostgresBell(PostgresSource source, JournalHealth health, FeedSignal signal, TimeProvider time, ILogger<PostgresBell> log)
    : BackgroundService
{
    public const string Channel = "controlplane_feed";

    static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>Commits of so short a time are told together.</summary>
    static readonly TimeSpan NotifyEvery = TimeSpan.FromMilliseconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        Again(Listen, stoppingToken), Again(Notify, stoppingToken));

    async Task Again(Func<CancellationToken, Task> work, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await work(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException or IOException)
            {
                LogSilent(log, failure.Message);
                // The connection that listens is the first to know that the server is gone; those that wait in the pools went with it.
                source.ForgetIdle();
                await Task.WhenAny(Task.Delay(PauseAfterFailure, time, stop));
            }
        }
    }

    async Task Listen(CancellationToken stop)
    {
        await using var connection = source.Single();
        connection.Notification += (_, _) => signal.Ring();
        await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(stop);
        }
        while (true)
        {
            await connection.WaitAsync(stop);
        }
    }

    async Task Notify(CancellationToken stop)
    {
        while (true)
        {
            var told = health.Last;
            await health.WaitForCommitAfter(told, stop);
            await using (var notify = source.Pool.CreateCommand($"NOTIFY {Channel}"))
            {
                await notify.ExecuteNonQueryAsync(stop);
            }
            await Task.Delay(NotifyEvery, time, stop);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Nodes are not told of commits at once, only every 100 ms: {Reason}")]
    static partial void LogSilent(ILogger logger, string reason);
}
