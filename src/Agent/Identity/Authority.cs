using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ControlPlane.Agent.Identity;

/// <summary>
/// What a peer's certificate is worth: only our own authority counts, no other root of this machine, and no address is
/// asked for anything. Nodes are certified by the authority itself; agents also by an issuer of the authority.
/// </summary>
public sealed class Authority(X509Certificate2 root, TimeProvider time) : IDisposable
{
    const int ThroughIssuer = 3;

    public X509Certificate2 Root { get; } = root;

    /// <summary>By which somebody who has never seen the authority knows it: SHA-256 of its certificate, in hex.</summary>
    public string Fingerprint => FingerprintOf(Root);

    public static string FingerprintOf(X509Certificate2 root)
    {
        ArgumentNullException.ThrowIfNull(root);
        return Convert.ToHexStringLower(SHA256.HashData(root.RawData));
    }

    /// <exception cref="CryptographicException">The file is no certificate.</exception>
    public static Authority Load(string file, TimeProvider time) => new(X509Certificate2.CreateFromPem(File.ReadAllText(file)), time);

    /// <summary>Why the peer is not a node of ours, to follow the words "the peer"; null if it is one.</summary>
    public string? NotNode(X509Certificate2? peer) => Not(PeerKind.Node, peer, null, out _);

    /// <summary>Why the peer is not an agent of ours; null if it is the agent of <paramref name="host"/>.</summary>
    /// <param name="sent">What it sent beside its own certificate.</param>
    public string? NotAgent(X509Certificate2? peer, X509Certificate2Collection? sent, out string host)
    {
        var reason = Not(PeerKind.Agent, peer, sent, out var identity);
        host = reason is null ? identity!.Name : "";
        return reason;
    }

    /// <summary>Why the issuer's certificate was not given by this authority to issue others, now; null if it was.</summary>
    public string? NotIssuer(X509Certificate2 issuer)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        return Untrusted(issuer, null, out _)
            ?? (issuer.Extensions.OfType<X509BasicConstraintsExtension>().Any(basic => basic.CertificateAuthority) ? null : "has a certificate that may not issue others");
    }

    public void Dispose() => Root.Dispose();

    string? Not(PeerKind kind, X509Certificate2? peer, X509Certificate2Collection? sent, out PeerIdentity? identity)
    {
        identity = null;
        if (peer is null)
        {
            return "showed no certificate";
        }
        if (Untrusted(peer, sent, out var length) is { } reason)
        {
            return reason;
        }
        identity = PeerIdentity.Of(peer);
        return identity is null ? "has a certificate that names neither a node nor a host"
            : identity.Kind != kind ? $"has a certificate of {identity}"
            : kind == PeerKind.Node && length >= ThroughIssuer ? "has a node's certificate that the authority itself did not give"
            : null;
    }

    string? Untrusted(X509Certificate2 peer, X509Certificate2Collection? sent, out int length)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.Add(Root);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = time.GetUtcNow().UtcDateTime;
        policy.ExtraStore.AddRange(sent ?? []);
        var good = chain.Build(peer);
        length = chain.ChainElements.Count;
        try
        {
            return good ? null
                : chain.ChainStatus.All(status => status.Status == X509ChainStatusFlags.NotTimeValid) ? OutOfTime(chain)
                : "has a certificate of another authority";
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    string OutOfTime(X509Chain chain)
    {
        var now = time.GetUtcNow();
        var worst = chain.ChainElements.Select(element => element.Certificate)
            .First(certificate => now < certificate.NotBefore.ToUniversalTime() || now > certificate.NotAfter.ToUniversalTime());
        var (from, to) = (worst.NotBefore.ToUniversalTime(), worst.NotAfter.ToUniversalTime());
        return now > to ? $"has a certificate that expired at {Shown(to)}" : $"has a certificate that is not good before {Shown(from)}";
    }

    static string Shown(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
