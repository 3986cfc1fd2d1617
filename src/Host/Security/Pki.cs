using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ControlPlane.Host.Security;

/// <summary>
/// A small certificate authority in a directory: <c>ca.crt</c> and <c>ca.key</c>. It belongs on a machine that is no node; a node
/// gets <c>ca.crt</c>, <c>node.crt</c> and <c>node.key</c>. Keys are readable by their owner alone.
/// </summary>
static class Pki
{
    public const string NodeIdentity = "spiffe://controlplane/node/";

    /// <summary>There is nothing that renews an authority, so it outlives the machines.</summary>
    static readonly TimeSpan AuthorityLives = TimeSpan.FromDays(3_650);

    /// <summary>A leaf is issued again well before; until then it is good.</summary>
    static readonly TimeSpan NodeLives = TimeSpan.FromDays(90);

    /// <summary>Clocks of two machines may differ by so much.</summary>
    static readonly TimeSpan ClockMayDiffer = TimeSpan.FromMinutes(5);

    /// <exception cref="IOException">There is an authority already.</exception>
    public static void Init(string directory, TimeProvider time)
    {
        if (File.Exists(Path.Combine(directory, "ca.key")))
        {
            throw new IOException($"{directory} has an authority already; nothing was changed.");
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=controlplane authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var authority = request.CreateSelfSigned(now - ClockMayDiffer, now + AuthorityLives);
        Directory.CreateDirectory(directory);
        Write(Path.Combine(directory, "ca.key"), key.ExportPkcs8PrivateKeyPem());
        Write(Path.Combine(directory, "ca.crt"), authority.ExportCertificatePem());
    }

    /// <summary>A certificate for a node, into a directory of its own.</summary>
    public static void Issue(string directory, string node, string into, TimeProvider time)
    {
        using var authority = X509Certificate2.CreateFromPemFile(Path.Combine(directory, "ca.crt"), Path.Combine(directory, "ca.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={node}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        // A node is server to some peers and client to others.
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(NodeIdentity + node));
        request.CertificateExtensions.Add(names.Build());
        var now = time.GetUtcNow();
        using var issued = request.Create(authority, now - ClockMayDiffer, now + NodeLives, RandomNumberGenerator.GetBytes(16));
        Directory.CreateDirectory(into);
        Write(Path.Combine(into, "node.key"), key.ExportPkcs8PrivateKeyPem());
        Write(Path.Combine(into, "node.crt"), issued.ExportCertificatePem());
        File.Copy(Path.Combine(directory, "ca.crt"), Path.Combine(into, "ca.crt"), overwrite: true);
    }

    static void Write(string file, string text)
    {
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using var stream = new FileStream(file, options);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}

/// <summary>What a node shows its peers, and how it knows them: by the authority and by what the certificate was issued for.</summary>
sealed class NodeCertificate : IDisposable
{
    readonly X509Certificate2 _authority;

    NodeCertificate(X509Certificate2 own, X509Certificate2 authority) => (Own, _authority) = (own, authority);

    public X509Certificate2 Own { get; }

    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="CryptographicException">A file is not what its name says.</exception>
    public static NodeCertificate Load(string directory) => new(
        X509Certificate2.CreateFromPemFile(Path.Combine(directory, "node.crt"), Path.Combine(directory, "node.key")),
        X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(directory, "ca.crt"))));

    /// <summary>Of our authority, in its time, and a node's: an agent's or an operator's is not enough (reliability.md 7.1).</summary>
    public bool IsNode(X509Certificate2? peer)
    {
        if (peer is null)
        {
            return false;
        }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(peer) && Uris(peer).Any(uri => uri.StartsWith(Pki.NodeIdentity, StringComparison.Ordinal));
    }

    public void Dispose()
    {
        Own.Dispose();
        _authority.Dispose();
    }

    static IEnumerable<string> Uris(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions.Where(extension => extension.Oid?.Value == "2.5.29.17"))
        {
            var names = new System.Formats.Asn1.AsnReader(extension.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                var uri = new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6);
                if (names.PeekTag() == uri)
                {
                    yield return names.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, uri);
                }
                else
                {
                    names.ReadEncodedValue();
                }
            }
        }
    }
}
