using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Bench;

/// <summary>The product's engine on a journal of its own, without hosts: sharding, cores and the journal as they run.</summary>
sealed class BenchEngine : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly IHost _host;

    BenchEngine(JournalWiring wiring, IHost host)
    {
        _host = host;
        Wiring = wiring;
        Entities = host.Services.GetRequiredService<ShardedEntities>();
    }

    public JournalWiring Wiring { get; }

    public ShardedEntities Entities { get; }

    public Akka.Actor.ActorSystem System => _host.Services.GetRequiredService<Akka.Actor.ActorSystem>();

    public static async Task<BenchEngine> Start(BenchDatabase database)
    {
        var wiring = database.Wiring();
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IAgentDoor, NoAgents>();
        builder.Services.AddEngine(new EngineOptions(database.Ours) { Setups = [wiring] });
        var host = builder.Build();
        await host.StartAsync();
        return new BenchEngine(wiring, host);
    }

    /// <summary>A change of the entity with this number; each stores one event.</summary>
    public static Envelope Envelope(int entity, int nr) => new(
        EntityId.Vm($"vm-{entity}"), $"bench:{nr}", "operator:bench", $"bench-{nr}",
        new DefineVm(new VmDefinition("hv01", [new NicDefinition("eth0", "vsw0", NicType.Synthetic, MacAddress.ForNic($"vm-{entity}", "eth0"))])));

    public async Task Ask(Envelope envelope)
    {
        var answer = await Entities.Ask(envelope, Patience, CancellationToken.None);
        if (answer.Refusal is { } refusal)
        {
            throw new InvalidOperationException(refusal.Detail);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    sealed class NoAgents : IAgentDoor
    {
        public void Drive(EntityId bridge, long session, DriverCommand command)
        {
        }
    }
}
