using ControlPlane.Bench;

// The number of events per entity differs, so that every case runs for seconds and not for milliseconds or minutes.
var single = new RawCase(perEntity: 1, batch: 1);
IBenchCase[] cases =
[
    new BareCase(perEntity: 4),
    new FencedCase(perEntity: 50),
    new RawCase(perEntity: 100, batch: 1_000),
    single,
];

var results = new List<(string Name, Measured Measured)>();
foreach (var @case in cases)
{
    var folder = Directory.CreateTempSubdirectory("bench-");
    try
    {
        results.Add((@case.Name, await @case.Run(folder.FullName)));
    }
    finally
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }
}

var bare = results[0].Measured.PerSecond;
Console.WriteLine($"SQLite, WAL, synchronous=FULL, {Load.Entities} entities, {Environment.ProcessorCount} cores");
Console.WriteLine($"{"case",-44} {"events",8} {"seconds",8} {"events/s",9} {"x bare",7} {"rows/commit",12}");
foreach (var (name, measured) in results)
{
    var batch = measured.Commits is { } commits ? $"{(double)measured.Events / commits,12:F0}" : $"{"-",12}";
    Console.WriteLine(
        $"{name,-44} {measured.Events,8} {measured.Seconds,8:F2} {measured.PerSecond,9:F0} {measured.PerSecond / bare,7:F1} {batch}");
}

single.Latencies.Sort();
Console.WriteLine(
    $"one durable commit of one row: p50 {single.Latencies[single.Latencies.Count / 2]:F2} ms, "
    + $"p99 {single.Latencies[single.Latencies.Count * 99 / 100]:F2} ms");
