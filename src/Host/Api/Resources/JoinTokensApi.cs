using ControlPlane.Agent.Identity;
using ControlPlane.Host.Agents;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Security;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Tokens with which the agent of a host gets its first certificate (reliability.md 7.1).</summary>
static class JoinTokensApi
{
    public static void Map(RouteGroupBuilder v1) => v1.MapPost("/hosts/{host}/join-token", Create).Produces<JoinTokenDocument>()
        .WithSummary("A token, good once and for 10 minutes, with which the host's agent gets its certificate");

    static async Task<IResult> Create(HttpContext http, string host, JoinTokens tokens, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = EntityId.Bridge(ApiNames.Host(host));
        var body = await Body.ReadOptional(http);
        body?.Done();
        if (http.Caller().Role < Role.Admin)
        {
            return new Problem(StatusCodes.Status403Forbidden, "auth.role", "This is not yours to do.", "Only an admin lets a host join.").Result();
        }
        var key = RequestKey.Required(http, body);
        if (tokens.For(host, key.Id) is not { } token)
        {
            return Problem.Of(Refusal.Illegal("join.no-issuer", CertificateDesk.NoIssuer, "reliability.md 7.1", "no issuer")).Result();
        }
        var answer = await door.Change(http, query, id, new AllowHostJoin(JoinToken.HashOf(token.Secret)), key);
        return answer.Early(query) ?? (answer.Reply is HostJoinAllowedUntil allowed
            ? Replies.Json(new JoinTokenDocument(host, token.ToString(), allowed.Until))
            : throw new InvalidOperationException($"{answer.Reply} is no answer to a join token"));
    }
}
