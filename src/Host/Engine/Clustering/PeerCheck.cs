using System.Security.Cryptography.X509Certificates;
using ControlPlane.Host.Security;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Whether a connection of the engine is with a node: an agent's or an operator's certificate is not enough (reliability.md 7.1).</summary>
sealed partial class PeerCheck
{
    PeerCheck()
    {
    }

    public static bool LetsIn(NodeCertificate certificate, X509Certificate2? peer, string address, ILogger<PeerCheck> log)
    {
        if (certificate.Authority.NotNode(peer) is not { } reason)
        {
            return true;
        }
        LogRefused(log, address, reason);
        return false;
    }

    [LoggerMessage(1, LogLevel.Warning, "Connection with {Peer} refused: the peer {Reason}")]
    static partial void LogRefused(ILogger logger, string peer, string reason);
}
