using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ControlPlane.Agent.Identity;

namespace ControlPlane.Host.Security;

/// <summary>Where random bytes of secrets come from.</summary>
delegate byte[] RandomBytes(int count);

/// <summary>The key that page tokens are sealed with and join tokens come from: random, and the same at all nodes of a cluster.</summary>
sealed record PageKey(byte[] Bytes);

/// <summary>A token as it is kept: its hash, never itself.</summary>
sealed record StoredToken(string Name, string Role, string Sha256, DateTimeOffset Created);

/// <summary>Secrets in the data directory, readable by their owner alone. What is missing is made at the first start.</summary>
sealed class Secrets(string directory, RandomBytes random, TimeProvider time)
{
    const int SecretBytes = 32;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    string TokensFile => Path.Combine(directory, "tokens.json");

    string AdminFile => Path.Combine(directory, "admin.token");

    public PageKey PageKey()
    {
        var file = Path.Combine(directory, "page.key");
        if (!File.Exists(file))
        {
            KeyFiles.Write(file, Convert.ToBase64String(random(SecretBytes)));
        }
        return new PageKey(Convert.FromBase64String(File.ReadAllText(file)));
    }

    /// <summary>All tokens; on the first start one for an administrator is made and left in admin.token.</summary>
    public TokenBook Tokens()
    {
        if (!File.Exists(TokensFile))
        {
            var token = "cp_" + Base64Url.EncodeToString(random(SecretBytes));
            var stored = new StoredToken("admin", "admin", Convert.ToHexStringLower(TokenBook.Hash(token)), time.GetUtcNow());
            // The token first: after a crash between the two a new pair is made.
            KeyFiles.Write(AdminFile, token + "\n");
            KeyFiles.Write(TokensFile, JsonSerializer.Serialize(new[] { stored }, Json));
        }
        return new TokenBook(JsonSerializer.Deserialize<StoredToken[]>(File.ReadAllText(TokensFile), Json)
            ?? throw new InvalidDataException($"{TokensFile} holds no tokens"));
    }
}

/// <summary>Who a bearer token belongs to.</summary>
sealed class TokenBook(IReadOnlyList<StoredToken> tokens)
{
    readonly IReadOnlyList<(byte[] Hash, Caller Caller)> _known =
        [.. tokens.Select(token => (Convert.FromHexString(token.Sha256), CallerOf(token)))];

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Every stored hash is compared, so that the time says nothing about which one is near.</summary>
    public Caller? Find(string token)
    {
        var hash = Hash(token);
        Caller? found = null;
        foreach (var (known, caller) in _known)
        {
            found = CryptographicOperations.FixedTimeEquals(hash, known) ? caller : found;
        }
        return found;
    }

    static Caller CallerOf(StoredToken token) => Enum.TryParse<Role>(token.Role, ignoreCase: true, out var role)
        ? new Caller($"{Kind(role)}:{token.Name}", role)
        : throw new InvalidDataException($"token {token.Name} has the unknown role {token.Role}");

    static string Kind(Role role) => role switch
    {
        Role.Viewer => "viewer",
        Role.Migrator => "migrator",
        _ => "operator",
    };
}
