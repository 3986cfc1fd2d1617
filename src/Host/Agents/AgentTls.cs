using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Host.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ControlPlane.Host.Agents;

/// <summary>Agents over a network: TLS 1.3, the node's certificate on this side, the host's on the other.</summary>
static class AgentTls
{
    static readonly TimeSpan HandshakeMax = TimeSpan.FromSeconds(5);

    public static void ConfigureAgentTls(this KestrelServerOptions kestrel, IPEndPoint endpoint, NodeCertificate node)
    {
        var shown = SslStreamCertificateContext.Create(node.Own, null, offline: true);
        kestrel.Listen(endpoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HandshakeMax,
                OnConnection = context => ValueTask.FromResult(Handshake(context.Connection, shown, node)),
            });
        });
    }

    /// <summary>
    /// Also who shows no good certificate gets a connection, on which nothing is granted but a certificate for a token: a
    /// refusal in words can be read by the other side's operator, a broken handshake cannot.
    /// </summary>
    [SuppressMessage("Security", "CA5359", Justification = "The certificate is judged here, and AgentAdmission acts on the judgement.")]
    static SslServerAuthenticationOptions Handshake(ConnectionContext connection, SslStreamCertificateContext shown, NodeCertificate node)
    {
        connection.Features.Set(CertifiedAgent.None);
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = shown,
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateRequired = true,
            // Each connection is judged by the certificate that it shows, and never by what an earlier one showed.
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, peer, chain, _) =>
            {
                var certificate = peer as X509Certificate2;
                var refusal = node.Authority.NotAgent(certificate, chain?.ChainPolicy.ExtraStore, out var host);
                connection.Features.Set(new CertifiedAgent(host, refusal, refusal is null ? certificate!.NotAfter : DateTimeOffset.MinValue));
                return true;
            },
        };
    }
}

/// <summary>Marks connections that came by TLS.</summary>
/// <param name="Host">The one host that it may speak for.</param>
/// <param name="Refusal">Why it is no agent, to follow "the peer"; null if it is one.</param>
/// <param name="NotAfter">Its certificate ends then, and so does what was opened with it.</param>
sealed record CertifiedAgent(string Host, string? Refusal, DateTimeOffset NotAfter)
{
    /// <summary>Until the handshake has said more.</summary>
    public static readonly CertifiedAgent None = new("", "showed no certificate", DateTimeOffset.MinValue);
}
