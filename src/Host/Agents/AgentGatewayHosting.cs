using System.Net.Sockets;
using Akka.Actor;
using ControlPlane.Actors.Shell;
using ControlPlane.Agent.Link;
using ControlPlane.Host.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ControlPlane.Host.Agents;

/// <summary>How the agents' gateway is put into a node.</summary>
static class AgentGatewayHosting
{
    const int CertificateRequestMax = 8 * 1024;

    /// <summary>
    /// Adds the gateway and <see cref="IAgentDoor"/>. The engine and <see cref="TimeProvider"/> are the host's to add.
    /// </summary>
    public static IServiceCollection AddAgentGateway(this IServiceCollection services, AgentGatewayOptions? options = null)
    {
        services.AddGrpc().AddServiceOptions<AgentGateway>(grpc =>
        {
            grpc.MaxReceiveMessageSize = Parcels.BytesMax;
            grpc.MaxSendMessageSize = Parcels.BytesMax;
        });
        services.Configure<SocketTransportOptions>(OwnerOnly);
        services.TryAddSingleton(options ?? new AgentGatewayOptions());
        services.AddSingleton<AgentGatewaySurroundings>();
        services.AddSingleton<AgentStreams>();
        services.AddSingleton<OpeningGuard>();
        services.AddSingleton<AgentGateway>();
        services.TryAddSingleton<IEntityAsk, ShardedAsk>();
        services.AddSingleton<IAgentDoor, AgentDoor>();
        return services;
    }

    /// <summary>Adds the ways to agents whose streams other nodes have.</summary>
    public static IServiceCollection AddAgentRoutes(this IServiceCollection services) => services
        .AddSingleton(provider => new AgentRoutes(provider.GetRequiredService<ActorSystem>, provider.GetRequiredService<AgentStreams>()))
        .AddHostedService(provider => provider.GetRequiredService<AgentRoutes>());

    /// <summary>Adds what agents over TLS need; their listener is <see cref="AgentTls"/>'s.</summary>
    public static IServiceCollection AddAgentCertificates(this IServiceCollection services, NodeCertificate node, Issuer? issuer)
    {
        services.AddGrpc().AddServiceOptions<CertificateDesk>(grpc => grpc.MaxReceiveMessageSize = CertificateRequestMax);
        return services.AddSingleton(node).AddSingleton(new IssuerOfNode(issuer)).AddSingleton<CertificateDesk>();
    }

    public static void MapAgentCertificates(this IEndpointRouteBuilder app) => app.MapGrpcService<CertificateDesk>();

    public static void MapAgentGateway(this IEndpointRouteBuilder app) => app.MapGrpcService<AgentGateway>();

    /// <summary>Listens for agents on a unix socket. Throws if another process listens there.</summary>
    public static void ConfigureAgentSocket(this KestrelServerOptions kestrel, string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
        {
            Directory.CreateDirectory(directory);
        }
        RemoveStale(path);
        kestrel.ListenUnixSocket(path, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection =>
            {
                connection.Features.Set(AgentSocket.Mark);
                return next(connection);
            });
        });
    }

    /// <summary>A socket file outlives a process that was killed. One that somebody answers is not ours to remove.</summary>
    static void RemoveStale(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }
        throw new IOException($"Another process listens on {path}.");
    }

    /// <summary>Between bind and listen nobody can connect, so there is no moment in which the socket is open to others.</summary>
    static void OwnerOnly(SocketTransportOptions transport)
    {
        var bind = transport.CreateBoundListenSocket;
        transport.CreateBoundListenSocket = endpoint =>
        {
            var socket = bind(endpoint);
            if (endpoint is UnixDomainSocketEndPoint && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(endpoint.ToString()!, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
            return socket;
        };
    }
}

/// <summary>Marks connections that came over the agent socket: only who may open that file may say which host it is.</summary>
sealed class AgentSocket
{
    public static readonly AgentSocket Mark = new();

    AgentSocket()
    {
    }
}
