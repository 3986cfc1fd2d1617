using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Identity;

namespace ControlPlane.Host.Security;

/// <summary>
/// Certifies agents on a node, by an issuer's certificate of the authority: <c>issuer.crt</c> and <c>issuer.key</c>. What it signs
/// is an agent's and nothing else, and nodes take it for nothing else.
/// </summary>
sealed class Issuer(X509Certificate2 own, TimeProvider time) : IDisposable
{
    /// <summary>
    /// There is no list of certificates that were taken back: a stolen one ends with its life, or with its host, which an
    /// operator gives up. Much shorter, and a control plane that was away for a day would need a token for each host.
    /// </summary>
    public static readonly TimeSpan AgentLives = TimeSpan.FromDays(7);

    const int RequestMax = 4_096;

    /// <exception cref="IdentityException">A file is missing, or it is no issuer of this node's authority that is good now.</exception>
    public static Issuer Load(string directory, Authority authority, TimeProvider time)
    {
        var own = KeyFiles.Read(directory, "issuer", () =>
            X509Certificate2.CreateFromPemFile(Path.Combine(directory, "issuer.crt"), Path.Combine(directory, "issuer.key")), "controlplane pki issuer");
        if (authority.NotIssuer(own) is { } reason)
        {
            own.Dispose();
            throw new IdentityException($"{directory}: the issuer {reason}. controlplane pki issuer makes another.");
        }
        return new Issuer(own, time);
    }

    /// <summary>What an agent asks for, or why it is not given: its key is of the kind that we use, and it has shown that it has it.</summary>
    public static (PublicKey? Key, string? Refusal) Read(string request, string host)
    {
        if (request.Length > RequestMax)
        {
            return (null, "join.request: the certificate request is too long");
        }
        try
        {
            var read = CertificateRequest.LoadSigningRequestPem(request, HashAlgorithmName.SHA256);
            using var key = read.PublicKey.GetECDsaPublicKey();
            return key is null || key.ExportParameters(false).Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value
                ? (null, "join.request: the key is not of the curve P-256")
                : read.SubjectName.Name != $"CN={host}"
                    ? (null, $"join.other-host: a certificate for {Visible(read.SubjectName.Name)} is asked for in the name of host {host}")
                    : (read.PublicKey, null);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            return (null, "join.request: this is no certificate request");
        }
    }

    /// <summary>The agent's certificate and behind it the issuer's, as PEM.</summary>
    /// <exception cref="IdentityException">The issuer itself is not good any more.</exception>
    public string Issue(PublicKey key, string host)
    {
        using var issued = Pki.Sign(Pki.ForPeer(key, new PeerIdentity(PeerKind.Agent, host)), own, AgentLives, time);
        return $"{issued.ExportCertificatePem()}\n{own.ExportCertificatePem()}\n";
    }

    public static string HashOf(PublicKey key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    public void Dispose() => own.Dispose();

    /// <summary>A stranger's text in an answer and a log: short, and without anything that a terminal would obey.</summary>
    static string Visible(string text) => new([.. text.Take(80).Select(c => c is >= ' ' and <= '~' ? c : '?')]);
}
