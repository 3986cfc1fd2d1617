using System.Diagnostics;

namespace ControlPlane.Bench;

/// <summary>The same rows with nothing in between: what the database itself allows at this size of batch.</summary>
sealed class RawCase(int perEntity, int batch) : IBenchCase
{
    public string Name => $"raw prepared inserts, {batch} rows a commit";

    /// <summary>How long each commit took, in milliseconds, its insert included.</summary>
    public List<double> Latencies { get; } = [];

    public Task<Measured> Run(BenchDatabase database)
    {
        using var writer = database.OpenRaw();
        var total = Load.Events(perEntity);
        var watch = Stopwatch.GetTimestamp();
        for (var at = 0; at < total; at += batch)
        {
            var commit = Stopwatch.GetTimestamp();
            writer.Store(at, Math.Min(batch, total - at));
            Latencies.Add(Stopwatch.GetElapsedTime(commit).TotalMilliseconds);
        }

        return Task.FromResult(new Measured(total, Stopwatch.GetElapsedTime(watch).TotalSeconds, Latencies.Count));
    }
}
