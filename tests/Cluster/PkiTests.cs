using System.Security.Cryptography.X509Certificates;
using ControlPlane.Agent.Identity;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Security;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster;

/// <summary>What <c>controlplane pki</c> makes, and what it refuses.</summary>
public sealed class PkiTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Init_and_node_make_what_a_node_is_believed_by()
    {
        Assert.Contains("an authority in", Run("init", At("ca")), StringComparison.Ordinal);
        Assert.Contains("node node1", Run("node", At("ca"), "node1", At("one")), StringComparison.Ordinal);
        Run("node", At("ca"), "node2", At("two"));

        using var one = NodeCertificate.Load(At("one"), TimeProvider.System);
        using var two = NodeCertificate.Load(At("two"), TimeProvider.System);
        Assert.Null(one.Authority.NotNode(two.Own));
        Assert.Equal(new PeerIdentity(PeerKind.Node, "node2"), PeerIdentity.Of(two.Own));
        Assert.True(two.Own.HasPrivateKey);
        Assert.InRange(two.Own.NotAfter.ToUniversalTime() - DateTime.UtcNow, TimeSpan.FromDays(89), TimeSpan.FromDays(90));
        Assert.Equal(["ca.crt", "node.crt", "node.key"], Files("one"));
    }

    [Fact]
    public void Every_file_is_for_its_owner_alone()
    {
        Run("init", At("ca"));
        Run("node", At("ca"), "node1", At("one"));
        Run("agent", At("ca"), "hv01", At("agent"));
        Run("issuer", At("ca"), At("issuer"));
        var files = Directory.EnumerateFiles(Path.GetDirectoryName(At("x"))!, "*", SearchOption.AllDirectories).ToList();
        Assert.Equal(11, files.Count);
        foreach (var file in files)
        {
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
        }
    }

    [Fact]
    public void An_authority_is_never_written_over()
    {
        Run("init", At("ca"));
        var before = File.ReadAllText(At("ca/ca.key"));
        Assert.Contains("has an authority already", Refused<IdentityException>("init", At("ca")), StringComparison.Ordinal);
        Assert.Contains("is the authority itself", Refused<IdentityException>("node", At("ca"), "node1", At("ca")), StringComparison.Ordinal);

        Assert.Equal(before, File.ReadAllText(At("ca/ca.key")));

        File.Delete(At("ca/ca.key"));
        Assert.Contains("has an authority already (ca.crt)", Refused<IdentityException>("init", At("ca")), StringComparison.Ordinal);
        Assert.Equal(["ca.crt"], Files("ca"));
    }

    [Theory]
    [InlineData("node.key", "node", "ca", "node1", "one")]
    [InlineData("agent.key", "agent", "ca", "hv01", "one")]
    [InlineData("issuer.key", "issuer", "ca", "one")]
    public void A_key_is_never_written_over(string key, string verb, string authority, params string[] rest)
    {
        Run("init", At("ca"));
        string[] words = [verb, At(authority), .. rest[..^1], At(rest[^1])];
        Run(words);
        var before = Directory.EnumerateFiles(At("one")).ToDictionary(file => file, File.ReadAllText);
        Assert.Contains($"{At("one")} has a {key} already", Refused<IdentityException>(words), StringComparison.Ordinal);
        Assert.Equal(before, Directory.EnumerateFiles(At("one")).ToDictionary(file => file, File.ReadAllText));
    }

    [Fact]
    public void A_folder_without_an_authority_is_refused_by_name_and_nothing_is_made()
    {
        Directory.CreateDirectory(At("empty"));
        Assert.Contains($"{At("empty")} has no authority: ca.crt", Refused<IdentityException>("node", At("empty"), "node1", At("one")), StringComparison.Ordinal);
        Assert.Contains($"{At("nowhere")} has no authority", Refused<IdentityException>("node", At("nowhere"), "node1", At("one")), StringComparison.Ordinal);

        Run("init", At("ca"));
        File.WriteAllText(At("ca/ca.key"), "no key");
        Assert.Contains($"{At("ca")} has no authority that can be read", Refused<IdentityException>("node", At("ca"), "node1", At("one")), StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("one")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Node1")]
    [InlineData("-node")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("node/agent")]
    public void A_name_that_is_none_is_refused_by_name(string name)
    {
        Run("init", At("ca"));
        Assert.Contains($"\"{name}\" is no name", Refused<SettingException>("node", At("ca"), name, At("one")), StringComparison.Ordinal);
        Assert.Contains($"\"{name}\" is no name", Refused<SettingException>("agent", At("ca"), name, At("one")), StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("one")));
    }

    [Theory]
    [InlineData]
    [InlineData("init")]
    [InlineData("node", "ca", "node1")]
    [InlineData("renew", "ca")]
    public void Other_words_are_answered_with_how_it_is_used(params string[] args) =>
        Assert.Equal(PkiVerbs.Usage, Refused<SettingException>(args));

    [Fact]
    public void A_node_does_not_start_with_what_no_peer_would_believe()
    {
        PkiVerbs.Run(["init", At("ca")], new Clock(DateTimeOffset.UtcNow.AddDays(-100)));
        Run("init", At("other"));
        Run("node", At("ca"), "node1", At("foreign"));
        File.Copy(At("other/ca.crt"), At("foreign/ca.crt"), overwrite: true);
        Assert.Contains("another authority", NotLoaded("foreign"), StringComparison.Ordinal);

        PkiVerbs.Run(["node", At("ca"), "node1", At("old")], new Clock(DateTimeOffset.UtcNow.AddDays(-91)));
        Assert.Contains("expired at", NotLoaded("old"), StringComparison.Ordinal);
        PkiVerbs.Run(["node", At("ca"), "node1", At("early")], new Clock(DateTimeOffset.UtcNow.AddDays(1)));
        Assert.Contains("not good before", NotLoaded("early"), StringComparison.Ordinal);

        Run("agent", At("ca"), "hv01", At("agent"));
        File.Move(At("agent/agent.crt"), At("agent/node.crt"));
        File.Move(At("agent/agent.key"), At("agent/node.key"));
        Assert.Contains("the agent of host hv01", NotLoaded("agent"), StringComparison.Ordinal);

        Run("node", At("ca"), "node1", At("half"));
        File.Delete(At("half/node.key"));
        Assert.Contains("node.key is not there", NotLoaded("half"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_authority_that_has_expired_signs_nothing()
    {
        PkiVerbs.Run(["init", At("ca")], new Clock(DateTimeOffset.UtcNow.AddDays(-4_000)));
        Assert.Contains("controlplane authority is good from", Refused<IdentityException>("node", At("ca"), "node1", At("one")), StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("one")));
    }

    [Fact]
    public void What_an_issuer_signs_is_never_taken_for_a_node()
    {
        Run("init", At("ca"));
        Run("issuer", At("ca"), At("issuer"));
        using var issuer = X509Certificate2.CreateFromPemFile(At("issuer/issuer.crt"), At("issuer/issuer.key"));
        using var authority = Authority.Load(At("ca/ca.crt"), TimeProvider.System);
        Assert.Null(authority.NotIssuer(issuer));
        using var key = System.Security.Cryptography.ECDsa.Create();
        X509Certificate2 Signed(PeerKind kind) =>
            Pki.Sign(Pki.ForPeer(new PublicKey(key), new PeerIdentity(kind, "x1")), issuer, TimeSpan.FromDays(1), TimeProvider.System);

        using var agent = Signed(PeerKind.Agent);
        Assert.Null(authority.NotAgent(agent, [issuer], out var host));
        Assert.Equal("x1", host);
        Assert.Contains("another authority", authority.NotAgent(agent, [], out _), StringComparison.Ordinal);
        using var node = Signed(PeerKind.Node);
        Assert.NotNull(authority.NotNode(node));
    }

    string At(string name) => _folder.File(name);

    string[] Files(string name) => [.. Directory.EnumerateFiles(At(name)).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

    static string Run(params string[] args) => PkiVerbs.Run(args, TimeProvider.System);

    static string Refused<T>(params string[] args)
        where T : Exception => Assert.Throws<T>(() => Run(args)).Message;

    string NotLoaded(string name) => Assert.Throws<IdentityException>(() => NodeCertificate.Load(At(name), TimeProvider.System)).Message;

    sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
