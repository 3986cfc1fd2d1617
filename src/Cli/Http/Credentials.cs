namespace ControlPlane.Cli.Http;

/// <summary>Finds the bearer token. What a person named must exist; what is found by itself may be missing.</summary>
static class Credentials
{
    /// <summary>The token, or why there can be none. A null token asks as nobody: the server decides what that may see.</summary>
    public static (string? Token, string? Fault) Find(FileInfo? named, Uri server, Surroundings world)
    {
        var path = named?.FullName ?? world.Variable("CPCTL_TOKEN_FILE");
        if (!string.IsNullOrEmpty(path))
        {
            return Read(Path.GetFullPath(path, world.WorkingDirectory), server);
        }

        // The token of a node started here belongs to this machine: it is never sent to another one by itself.
        var local = Path.Combine(world.WorkingDirectory, "data", "admin.token");
        if (server.IsLoopback && File.Exists(local))
        {
            return Read(local, server);
        }

        var own = Path.Combine(world.HomeDirectory, ".config", "cpctl", "token");
        return File.Exists(own) ? Read(own, server) : (null, null);
    }

    static (string?, string?) Read(string path, Uri server)
    {
        if (server.Scheme != Uri.UriSchemeHttps && !server.IsLoopback)
        {
            return (null, $"a token is not sent in clear text to another machine: use https:// for {server.Host}");
        }

        string token;
        try
        {
            token = File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (null, $"the token file cannot be read: {error.Message}");
        }

        return token.Length > 0 && token.All(c => c is > ' ' and < '\u007f')
            ? (token, null)
            : (null, $"the token file {path} does not hold one line of printable ASCII");
    }
}
