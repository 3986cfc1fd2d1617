using System.Diagnostics;

namespace ControlPlane.Agent.Tests;

/// <summary>Waiting for what must come, with a deadline for a machine that is busy.</summary>
static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static async Task Is(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Deadline, $"not within {Deadline}: {what}");
            await Task.Yield();
            await Task.Delay(1);
        }
    }

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Deadline);

    public static Task Soon(this Task task) => task.WaitAsync(Deadline);
}
