using System.Diagnostics;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Bridge;

/// <summary>
/// How a host without a certificate gets its first: a token that is good for one key and a short time (reliability.md 7.1).
/// A host has one token; the next one takes its place.
/// </summary>
public static class HostJoins
{
    public static readonly TimeSpan TokenLives = TimeSpan.FromMinutes(10);

    public static Decision<BridgeEvent> Allow(string tokenHash, in Turn turn)
    {
        var until = turn.Now + TokenLives;
        return Decision<BridgeEvent>.Accept(new HostJoinAllowedUntil(until), new HostJoinAllowed(tokenHash, until));
    }

    /// <summary>The same key may ask again while the token lasts: its first answer may have been lost on the way.</summary>
    public static Decision<BridgeEvent> Use(BridgeState state, UseJoinToken use, in Turn turn)
    {
        var host = state.Id.Parts[0];
        return state.Join switch
        {
            { } join when join.TokenHash != use.TokenHash => Refuse("unknown", $"This token is none of host {host}, or a later one took its place."),
            null => Refuse("unknown", $"This token is none of host {host}."),
            { KeyHash: { } key } when key != use.KeyHash => Refuse("used", $"This token of host {host} was used before. If that was not you, give up the host and ask for another token."),
            { } join when turn.Now > join.Until => Refuse("expired", $"This token of host {host} was good for {TokenLives.TotalMinutes:0} minutes. Ask for another."),
            { KeyHash: null } => Decision<BridgeEvent>.Accept(new Done(), new JoinTokenUsed(use.TokenHash, use.KeyHash)),
            _ => Decision<BridgeEvent>.Accept(new Done()),
        };
    }

    public static BridgeState Evolve(BridgeState state, BridgeEvent happened) => happened switch
    {
        HostJoinAllowed e when !state.Removed => state with { Join = new HostJoin(e.TokenHash, e.Until, null) },
        JoinTokenUsed e when state.Join is { KeyHash: null } join && join.TokenHash == e.TokenHash => state with { Join = join with { KeyHash = e.KeyHash } },
        _ => throw new UnreachableException(happened.ToString()),
    };

    static Decision<BridgeEvent> Refuse(string what, string detail) =>
        Decision<BridgeEvent>.Refuse(new Refusal(RefusalKind.Forbidden, $"join.token-{what}", detail, "reliability.md 7.1"));
}

/// <summary>The host's last token.</summary>
/// <param name="KeyHash">Of the public key that it was used for; null: it was not used.</param>
public sealed record HostJoin(string TokenHash, DateTimeOffset Until, string? KeyHash);
