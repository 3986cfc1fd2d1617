using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Identity;

namespace ControlPlane.Host.Security;

/// <summary>
/// A small certificate authority in a directory: <c>ca.crt</c> and <c>ca.key</c>. It belongs on a machine that is no node; a node
/// gets <c>ca.crt</c>, <c>node.crt</c> and <c>node.key</c>, and one of them may get an issuer, which can certify agents and nobody else.
/// </summary>
static class Pki
{
    /// <summary>There is nothing that renews an authority, so it outlives the machines.</summary>
    static readonly TimeSpan AuthorityLives = TimeSpan.FromDays(3_650);

    /// <summary>Of what an operator issues by hand; it is issued again well before.</summary>
    static readonly TimeSpan ByHandLives = TimeSpan.FromDays(90);

    /// <summary>Clocks of two machines may differ by so much.</summary>
    public static readonly TimeSpan ClockMayDiffer = TimeSpan.FromMinutes(5);

    /// <exception cref="IdentityException">There is an authority already.</exception>
    public static void Init(string directory, TimeProvider time)
    {
        foreach (var file in (string[])["ca.key", "ca.crt"])
        {
            if (File.Exists(Path.Combine(directory, file)))
            {
                throw new IdentityException($"{directory} has an authority already ({file}); nothing was changed.");
            }
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = ForCertificates("CN=controlplane authority", key, pathLength: 1);
        var now = time.GetUtcNow();
        using var authority = request.CreateSelfSigned(now - ClockMayDiffer, now + AuthorityLives);
        KeyFiles.MakeDirectory(directory);
        KeyFiles.Create(Path.Combine(directory, "ca.key"), key.ExportPkcs8PrivateKeyPem());
        KeyFiles.Write(Path.Combine(directory, "ca.crt"), authority.ExportCertificatePem());
    }

    /// <summary>A certificate for a node, into a directory of its own.</summary>
    /// <exception cref="IdentityException">There is no authority, or the target has a key that must not be written over.</exception>
    public static void Node(string directory, string node, string into, TimeProvider time) =>
        ByHand(directory, into, time, "node", key => ForPeer(new PublicKey(key), new PeerIdentity(PeerKind.Node, node)));

    /// <summary>A certificate for a host's agent, where no issuer does it.</summary>
    /// <exception cref="IdentityException">There is no authority, or the target has a key that must not be written over.</exception>
    public static void Agent(string directory, string host, string into, TimeProvider time) =>
        ByHand(directory, into, time, "agent", key => ForPeer(new PublicKey(key), new PeerIdentity(PeerKind.Agent, host)));

    /// <summary>What a node needs to certify agents. Nodes take no node's certificate from it.</summary>
    /// <exception cref="IdentityException">There is no authority, or the target has a key that must not be written over.</exception>
    public static void Issuer(string directory, string into, TimeProvider time) =>
        ByHand(directory, into, time, "issuer", key => ForCertificates("CN=controlplane issuer", key, pathLength: 0));

    /// <summary>What a peer's certificate says, whoever signs it.</summary>
    public static CertificateRequest ForPeer(PublicKey key, PeerIdentity identity)
    {
        var request = new CertificateRequest(new X500DistinguishedName($"CN={identity.Name}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        // A node is server to some peers and client to others.
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(identity.Uri));
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    /// <summary>Signs a request, for no longer than the signer itself is good.</summary>
    /// <exception cref="IdentityException">The signer is not good now.</exception>
    public static X509Certificate2 Sign(CertificateRequest request, X509Certificate2 signer, TimeSpan lives, TimeProvider time)
    {
        var now = time.GetUtcNow();
        var (earliest, latest) = (new DateTimeOffset(signer.NotBefore), new DateTimeOffset(signer.NotAfter));
        if (now < earliest || now >= latest)
        {
            throw new IdentityException($"{signer.GetNameInfo(X509NameType.SimpleName, false)} is good from {earliest.UtcDateTime:O} to {latest.UtcDateTime:O}, and signs nothing now.");
        }
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signer, true, false));
        return request.Create(
            signer, now - ClockMayDiffer > earliest ? now - ClockMayDiffer : earliest, now + lives < latest ? now + lives : latest,
            RandomNumberGenerator.GetBytes(16));
    }

    static CertificateRequest ForCertificates(string name, ECDsa key, int pathLength)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, pathLength, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    static void ByHand(string directory, string into, TimeProvider time, string name, Func<ECDsa, CertificateRequest> ask)
    {
        if (File.Exists(Path.Combine(into, "ca.key")))
        {
            throw new IdentityException($"{into} is the authority itself, whose key is for no node; nothing was changed.");
        }
        if (File.Exists(Path.Combine(into, $"{name}.key")))
        {
            throw new IdentityException($"{into} has a {name}.key already; nothing was changed. The next certificate goes into a directory of its own.");
        }
        using var authority = KeyFiles.Read(directory, "authority", () =>
            X509Certificate2.CreateFromPemFile(Path.Combine(directory, "ca.crt"), Path.Combine(directory, "ca.key")), "controlplane pki init");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = Sign(ask(key), authority, ByHandLives, time);
        KeyFiles.MakeDirectory(into);
        KeyFiles.Create(Path.Combine(into, $"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        KeyFiles.Write(Path.Combine(into, $"{name}.crt"), issued.ExportCertificatePem());
        KeyFiles.Write(Path.Combine(into, "ca.crt"), authority.ExportCertificatePem());
    }
}
