using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Identity;

namespace ControlPlane.Host.Security;

/// <summary>What a node shows its peers, and by what it knows them.</summary>
sealed class NodeCertificate(X509Certificate2 own, Authority authority) : IDisposable
{
    public X509Certificate2 Own { get; } = own;

    public Authority Authority { get; } = authority;

    /// <summary>From then on a peer whose clock is ahead may not believe it any more.</summary>
    public DateTimeOffset Ends => new DateTimeOffset(Own.NotAfter.ToUniversalTime()) - Pki.ClockMayDiffer;

    /// <summary>
    /// A node that nobody would believe does not start: the peers would only say no, again and again, and in their own logs.
    /// </summary>
    /// <exception cref="IdentityException">A file is missing, or the certificate is not a node's, of that authority, and good now.</exception>
    public static NodeCertificate Load(string directory, TimeProvider time)
    {
        var loaded = Read(directory, time);
        return loaded.Authority.NotNode(loaded.Own) is { } reason
            ? throw new IdentityException($"{directory}: this node {reason}; no peer would let it in. controlplane pki node makes another.")
            : loaded.Ends <= time.GetUtcNow()
                ? throw new IdentityException($"{directory}: this node's certificate ends at {loaded.Own.NotAfter.ToUniversalTime():u}. controlplane pki node makes another.")
            : loaded;
    }

    /// <summary>As it is, good or not.</summary>
    /// <exception cref="IdentityException">A file is missing or broken.</exception>
    public static NodeCertificate Read(string directory, TimeProvider time) => KeyFiles.Read(directory, "certificate of a node", () => new NodeCertificate(
        X509Certificate2.CreateFromPemFile(Path.Combine(directory, "node.crt"), Path.Combine(directory, "node.key")),
        Authority.Load(Path.Combine(directory, "ca.crt"), time)), "controlplane pki node");

    public void Dispose()
    {
        Own.Dispose();
        Authority.Dispose();
    }
}
