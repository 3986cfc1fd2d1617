using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ControlPlane.Actors.Bridge;
using ControlPlane.Agent.Identity;
using ControlPlane.Agent.Wire;
using ControlPlane.Host.Security;
using ControlPlane.Messages;
using Grpc.Core;

namespace ControlPlane.Host.Agents;

/// <summary>The host as the read tables show it, or null.</summary>
delegate BridgeState? ShownHost(string host);

/// <summary>
/// Gives agents their certificates: the first for a join token, which the host's bridge spends, each later one for the one
/// before. A stranger can have it look something up, and nothing more: no entity is asked, and nothing stored, for a
/// token that the read tables do not show.
/// </summary>
sealed class CertificateDesk(
    NodeCertificate node, IssuerOfNode issuer, ShownHost shown, IEntityAsk entities, FailedLogins failures, AgentGatewaySurroundings world)
    : AgentCertificates.AgentCertificatesBase
{
    public const string NoIssuer = "This node issues no certificates; ask a node that was started with --issuer.";

    public override Task<AuthorityReply> Authority(AuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new AuthorityReply { Certificate = node.Authority.Root.ExportCertificatePem() });

    public override async Task<IssuedCertificate> Join(JoinRequest request, ServerCallContext context)
    {
        var signer = Signer();
        var source = context.GetHttpContext().Connection.RemoteIpAddress ?? IPAddress.None;
        if (failures.Exhausted(source))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "join.attempts: too many failed attempts; wait a minute"));
        }
        if (!Names.IsName(request.Host))
        {
            failures.Count(source);
            throw Refused(StatusCode.InvalidArgument, "", "join.request: there is no such host name");
        }
        var (key, fault) = Issuer.Read(request.Request, request.Host);
        if (key is null)
        {
            failures.Count(source);
            throw Refused(StatusCode.PermissionDenied, request.Host, fault!);
        }
        var hash = JoinToken.HashOf(request.Secret);
        if (shown(request.Host) is not { Join.TokenHash: var known } || !Same(known, hash))
        {
            failures.Count(source);
            throw Refused(StatusCode.PermissionDenied, request.Host, $"join.token-unknown: this token is none of host {request.Host}");
        }
        var id = string.Create(CultureInfo.InvariantCulture, $"join:{request.Host}:{world.Options.Instance}:{world.NextOpening()}");
        var answer = await entities.Ask(
            new Envelope(EntityId.Bridge(request.Host), id, $"agent:{request.Host}", id, new UseJoinToken(hash, Issuer.HashOf(key))),
            world.Options.AskMax, context.CancellationToken);
        if (answer.Refusal is { } refusal)
        {
            throw Refused(refusal.Kind == RefusalKind.Forbidden ? StatusCode.PermissionDenied : StatusCode.Unavailable, request.Host, $"{refusal.Code}: {refusal.Detail}");
        }
        return Issued(signer, key, request.Host);
    }

    public override Task<IssuedCertificate> Renew(RenewRequest request, ServerCallContext context)
    {
        var certified = AgentAdmission.Admit(context.GetHttpContext(), world.Options)
            ?? throw AgentAdmission.Denied("join.renew: a certificate is renewed for who shows the present one");
        var signer = Signer();
        if (shown(certified.Host) is { Removed: true })
        {
            throw Refused(StatusCode.PermissionDenied, certified.Host, $"join.renew: host {certified.Host} was given up");
        }
        var (key, fault) = Issuer.Read(request.Request, certified.Host);
        return key is null
            ? throw Refused(StatusCode.PermissionDenied, certified.Host, fault!)
            : Task.FromResult(Issued(signer, key, certified.Host));
    }

    Issuer Signer() => issuer.Issuer ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, $"join.no-issuer: {NoIssuer}"));

    IssuedCertificate Issued(Issuer signer, PublicKey key, string host)
    {
        try
        {
            var issued = new IssuedCertificate { Chain = signer.Issue(key, host) };
            GatewayLog.Certified(world.Log, host);
            return issued;
        }
        catch (IdentityException over)
        {
            throw Refused(StatusCode.FailedPrecondition, host, $"join.no-issuer: {over.Message}");
        }
    }

    RpcException Refused(StatusCode status, string host, string reason)
    {
        GatewayLog.NotCertified(world.Log, host, reason);
        return new RpcException(new Status(status, reason));
    }

    static bool Same(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), Encoding.ASCII.GetBytes(other));
}

/// <summary>Null: this node certifies nobody.</summary>
sealed record IssuerOfNode(Issuer? Issuer);
