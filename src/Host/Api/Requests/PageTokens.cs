using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Host.Security;

namespace ControlPlane.Host.Api.Requests;

/// <summary>
/// Where the next page begins, sealed: bound to the list, its selection and the caller, so that a token that was forged or
/// is another's is refused (reliability.md 11.1 B32).
/// </summary>
sealed class PageTokens(PageKey key)
{
    const int SealBytes = 16;

    public string Make(HttpContext http, Query query, string last)
    {
        var position = Encoding.UTF8.GetBytes(last);
        return Base64Url.EncodeToString([.. Seal(http, query, position), .. position]);
    }

    /// <summary>The key of the last item that was shown, or null on the first page.</summary>
    public string? Read(HttpContext http, Query query)
    {
        if (query.Text("pageToken") is not { } text)
        {
            return null;
        }
        if (!Base64Url.IsValid(text))
        {
            throw Forged();
        }
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= SealBytes)
        {
            throw Forged();
        }
        var position = bytes[SealBytes..];
        return CryptographicOperations.FixedTimeEquals(Seal(http, query, position), bytes.AsSpan(0, SealBytes))
            ? Encoding.UTF8.GetString(position)
            : throw Forged();
    }

    byte[] Seal(HttpContext http, Query query, byte[] position)
    {
        byte[] sealedText = [.. Encoding.UTF8.GetBytes($"{http.Caller().Who}\n{http.Request.Path}\n{query.Selection}\n"), .. position];
        return HMACSHA256.HashData(key.Bytes, sealedText)[..SealBytes];
    }

    static BadInputException Forged() =>
        new(Problem.Malformed("query.pageToken", "This page token is not of this list and caller.", "pageToken"));
}
