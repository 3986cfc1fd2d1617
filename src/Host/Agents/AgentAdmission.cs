using Grpc.Core;

namespace ControlPlane.Host.Agents;

/// <summary>
/// For which hosts a connection may speak: over the agent socket for any, since only its owner can open that file; by TLS
/// for the one in its certificate, whatever it says of itself (reliability.md 7.1, CVE-2018-1000155); else for none.
/// </summary>
static class AgentAdmission
{
    /// <summary>A timer waits no longer than some weeks; a stream that ends sooner comes again.</summary>
    static readonly TimeSpan StreamMax = TimeSpan.FromDays(30);

    /// <summary>Before the first word is read.</summary>
    /// <returns>What the certificate says; null where none is needed.</returns>
    public static CertifiedAgent? Admit(HttpContext http, AgentGatewayOptions options)
    {
        if (http.Features.Get<CertifiedAgent>() is { } certified)
        {
            return certified.Refusal is { } refusal ? throw Denied($"no agent of ours: the peer {refusal}") : certified;
        }
        return options.TrustAddresses || http.Features.Get<AgentSocket>() is not null ? null : throw Denied("agents speak over the agent socket");
    }

    /// <summary>Why the agent may not speak for the host; null if it may.</summary>
    public static string? NotFor(this CertifiedAgent? certified, string host) =>
        certified is null || certified.Host == host ? null : $"the agent of host {certified.Host} cannot speak for host {host}";

    /// <summary>What was opened with a certificate does not outlive it.</summary>
    /// <param name="end">Is given the reason.</param>
    public static ITimer? EndOf(this CertifiedAgent? certified, TimeProvider time, Action<string> end)
    {
        if (certified is null)
        {
            return null;
        }
        var left = certified.NotAfter - time.GetUtcNow();
        return left < StreamMax
            ? time.CreateTimer(_ => end("its certificate has expired"), null, left < TimeSpan.Zero ? TimeSpan.Zero : left, Timeout.InfiniteTimeSpan)
            : time.CreateTimer(_ => end($"it was open for {StreamMax.TotalDays:0} days"), null, StreamMax, Timeout.InfiniteTimeSpan);
    }

    public static RpcException Denied(string reason) => new(new Status(StatusCode.PermissionDenied, reason));
}
