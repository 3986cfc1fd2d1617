using ControlPlane.Bench;
using ControlPlane.Postgres.Tests;

if (args is ["akka-node", var port, var seed, var connection])
{
    await AkkaNode.Run(int.Parse(port, null), int.Parse(seed, null), connection);
    return 0;
}
string[] all = ["events", "postgres", "memory", "ports", "cluster"];
var parts = args.Length == 0 ? all : args;
if (parts.Except(all).Any())
{
    Console.Error.WriteLine("usage: bench [events] [postgres] [memory] [ports] [cluster]");
    return 2;
}
if (parts.Contains("events"))
{
    await Events(() => new SqliteBench(), bare: 4, raw: 100);
}
if (parts.Contains("postgres"))
{
    if (PostgresServer.Missing is { } reason)
    {
        Console.WriteLine($"postgres: left out, {reason}");
    }
    else
    {
        await Events(() => new PostgresBench(), bare: 20, raw: 100);
    }
}
if (parts.Contains("memory"))
{
    foreach (var (name, bytes) in await In(new SqliteBench(), MemoryCase.Run))
    {
        Console.WriteLine($"{name,-50} {bytes,6:F0} bytes");
    }
}
if (parts.Contains("ports"))
{
    await Ports();
}
if (parts.Contains("cluster"))
{
    await Nodes();
}
return 0;

static async Task Events(Func<BenchDatabase> fresh, int bare, int raw)
{
    // The number of events per entity differs, so that every case runs for seconds and not for milliseconds or minutes.
    var single = new RawCase(perEntity: 1, batch: 1);
    var shell = new ShellCase(perEntity: 50);
    var plain = new BareCase(bare);
    IBenchCase[] cases =
    [
        plain,
        shell,
        new FencedCase(perEntity: 50),
        new RawCase(raw, batch: 1_000),
        single,
    ];

    var results = new List<(string Name, Measured Measured)>();
    var where = "";
    foreach (var @case in cases)
    {
        var database = fresh();
        where = database.Name;
        results.Add((@case.Name, await In(database, @case.Run)));
    }

    var bareRate = results[0].Measured.PerSecond;
    Console.WriteLine($"{where}, {Load.Entities} entities, {Environment.ProcessorCount} cores");
    Console.WriteLine($"{"case",-44} {"events",8} {"seconds",8} {"events/s",9} {"x bare",7} {"rows/commit",12} {"starts/s",9}");
    foreach (var (name, measured) in results)
    {
        var batch = measured.Commits is { } commits ? $"{(double)measured.Events / commits,12:F0}" : $"{"-",12}";
        Console.WriteLine(
            $"{name,-44} {measured.Events,8} {measured.Seconds,8:F2} {measured.PerSecond,9:F0} {measured.PerSecond / bareRate,7:F1} {batch} {measured.Starts,9:F0}");
    }
    var commit = Latencies.Percentiles(single.Latencies);
    var step = Latencies.Percentiles(shell.Steps);
    var (ours, theirs) = (Latencies.Percentiles(shell.AtOnce), Latencies.Percentiles(plain.AtOnce));
    Console.WriteLine($"one durable commit of one row: p50 {commit.P50:F2} ms, p99 {commit.P99:F2} ms");
    Console.WriteLine($"one step (ask, decide, store, answer): p50 {step.P50:F2} ms, p99 {step.P99:F2} ms; {step.P50 / commit.P50:F1} x one commit at p50");
    Console.WriteLine($"{Latencies.Callers} at once: our shell p50 {ours.P50:F2} ms, p99 {ours.P99:F2} ms; bare p50 {theirs.P50:F2} ms, p99 {theirs.P99:F2} ms; {ours.P50 / theirs.P50:F1} x bare at p50");
}

static async Task Nodes()
{
    if (PostgresServer.Missing is { } reason)
    {
        Console.WriteLine($"cluster: left out, {reason}");
        return;
    }
    var (one, three) = (await ClusterCase.Rate(1), await ClusterCase.Rate(3));
    Console.WriteLine($"acknowledged changes a second over HTTP, {Environment.ProcessorCount} cores for all: one node {one:F0}, three nodes {three:F0}; {three / one:F2} x");
    var ours = await ClusterCase.Killed();
    using var database = new PostgresBench();
    var theirs = await AkkaNode.Killed(database.Connection, entities: 600);
    Console.WriteLine("kill -9 of one of three nodes, until an entity that was there has stored a change");
    Times("ours", ours);
    Times("Akka.NET's defaults", theirs);
    Console.WriteLine($"{Median(theirs) / Median(ours):F1} x at p50");

    static void Times(string name, IReadOnlyList<TimeSpan> times) => Console.WriteLine(
        $"{name,-22} p50 {Median(times).TotalSeconds:F1} s, p99 {times.Order().ElementAt(times.Count * 99 / 100).TotalSeconds:F1} s, max {times.Max().TotalSeconds:F1} s of {times.Count}");

    static TimeSpan Median(IReadOnlyList<TimeSpan> times) => times.Order().ElementAt(times.Count / 2);
}

static async Task Ports()
{
    if (!Environment.IsPrivilegedProcess)
    {
        Console.WriteLine("ports: left out, it needs root");
        return;
    }
    var (port, policy, bare, teardown) = await InFolder(PortsCase.Run);
    Console.WriteLine("p50, ms                                       first  after 2,000    ratio");
    Console.WriteLine($"a port with policies on one switch         {port.First,8:F2}     {port.Next,8:F2} {port.Ratio,6:F2} x");
    Console.WriteLine($"another policy for a port that is open     {policy.First,8:F2}     {policy.Next,8:F2} {policy.Ratio,6:F2} x");
    Console.WriteLine($"the kernel's own, a tap on a bridge        {bare.First,8:F2}     {bare.Next,8:F2} {bare.Ratio,6:F2} x");
    Console.WriteLine($"the end of a host with 2,000 of them: {teardown:F1} s, {teardown / 2:F1} ms each");
}

static async Task<T> In<T>(BenchDatabase database, Func<BenchDatabase, Task<T>> run)
{
    using (database)
    {
        return await run(database);
    }
}

static async Task<T> InFolder<T>(Func<string, Task<T>> run)
{
    var folder = Directory.CreateTempSubdirectory("bench-");
    try
    {
        return await run(folder.FullName);
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}
