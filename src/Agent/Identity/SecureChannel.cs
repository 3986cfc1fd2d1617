using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Link;
using Grpc.Net.Client;

namespace ControlPlane.Agent.Identity;

/// <summary>Connections to nodes by TLS 1.3: what matters of the peer is its certificate, not the address at which it was found.</summary>
static class SecureChannel
{
    static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);

    /// <summary>As the agent of a host, to nodes of its authority.</summary>
    public static GrpcChannel Of(Uri node, AgentCertificate certificate, Action<SocketsHttpHandler>? with = null) =>
        Of(node, certificate.Shown, peer => certificate.Authority.NotNode(peer), with);

    /// <summary>Without a certificate, to nodes of an authority.</summary>
    public static GrpcChannel Of(Uri node, Authority authority) => Of(node, null, authority.NotNode, null);

    /// <summary>To nobody knows whom: what is heard there counts only by what it is compared with.</summary>
    public static GrpcChannel ToStranger(Uri node) => Of(node, null, peer => peer is null ? "showed no certificate" : null, null);

    static GrpcChannel Of(Uri node, SslStreamCertificateContext? shown, Func<X509Certificate2?, string?> fault, Action<SocketsHttpHandler>? with)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectMax,
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = shown,
                AllowTlsResume = false, // a certificate is shown anew each time, on both sides
                // A "no" as an exception: the reason is then in the agent's log, and not only that there was one.
                RemoteCertificateValidationCallback = (_, peer, _, _) =>
                    fault(peer as X509Certificate2) is { } reason ? throw new AuthenticationException($"the node {reason}") : true,
            },
        };
        with?.Invoke(handler);
        return GrpcChannel.ForAddress(node, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = Parcels.BytesMax,
            MaxSendMessageSize = Parcels.BytesMax,
        });
    }
}
