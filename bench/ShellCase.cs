using System.Diagnostics;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Bench;

/// <summary>
/// The product's own way: a command to a sharded entity, decided by its lifecycle, stored through EntityCore and
/// EntityActor over FencedSqlJournal, answered. Each command stores one event.
/// </summary>
sealed class ShellCase(int perEntity) : IBenchCase
{
    const int StepsMeasured = 500;
    const int IdleEntities = 10_000;

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Name => "our shell: sharded entities, one event a command";

    /// <summary>Latency of one step on an idle system, milliseconds.</summary>
    public List<double> Steps { get; } = [];

    /// <summary>Managed bytes of one resident idle entity, with its actor, core and state.</summary>
    public double BytesPerIdleEntity { get; private set; }

    public async Task<Measured> Run(string folder)
    {
        using var file = JournalFile.Open(Path.Combine(folder, "journal.db"));
        var wiring = new JournalWiring();
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IAgentDoor, NoAgents>();
        builder.Services.AddEngine(new EngineOptions(JournalSettings.Sqlite(file)) { Setups = [wiring] });
        using var host = builder.Build();
        await host.StartAsync();
        var entities = host.Services.GetRequiredService<ShardedEntities>();

        await All(entities, 1, -1); // every entity is in memory before the clock starts
        var commits = wiring.Health.Commits;
        var watch = Stopwatch.GetTimestamp();
        for (var round = 0; round < perEntity; round += RoundsAtOnce)
        {
            await All(entities, RoundsAtOnce, round);
        }
        var seconds = Stopwatch.GetElapsedTime(watch).TotalSeconds;
        commits = wiring.Health.Commits - commits;

        for (var i = 0; i < StepsMeasured; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await Ask(entities, 0, 1_000_000 + i);
            Steps.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        await MeasureIdle(entities);
        await host.StopAsync();
        return new Measured(Load.Events(perEntity), seconds, commits);
    }

    /// <summary>Asks of one entity that wait at once: a quarter of what its door permits.</summary>
    const int RoundsAtOnce = 10;

    static async Task All(ShardedEntities entities, int rounds, int first) => await Task.WhenAll(
        from entity in Enumerable.Range(0, Load.Entities)
        from round in Enumerable.Range(first, rounds)
        select Ask(entities, entity, round));

    static async Task Ask(ShardedEntities entities, int entity, int nr)
    {
        var answer = await entities.Ask(Envelope(entity, nr), Patience, CancellationToken.None);
        if (answer.Refusal is { } refusal)
        {
            throw new InvalidOperationException(refusal.Detail);
        }
    }

    static Envelope Envelope(int entity, int nr) => new(
        EntityId.Vm($"vm-{entity}"), $"bench:{nr}", "operator:bench", $"bench-{nr}",
        new DefineVm(new VmDefinition("hv01", [new NicDefinition("eth0", "vsw0", NicType.Synthetic, MacAddress.ForNic($"vm-{entity}", "eth0"))])));

    /// <summary>Wakes entities that have nothing stored, as a read of the unknown does, and weighs them.</summary>
    async Task MeasureIdle(ShardedEntities entities)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var some in Enumerable.Range(Load.Entities, IdleEntities).Chunk(500))
        {
            await Task.WhenAll(some.Select(entity => entities.Ask(Envelope(entity, 0) with { DryRun = true }, Patience, CancellationToken.None)));
        }
        BytesPerIdleEntity = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / IdleEntities;
    }

    sealed class NoAgents : IAgentDoor
    {
        public void Drive(EntityId bridge, long session, DriverCommand command)
        {
        }
    }
}
