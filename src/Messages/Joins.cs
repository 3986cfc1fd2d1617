namespace ControlPlane.Messages;

/// <summary>An operator's word: whoever has the secret of this hash may get the host's first certificate, once and soon.</summary>
/// <param name="TokenHash">SHA-256 of the secret, in hex; the secret itself is nowhere.</param>
public sealed record AllowHostJoin(string TokenHash) : Command;

/// <param name="Until">Later than this the token is worth nothing.</param>
public sealed record HostJoinAllowedUntil(DateTimeOffset Until) : Reply;

/// <summary>Somebody has shown the secret and asks for a certificate of this key; an older token of the host counts no more.</summary>
/// <param name="KeyHash">SHA-256 of the public key, in hex.</param>
public sealed record UseJoinToken(string TokenHash, string KeyHash) : Command;

/// <summary>The host's agent may get its first certificate with the token, until then.</summary>
public sealed record HostJoinAllowed(string TokenHash, DateTimeOffset Until) : BridgeEvent;

/// <summary>The token is spent: it was used for this key.</summary>
public sealed record JoinTokenUsed(string TokenHash, string KeyHash) : BridgeEvent;
