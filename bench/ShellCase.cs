using System.Diagnostics;

namespace ControlPlane.Bench;

/// <summary>
/// The product's own way: a command to a sharded entity, decided by its lifecycle, stored through EntityCore and
/// EntityActor over FencedSqlJournal, answered. Each command stores one event.
/// </summary>
sealed class ShellCase(int perEntity) : IBenchCase
{
    const int StepsMeasured = 500;

    /// <summary>Asks of one entity that wait at once: a quarter of what its door permits.</summary>
    const int RoundsAtOnce = 10;

    public string Name => "our shell: sharded entities, one event a command";

    /// <summary>Latency of one step on an idle system, milliseconds.</summary>
    public List<double> Steps { get; } = [];

    /// <summary>Of requests that are open at once.</summary>
    public List<double> AtOnce { get; private set; } = [];

    public async Task<Measured> Run(BenchDatabase database)
    {
        await using var engine = await BenchEngine.Start(database);

        await All(engine, 1, -1); // every entity is in memory before the clock starts
        var commits = engine.Wiring.Health.Commits;
        var watch = Stopwatch.GetTimestamp();
        for (var round = 0; round < perEntity; round += RoundsAtOnce)
        {
            await All(engine, RoundsAtOnce, round);
        }
        var seconds = Stopwatch.GetElapsedTime(watch).TotalSeconds;
        commits = engine.Wiring.Health.Commits - commits;

        for (var i = 0; i < StepsMeasured; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await engine.Ask(BenchEngine.Envelope(0, 1_000_000 + i));
            Steps.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        AtOnce = await Latencies.AtOnce((caller, nr) => engine.Ask(BenchEngine.Envelope(caller, 2_000_000 + nr)));
        return new Measured(Load.Events(perEntity), seconds, commits);
    }

    static async Task All(BenchEngine engine, int rounds, int first) => await Task.WhenAll(
        from entity in Enumerable.Range(0, Load.Entities)
        from round in Enumerable.Range(first, rounds)
        select engine.Ask(BenchEngine.Envelope(entity, round)));
}
