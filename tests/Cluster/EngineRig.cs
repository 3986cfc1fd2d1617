using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Messages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Tests.Cluster;

/// <summary>One process as a cluster of one, without its HTTP side. Its journal is in memory, where nothing is serialized unless asked.</summary>
sealed class EngineRig : IAgentDoor, IAsyncDisposable
{
    readonly IHost _host;

    EngineRig(CoreFactory newCore, string hocon, Setup[] setups)
    {
        var builder = new HostApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IAgentDoor>(this);
        builder.Services.AddEngine(new EngineOptions(ConfigurationFactory.ParseString(hocon + """

            akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """))
        {
            NewCore = newCore,
            JournalIsOpen = () => JournalIsOpen,
            Setups = setups,
        });
        _host = builder.Build();
    }

    public bool JournalIsOpen { get; set; } = true;

    public ActorSystem System => _host.Services.GetRequiredService<ActorSystem>();

    public ShardedEntities Entities => _host.Services.GetRequiredService<ShardedEntities>();

    public static async Task<EngineRig> Start(CoreFactory? newCore = null, string hocon = "", params Setup[] setups)
    {
        var rig = new EngineRig(newCore ?? EntityKinds.NewCore, hocon, setups);
        await rig._host.StartAsync();
        return rig;
    }

    public Task<Answer> Ask(Messages.Envelope envelope, int seconds = 20) =>
        Entities.Ask(envelope, TimeSpan.FromSeconds(seconds), CancellationToken.None);

    public void Drive(EntityId bridge, long session, DriverCommand command)
    {
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
