using ControlPlane.Agent.Identity;

namespace ControlPlane.Host.Composition;

/// <summary><c>controlplane agent join</c>: a host's first certificate, for the token that an operator brought.</summary>
static class AgentJoin
{
    public const string Usage = "usage: controlplane agent join --server https://HOST:PORT --token TOKEN|- --data DIR";

    /// <summary>Where the certificate of a host's agent is.</summary>
    public static string Directory(string data, string host) => Path.Combine(data, "certificates", host);

    /// <param name="input">Where the token is read from if it is given as "-": a command line can be read by everybody on the machine.</param>
    /// <exception cref="SettingException">The words are wrong.</exception>
    /// <exception cref="IdentityException">The node refuses, or is not the one that the token is for.</exception>
    public static async Task<string> Run(IReadOnlyList<string> args, TextReader input, TimeProvider time, CancellationToken stop)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!args.Chunk(2).All(pair => pair is [var name, var value] && given.TryAdd(name, value)))
        {
            throw new SettingException(Usage);
        }
        if (given.Count != 3 || !given.TryGetValue("--server", out var server) || !given.TryGetValue("--token", out var text) || !given.TryGetValue("--data", out var data))
        {
            throw new SettingException(Usage);
        }
        var address = NodeOptions.NodeAddress(server) ?? throw new SettingException($"--server is https://HOST:PORT, not \"{server}\".");
        var token = JoinToken.Parse(text == "-" ? await input.ReadLineAsync(stop) ?? "" : text)
            ?? throw new SettingException("--token is what cpctl host join-token printed: HOST:SECRET:FINGERPRINT.");
        var directory = Directory(Path.GetFullPath(data), token.Host);
        await Enrolment.Join(address, token, directory, time, stop);
        using var certificate = AgentCertificate.Load(directory, token.Host, time);
        return $"a certificate for the agent of host {token.Host} in {directory}, good until {certificate.NotAfter.UtcDateTime:u}; the agent renews it by itself";
    }
}
