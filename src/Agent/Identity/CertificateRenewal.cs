using Microsoft.Extensions.Logging;

namespace ControlPlane.Agent.Identity;

/// <summary>Renews an agent's certificate at half of its life, at whichever node can; the sessions that are open go on.</summary>
public sealed class CertificateRenewal(AgentCertificate certificate, IReadOnlyList<Uri> nodes, TimeProvider time, ILogger log)
{
    static readonly TimeSpan TryAgain = TimeSpan.FromMinutes(5);

    /// <summary>A timer waits no longer than some weeks; looking again sooner costs nothing.</summary>
    static readonly TimeSpan LookAtLeast = TimeSpan.FromDays(1);

    public async Task Run(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(await Attempt(stop), time, stop);
        }
    }

    /// <summary>Renews if it is time; how long to wait for the next look.</summary>
    public async Task<TimeSpan> Attempt(CancellationToken stop)
    {
        var left = certificate.UntilRenewal;
        if (left > TimeSpan.Zero)
        {
            return left < LookAtLeast ? left : LookAtLeast;
        }
        foreach (var node in nodes)
        {
            try
            {
                await Enrolment.Renew(node, certificate, stop);
                AgentLog.Renewed(log, certificate.Host, certificate.NotAfter);
                // An issuer that ends soon gives what is due again at once.
                return certificate.UntilRenewal is var next && next > TryAgain ? TimeSpan.Zero : TryAgain;
            }
            catch (Exception refusal) when (refusal is IdentityException or IOException or UnauthorizedAccessException && !stop.IsCancellationRequested)
            {
                AgentLog.NotRenewed(log, certificate.Host, node, refusal.Message, certificate.NotAfter);
            }
        }
        return TryAgain;
    }
}
