using System.Security.Cryptography.X509Certificates;
using Akka;
using Akka.Actor;
using ControlPlane.Host.Security;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Whether a connection of the engine is with a node: an agent's or an operator's certificate is not enough (reliability.md 7.1).</summary>
sealed partial class PeerCheck
{
    /// <summary>By this number the engine's reason is known; its type is not public.</summary>
    const int HandshakeFailed = 79;

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

    /// <summary>
    /// The engine ends itself when it has called a peer that it does not believe. Whoever watches over the process has to
    /// hear that nobody asked for that end.
    /// </summary>
    public static void Watch(ActorSystem system, Departure departure)
    {
        var shutdown = CoordinatedShutdown.Get(system);
        shutdown.AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "departure", () =>
        {
            if (shutdown.ShutdownReason is { ExitCode: HandshakeFailed })
            {
                departure.Now("it called a peer that it does not believe, or that does not believe it");
            }
            return Task.FromResult(Done.Instance);
        });
    }

    [LoggerMessage(1, LogLevel.Warning, "Connection with {Peer} refused: the peer {Reason}")]
    static partial void LogRefused(ILogger logger, string peer, string reason);
}
