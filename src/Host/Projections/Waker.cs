using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;

namespace ControlPlane.Host.Projections;

/// <summary>
/// After a start, entities wait until somebody speaks to them. Those that still owe something, such as a VM in the middle
/// of its stop, would wait for ever: they are found in the read tables and woken, at a bounded rate.
/// </summary>
sealed partial class Waker(Projector projector, ReadTables tables, IEntityDoor entities, TimeProvider time, ILogger<Waker> log)
    : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Until the tables show what is stored, they may name work that is done.
        while (!projector.Begun)
        {
            await Task.Delay(LookEvery, time, stoppingToken);
        }
        var (last, count) = ("", 0);
        while (tables.WithOpenWork(last, Numbers.WakesAtOnce) is { Count: > 0 } some)
        {
            foreach (var entity in some)
            {
                entities.Wake(entity);
            }
            (last, count) = (some[^1].Text, count + some.Count);
            if (some.Count < Numbers.WakesAtOnce)
            {
                break;
            }
            await Task.Delay(Numbers.WakeEvery, time, stoppingToken);
        }
        if (count > 0)
        {
            LogWoken(log, count);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Count} entities go on with what they began before")]
    static partial void LogWoken(ILogger logger, int count);
}
