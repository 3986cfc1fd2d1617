using System.Security.Cryptography;
using ControlPlane.Agent;
using ControlPlane.Agent.Identity;
using ControlPlane.Agent.Link;
using ControlPlane.DriverAbi;

namespace ControlPlane.Host.Agents;

/// <summary>Which hosts this process has the agents of.</summary>
/// <param name="Driver">"linux" or "simulated".</param>
/// <param name="StateDirectory">Each host has a directory of its own below it.</param>
/// <param name="Nodes">Agent sockets or https:// addresses of the nodes; any of them will do.</param>
sealed record LocalAgentsOptions(IReadOnlyList<string> Hosts, string Driver, string StateDirectory, IReadOnlyList<string> Nodes)
{
    /// <summary>An ordered end takes the data path away and the next start puts it back. False leaves it running.</summary>
    public bool SuspendAtStop { get; init; } = true;

    /// <summary>Linux: stands before the names of network namespaces.</summary>
    public string NamespacePrefix { get; init; } = "";

    /// <summary>The directory with a host's certificate, which it shows to nodes at https:// addresses.</summary>
    public Func<string, string> Certificates { get; init; } = host => host;

    /// <summary>The addresses among <see cref="Nodes"/>.</summary>
    public IReadOnlyList<Uri> SecureNodes => [.. Nodes.Where(IsAddress).Select(node => new Uri(node))];

    public static bool IsAddress(string node) => node.StartsWith("https://", StringComparison.Ordinal);

    /// <summary>An address instead of the socket, or null.</summary>
    public Uri? Address { get; init; }
}

/// <summary>
/// The agents of one or more hosts in this process. They speak to the node as agents elsewhere do, over the socket: what
/// works here works there.
/// </summary>
sealed class LocalAgents(LocalAgentsOptions options, TimeProvider time, ILoggerFactory logs) : IHostedService, IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly List<Running> _running = [];
    readonly ILogger _log = logs.CreateLogger<LocalAgents>();

    /// <summary>Agents that have an open session now.</summary>
    public int Online => _running.Count(running => running.Agent.Session > 0);

    /// <summary>Hosts of this process whose agents have no session now.</summary>
    public IReadOnlyList<string> Offline => [.. options.Hosts.Where(host => !_running.Any(running => running.Host == host && running.Agent.Session > 0))];

    /// <summary>
    /// Runs the agents alone, until stopped: for a process that is nothing else. Its end leaves the data path running,
    /// so that an agent can be replaced without stopping traffic.
    /// </summary>
    public static async Task RunAgent(LocalAgentsOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken stop)
    {
        await using var agents = new LocalAgents(options with { SuspendAtStop = false }, time, logs);
        await agents.StartAsync(stop);
        try
        {
            // One that fails ends the process, so that whoever watches over it sees it.
            await await Task.WhenAny(agents._running.SelectMany(running => running.Certificate is null ? (Task[])[running.Work] : [running.Work, running.Renewal])).WaitAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked for.
        }
        finally
        {
            await agents.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>A host that cannot be made ready is an error of the start; a node that is not there yet is not.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // All of them before any host is touched: one that is missing is an error of the start.
        var certificates = options.SecureNodes.Count == 0 ? []
            : options.Hosts.ToDictionary(host => host, host => AgentCertificate.Load(options.Certificates(host), host, time));
        foreach (var host in options.Hosts)
        {
            var certificate = certificates.GetValueOrDefault(host);
            var driver = Drivers.Open(
                options.Driver, new DriverPlace(host, Path.Combine(options.StateDirectory, host), options.NamespacePrefix), time);
            var random = new Random(RandomNumberGenerator.GetInt32(int.MaxValue));
            var link = new AnyNodeLink(
                options.Address is { } address ? [GrpcAgentLink.ToAddress(address)] : [.. options.Nodes.Select(node => LinkTo(node, certificate))], random);
            var surroundings = new AgentSurroundings(time, random, logs.CreateLogger<HostAgent>());
            var running = new Running(host, driver, link, new HostAgent(host, driver, link, new HostAgentOptions(), surroundings), certificate);
            _running.Add(running);
            await driver.Resume(cancellationToken);
            running.Work = Watch(running);
            running.Renewal = certificate is null ? Task.CompletedTask
                : new CertificateRenewal(certificate, options.SecureNodes, time, logs.CreateLogger<CertificateRenewal>()).Run(_stop.Token);
        }
    }

    static GrpcAgentLink LinkTo(string node, AgentCertificate? certificate) =>
        certificate is not null && LocalAgentsOptions.IsAddress(node) ? GrpcAgentLink.ToNode(new Uri(node), certificate) : GrpcAgentLink.ToSocket(node);

    /// <summary>First the sessions end, with a good-bye; then the hosts, one after the other.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running.SelectMany(running => (Task[])[running.Work, running.Renewal])).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var running in _running)
        {
            if (options.SuspendAtStop)
            {
                await Suspend(running, cancellationToken);
            }
            await running.Driver.DisposeAsync();
            running.Link.Dispose();
            running.Agent.Dispose();
            running.Certificate?.Dispose();
        }
        _running.Clear();
    }

    public ValueTask DisposeAsync()
    {
        _stop.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A host that cannot be suspended does not keep the others from it; the next start finds its devices as they are.</summary>
    async Task Suspend(Running running, CancellationToken stop)
    {
        try
        {
            await running.Driver.Suspend(stop);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            GatewayLog.LocalAgentFailed(_log, error, running.Host);
        }
    }

    async Task Watch(Running running)
    {
        try
        {
            await running.Agent.Run(_stop.Token);
        }
        catch (Exception error)
        {
            GatewayLog.LocalAgentFailed(_log, error, running.Host);
            throw;
        }
    }

    sealed record Running(string Host, IDriver Driver, AnyNodeLink Link, HostAgent Agent, AgentCertificate? Certificate)
    {
        public Task Work { get; set; } = Task.CompletedTask;

        public Task Renewal { get; set; } = Task.CompletedTask;
    }
}
