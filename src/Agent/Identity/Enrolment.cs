using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Wire;
using Grpc.Core;

namespace ControlPlane.Agent.Identity;

/// <summary>How an agent gets its certificates from a node: the first for a token, each later one for the one before.</summary>
public static class Enrolment
{
    static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The node has to prove first that it is of the authority in the token: only then is the secret said.
    /// </summary>
    /// <param name="directory">Where the host's key and certificate go.</param>
    /// <exception cref="IdentityException">The node is not of that authority, or refuses; nothing was replaced.</exception>
    public static async Task Join(Uri server, JoinToken token, string directory, TimeProvider time, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(token);
        using var authority = await Authority(server, token.Fingerprint, time, stop);
        using var channel = SecureChannel.Of(server, authority);
        var request = new JoinRequest { Host = token.Host, Secret = token.Secret, Request = AgentCertificate.Request(directory, token.Host) };
        var issued = await Answered(server, () => new AgentCertificates.AgentCertificatesClient(channel).JoinAsync(request, Options(stop)));
        AgentCertificate.Accept(directory, token.Host, issued.Chain, authority);
    }

    /// <summary>The next certificate of the same host, with a new key.</summary>
    /// <exception cref="IdentityException">The node refuses or cannot be reached; the present certificate stays.</exception>
    public static async Task Renew(Uri node, AgentCertificate certificate, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using var channel = SecureChannel.Of(node, certificate);
        var request = new RenewRequest { Request = certificate.NextRequest() };
        var issued = await Answered(node, () => new AgentCertificates.AgentCertificatesClient(channel).RenewAsync(request, Options(stop)));
        certificate.Renew(issued.Chain);
    }

    static async Task<Authority> Authority(Uri server, string fingerprint, TimeProvider time, CancellationToken stop)
    {
        using var channel = SecureChannel.ToStranger(server);
        var reply = await Answered(server, () => new AgentCertificates.AgentCertificatesClient(channel).AuthorityAsync(new AuthorityRequest(), Options(stop)));
        X509Certificate2 root;
        try
        {
            root = X509Certificate2.CreateFromPem(reply.Certificate);
        }
        catch (CryptographicException broken)
        {
            throw new IdentityException($"{server} has no authority: {broken.Message}", broken);
        }
        if (Identity.Authority.FingerprintOf(root) != fingerprint)
        {
            root.Dispose();
            throw new IdentityException($"{server} is not of the authority that the token names; the token was not shown to it.");
        }
        return new Authority(root, time);
    }

    static CallOptions Options(CancellationToken stop) => new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + AnswerMax, cancellationToken: stop);

    static async Task<T> Answered<T>(Uri node, Func<AsyncUnaryCall<T>> call)
    {
        try
        {
            using var asked = call();
            return await asked;
        }
        catch (RpcException refused)
        {
            throw new IdentityException(Reason(node, refused.Status), refused);
        }
    }

    /// <summary>What the node said; or, where it said nothing, what came in between.</summary>
    static string Reason(Uri node, Status status) =>
        status.DebugException is { } cause ? $"no connection with {node}: {cause.GetBaseException().Message}"
        : status.StatusCode == StatusCode.DeadlineExceeded ? $"{node} did not answer within {AnswerMax.TotalSeconds:0} s"
        : status.StatusCode == StatusCode.Unimplemented ? $"{node} is not where a node listens for agents"
        : status.Detail;
}
