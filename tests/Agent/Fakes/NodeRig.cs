using System.Diagnostics.CodeAnalysis;
using ControlPlane.Actors.Shell;
using ControlPlane.Agent.Link;
using ControlPlane.Host.Agents;
using ControlPlane.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Agent.Tests.Fakes;

/// <summary>A node's gateway on a unix socket, with real bridges behind it.</summary>
sealed class NodeRig : IAsyncDisposable
{
    readonly string _directory = Directory.CreateTempSubdirectory("node").FullName;
    readonly List<GrpcAgentLink> _links = [];

    NodeRig()
    {
    }

    public Bridges Bridges { get; } = new();

    public string Socket => Path.Combine(_directory, "agent.sock");

    public AgentStreams Streams => App!.Services.GetRequiredService<AgentStreams>();

    public WebApplication? App { get; private set; }

    public static async Task<NodeRig> Start(AgentGatewayOptions? options = null)
    {
        var rig = new NodeRig();
        await rig.Up(options);
        return rig;
    }

    public async Task Up(AgentGatewayOptions? options = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureAgentSocket(Socket);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2);
        });
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IEntityAsk>(Bridges);
        builder.Services.AddAgentGateway(options);
        App = builder.Build();
        App.MapAgentGateway();
        Bridges.Door = App.Services.GetRequiredService<IAgentDoor>();
        await App.StartAsync();
    }

    public async Task Down()
    {
        await App!.StopAsync().Soon();
        await App.DisposeAsync().AsTask().Soon();
        App = null;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept and disposed with the rig.")]
    public GrpcAgentLink Link()
    {
        var link = GrpcAgentLink.ToSocket(Socket);
        _links.Add(link);
        return link;
    }

    /// <summary>A stream that the test plays itself, after its hello.</summary>
    public async Task<(IAgentStream Stream, long Session)> OpenByHand(string host = "hv01")
    {
        var stream = await Link().Open(CancellationToken.None);
        await stream.Send(new LinkParcel(Hello(host)), CancellationToken.None);
        var opened = Assert.IsType<SessionOpened>((await stream.Receive(CancellationToken.None).Soon()).Word);
        return (stream, opened.Session);
    }

    public static AgentHello Hello(string host = "hv01", params DeviceState[] devices) =>
        new(host, Parcels.Protocol, new OpenSession("simulated", "1", true, new Inventory("boot", 1, 0, [], devices)));

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links)
        {
            link.Dispose();
        }
        if (App is not null)
        {
            await Down();
        }
        Directory.Delete(_directory, recursive: true);
    }
}
