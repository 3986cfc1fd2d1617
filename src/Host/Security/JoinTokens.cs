using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Agent.Identity;

namespace ControlPlane.Host.Security;

/// <summary>Makes join tokens, where there is an issuer that would give something for them.</summary>
/// <param name="fingerprint">Of the authority by which a host will know the node; null: this node issues nothing.</param>
sealed class JoinTokens(PageKey key, string? fingerprint)
{
    const int SecretBytes = 32;

    /// <summary>
    /// The same for the same request: a repeat is answered with the token of the first, although only its hash was stored.
    /// Nobody without this cluster's key can guess it.
    /// </summary>
    /// <returns>Null: this node issues nothing.</returns>
    public JoinToken? For(string host, string requestId) => fingerprint is null ? null : new JoinToken(
        host, Base64Url.EncodeToString(HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, SecretBytes, info: Encoding.UTF8.GetBytes($"join-token/{host}/{requestId}"))),
        fingerprint);
}
