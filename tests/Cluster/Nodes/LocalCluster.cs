using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ControlPlane.Host.Security;

namespace ControlPlane.Tests.Cluster.Nodes;

/// <summary>A node as a process, and the way to its API.</summary>
/// <param name="User">Its user id, null if it has none of its own.</param>
sealed record NodeProcess(ProductProcess Process, HttpClient Http, string Cluster, string Socket, uint? User)
{
    public int Port => int.Parse(Cluster[(Cluster.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Nodes, each a process, a PostgreSQL, and simulated hosts whose agents are in this process, to be looked at.</summary>
sealed class LocalCluster : IAsyncDisposable
{
    // Far from the ids of people and services; by the process, so that two runs do not share one.
    static uint _nextUser = 700_000 + ((uint)Environment.ProcessId % 10_000 * 20);

    readonly string _directory = Directory.CreateTempSubdirectory("cluster-").FullName;

    LocalCluster(PostgresServer server) => Server = server;

    public PostgresServer Server { get; }

    /// <summary>A new list with each node, as others walk over it meanwhile.</summary>
    public IReadOnlyList<NodeProcess> Nodes { get; private set; } = [];

    public IReadOnlyList<RecordedHost> Hosts { get; private set; } = [];

    /// <param name="users">Each node has a user id of its own; needs root.</param>
    /// <param name="wire">The newest wire version that they may speak; null: their own.</param>
    public static async Task<LocalCluster> Start(int nodes, string[]? hosts = null, bool users = false, int? wire = null)
    {
        var cluster = new LocalCluster(await PostgresServer.Start());
        for (var n = 0; n < nodes; n++)
        {
            cluster.Add(n, users ? _nextUser++ : null);
            cluster.Nodes[^1].Process.Wire = wire;
        }
        try
        {
            await cluster.Begin(hosts);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    async Task Begin(string[]? hosts)
    {
        foreach (var node in Nodes)
        {
            node.Process.Start();
        }
        Hosts = [.. (hosts ?? []).Select(host => new RecordedHost(host, Nodes.Select(node => node.Socket)))];
        await Whole();
        foreach (var host in hosts ?? [])
        {
            await Until(async () => (await Nodes[0].Http.GetFromJsonAsync<JsonNode>($"/v1/hosts/{host}"))!["state"]!.ToString() == "online", $"{host} online");
        }
    }

    /// <summary>One more node, started; it is a member when the cluster is whole again.</summary>
    public NodeProcess AddNode()
    {
        Add(Nodes.Count, null);
        Nodes[^1].Process.Start();
        return Nodes[^1];
    }

    /// <summary>Every running node sees so many members up and reachable, and is ready.</summary>
    public Task Whole(IReadOnlyList<NodeProcess>? of = null, TimeSpan? within = null) => Until(async () =>
    {
        foreach (var node in of ?? Nodes)
        {
            using var ready = await node.Http.GetAsync("/readyz");
            var shown = await node.Http.GetFromJsonAsync<JsonNode>("/v1/cluster");
            if (!ready.IsSuccessStatusCode
                || shown!["members"]!.AsArray().Count(member => (string)member!["status"]! == "up" && (bool)member["reachable"]!) != (of ?? Nodes).Count)
            {
                return false;
            }
        }
        return true;
    }, "the cluster is whole", within ?? TimeSpan.FromSeconds(120));

    public static Task Until(Func<Task<bool>> condition, string what, TimeSpan? within = null) => Until(condition, () => what, within);

    public static async Task Until(Func<Task<bool>> condition, Func<string> what, TimeSpan? within = null)
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed < (within ?? TimeSpan.FromSeconds(30)))
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception refused) when (refused is HttpRequestException or TaskCanceledException or System.Text.Json.JsonException)
            {
                last = refused;
            }
            await Task.Delay(50);
        }
        Assert.Fail($"not in time: {what()}. {last?.Message}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in Hosts)
        {
            await host.DisposeAsync();
        }
        foreach (var node in Nodes)
        {
            await node.Process.DisposeAsync();
            node.Http.Dispose();
        }
        await Server.DisposeAsync();
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_KEEP_LOGS") is { Length: > 0 } kept)
        {
            foreach (var log in Directory.EnumerateFiles(_directory, "*.log"))
            {
                File.Copy(log, Path.Combine(kept, Path.GetFileName(log)), overwrite: true);
            }
        }
        Directory.Delete(_directory, recursive: true);
    }

    void Add(int number, uint? user)
    {
        var (port, remoting) = (FreePorts.Next(), FreePorts.Next());
        var data = Path.Combine(_directory, $"node{number}");
        Directory.CreateDirectory(data);
        if (number == 0)
        {
            var secrets = new Secrets(data, RandomNumberGenerator.GetBytes, TimeProvider.System);
            secrets.PageKey();
            secrets.Tokens();
        }
        foreach (var secret in (string[])["page.key", "tokens.json", "admin.token"])
        {
            if (number > 0)
            {
                File.Copy(Path.Combine(_directory, "node0", secret), Path.Combine(data, secret));
            }
        }
        var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1_000 })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}"),
            Timeout = TimeSpan.FromSeconds(40),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(Path.Combine(data, "admin.token")).Trim());
        var address = $"127.0.0.1:{remoting}";
        Nodes = [.. Nodes, new NodeProcess(
            new ProductProcess($"node{number}",
                ["node", "--port", $"{port}", "--data", data, "--cluster", address, "--postgres", Server.ConnectionString],
                Path.Combine(_directory, $"node{number}.log"), user),
            http, address, Path.Combine(data, "agent.sock"), user)];
        if (user is { } id)
        {
            using var chown = Process.Start("chown", ["-R", $"{id}", data]);
            chown.WaitForExit();
            File.SetUnixFileMode(_directory, (UnixFileMode)0b111_101_101);
        }
    }
}
