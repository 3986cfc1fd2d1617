using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ControlPlane.Agent.Identity;

/// <summary>
/// What the agent of one host shows to nodes, and by what it knows them: <c>agent.key</c>, <c>agent.crt</c> (with its issuer's
/// behind it) and <c>ca.crt</c> in a directory of the host. The key is made here and never leaves.
/// </summary>
public sealed class AgentCertificate : IDisposable
{
    readonly string _directory;
    readonly TimeProvider _time;
    volatile X509Certificate2 _own;
    volatile SslStreamCertificateContext _shown;

    AgentCertificate(string directory, string host, Authority authority, TimeProvider time)
    {
        (_directory, Host, Authority, _time) = (directory, host, authority, time);
        (_own, _shown) = Open(directory);
    }

    public string Host { get; }

    public Authority Authority { get; }

    /// <summary>The certificate as it is shown from the next connection on.</summary>
    public SslStreamCertificateContext Shown => _shown;

    /// <summary>From then on it is to be renewed: half of its life is left for that.</summary>
    public DateTimeOffset RenewAt => NotBefore + ((NotAfter - NotBefore) / 2);

    public DateTimeOffset NotAfter => new(_own.NotAfter);

    DateTimeOffset NotBefore => new(_own.NotBefore);

    /// <exception cref="IdentityException">Missing, broken, another host's, of another authority, or out of its time.</exception>
    public static AgentCertificate Load(string directory, string host, TimeProvider time)
    {
        var loaded = KeyFiles.Read(directory, $"certificate of the agent of {host}", () =>
            new AgentCertificate(directory, host, Authority.Load(Path.Combine(directory, "ca.crt"), time), time), "controlplane agent join");
        return loaded.Fault(loaded._own, [.. loaded._shown.IntermediateCertificates]) is { } fault
            ? throw new IdentityException($"{directory}: this agent {fault}. controlplane agent join makes another.")
            : loaded;
    }

    /// <summary>
    /// A new key and its request. The key is kept beside the present one until <see cref="Accept"/>, and a repeat of a
    /// request uses it again: who was answered before, and did not hear it, asks for the same.
    /// </summary>
    public static string Request(string directory, string host)
    {
        KeyFiles.MakeDirectory(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var file = NextKey(directory);
        if (File.Exists(file))
        {
            KeyFiles.Read(directory, Path.GetFileName(file), () =>
            {
                key.ImportFromPem(File.ReadAllText(file));
                return key;
            });
        }
        else
        {
            KeyFiles.Create(file, key.ExportPkcs8PrivateKeyPem());
        }
        return new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    /// <summary>Puts what a node has issued in the place of what was there, after a look at it.</summary>
    /// <exception cref="IdentityException">It is not for this key, this host, or by this authority.</exception>
    public static void Accept(string directory, string host, string chain, Authority authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        var certificates = new X509Certificate2Collection();
        KeyFiles.Read(directory, "answer", () =>
        {
            certificates.ImportFromPem(chain);
            return certificates;
        });
        if (certificates.Count == 0)
        {
            throw new IdentityException("the node answered no certificate");
        }
        if (authority.NotAgent(certificates[0], [.. certificates.Skip(1)], out var named) is { } reason || (reason = named == host ? null : $"has a certificate of host {named}") is not null)
        {
            throw new IdentityException($"what the node issued is not taken: with it this agent {reason}");
        }
        using var whole = KeyFiles.Read(directory, "key of its own", () => X509Certificate2.CreateFromPem(chain, File.ReadAllText(NextKey(directory))));
        // The chain and its key are one file each; between the two a crash would leave a pair that does not fit, so the key
        // of the next stays until both are there, and Load finds the one that fits.
        KeyFiles.Write(Path.Combine(directory, "ca.crt"), authority.Root.ExportCertificatePem());
        KeyFiles.Write(Path.Combine(directory, "agent.crt"), chain);
        File.Move(NextKey(directory), Path.Combine(directory, "agent.key"), overwrite: true);
    }

    /// <summary>What a node has issued is shown from the next connection on.</summary>
    public void Renew(string chain)
    {
        Accept(_directory, Host, chain, Authority);
        (_own, _shown) = Open(_directory);
    }

    /// <summary>A request for the next certificate of this host.</summary>
    public string NextRequest() => Request(_directory, Host);

    public TimeSpan UntilRenewal => RenewAt - _time.GetUtcNow();

    public void Dispose()
    {
        _own.Dispose();
        Authority.Dispose();
    }

    static string NextKey(string directory) => Path.Combine(directory, "agent.key.next");

    static (X509Certificate2, SslStreamCertificateContext) Open(string directory)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(Path.Combine(directory, "agent.crt"));
        var own = Pair(directory);
        return (own, SslStreamCertificateContext.Create(own, [.. chain.Skip(1)], offline: true));
    }

    /// <summary>The certificate with the key that fits: a crash may have come between the two files.</summary>
    static X509Certificate2 Pair(string directory)
    {
        var certificate = Path.Combine(directory, "agent.crt");
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, Path.Combine(directory, "agent.key"));
        }
        catch (Exception other) when (other is ArgumentException or FileNotFoundException or CryptographicException && File.Exists(NextKey(directory)))
        {
            var own = X509Certificate2.CreateFromPemFile(certificate, NextKey(directory));
            File.Move(NextKey(directory), Path.Combine(directory, "agent.key"), overwrite: true);
            return own;
        }
    }

    string? Fault(X509Certificate2 own, X509Certificate2Collection sent) =>
        Authority.NotAgent(own, sent, out var named) ?? (named == Host ? null : $"has a certificate of host {named}, not of {Host}");
}
