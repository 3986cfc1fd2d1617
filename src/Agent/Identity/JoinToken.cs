using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Agent.Identity;

/// <summary>
/// What an operator carries to a host: for whom it is, a secret that is good once, and by what the node is known that it
/// may be shown to.
/// </summary>
/// <param name="Fingerprint">Of the authority, <see cref="Authority.Fingerprint"/>.</param>
public sealed record JoinToken(string Host, string Secret, string Fingerprint)
{
    const int FingerprintLength = 64;
    const int SecretMax = 64;

    /// <summary>What is kept of a secret.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>Null: this is no token.</summary>
    public static JoinToken? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Trim().Split(':') is [var host, { Length: > 0 and <= SecretMax } secret, { Length: FingerprintLength } fingerprint] && Messages.Names.IsName(host)
            ? new JoinToken(host, secret, fingerprint)
            : null;
    }

    public override string ToString() => $"{Host}:{Secret}:{Fingerprint}";
}
