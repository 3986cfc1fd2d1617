using System.Diagnostics;

namespace ControlPlane.Bench;

/// <summary>How long single requests take, in milliseconds.</summary>
static class Latencies
{
    /// <summary>Requests that are open at once: many people, and not all of them.</summary>
    public const int Callers = 64;

    const int Each = 50;

    /// <summary>Callers that each ask again as soon as they are answered.</summary>
    /// <param name="ask">One request of a caller, with its number.</param>
    public static async Task<List<double>> AtOnce(Func<int, int, Task> ask)
    {
        var all = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            var times = new List<double>();
            for (var nr = 0; nr < Each; nr++)
            {
                var begun = Stopwatch.GetTimestamp();
                await ask(caller, nr);
                times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
            return times;
        }));
        return [.. all.SelectMany(times => times)];
    }

    public static (double P50, double P99) Percentiles(List<double> latencies)
    {
        latencies.Sort();
        return (latencies[latencies.Count / 2], latencies[latencies.Count * 99 / 100]);
    }
}
