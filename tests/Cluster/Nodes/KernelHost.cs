using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Cluster.Nodes;

/// <summary>A host on the real kernel: an agent as a process of its own, its namespaces under a prefix of this test's.</summary>
sealed class KernelHost : IAsyncDisposable
{
    static int _count;

    readonly string _prefix = $"c{Environment.ProcessId % 10_000}{(char)('a' + (Interlocked.Increment(ref _count) % 26))}-";
    readonly TemporaryFolder _folder = new();
    readonly ProductProcess _agent;
    readonly string _name;

    KernelHost(LocalCluster cluster, string name)
    {
        _name = name;
        _agent = new ProductProcess("agent",
            ["agent", "--data", _folder.File("agent"), "--driver", "linux", "--hosts", name, "--namespacePrefix", _prefix,
                "--nodes", string.Join(',', cluster.Nodes.Select(node => node.Socket))],
            _folder.File("agent.log"));
    }

    public static async Task<KernelHost> Start(LocalCluster cluster, string name)
    {
        var host = new KernelHost(cluster, name);
        host._agent.Start();
        await LocalCluster.Until(
            async () => (await cluster.Nodes[0].Http.GetFromJsonAsync<JsonNode>($"/v1/hosts/{name}"))!["state"]!.ToString() == "online",
            () => $"{name} is online: {host._agent.Log}", TimeSpan.FromSeconds(120));
        return host;
    }

    /// <summary>The devices of VM NICs as ip shows them.</summary>
    public IReadOnlyList<JsonNode> Links() =>
        [.. JsonNode.Parse(Ip("-n", _prefix + _name, "-j", "-d", "link", "show"))!.AsArray()
            .Where(link => link!["ifalias"]?.ToString().Contains("nic/", StringComparison.Ordinal) == true).Select(link => link!)];

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        foreach (var line in Ip("netns", "list").Split('\n').Where(line => line.StartsWith(_prefix, StringComparison.Ordinal)))
        {
            Ip("netns", "del", line.Split(' ')[0]);
        }
        _folder.Dispose();
    }

    static string Ip(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardOutput = true })!;
        var output = ip.StandardOutput.ReadToEnd();
        ip.WaitForExit();
        return output;
    }
}
