using ControlPlane.Agent;
using ControlPlane.Agent.Identity;
using ControlPlane.Host.Agents;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Security;

return await Start(args);

static async Task<int> Start(string[] args)
{
    try
    {
        if (args is ["pki", .. var pki])
        {
            await Console.Out.WriteLineAsync(PkiVerbs.Run(pki, TimeProvider.System));
            return 0;
        }
        if (args is ["agent", "join", .. var join])
        {
            await Console.Out.WriteLineAsync(await AgentJoin.Run(join, Console.In, TimeProvider.System, CancellationToken.None));
            return 0;
        }
        var driver = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Drivers.Kinds.Contains("linux") ? "linux" : "simulated";
        var options = Settings.Read(
            args, Path.Combine(AppContext.BaseDirectory, "appsettings.json"), Environment.GetEnvironmentVariables(), driver);
        if (options.Role == NodeRole.Database)
        {
            await Console.Out.WriteLineAsync(DatabaseVerbs.Run(options));
            return 0;
        }
        MakeDirectory(options.Data);
        return options.Role == NodeRole.Agent ? await RunAgents(options) : await RunNode(options);
    }
    catch (Exception refusal) when (refusal is SettingException or JournalFileException or PostgresRefusedException or IOException
        or UnauthorizedAccessException or IdentityException)
    {
        await Console.Error.WriteLineAsync($"controlplane: {refusal.Message}");
        return 2;
    }
}

// The journal and the tokens are for their owner alone; a directory that is there keeps what it has.
static void MakeDirectory(string path)
{
    if (OperatingSystem.IsWindows())
    {
        Directory.CreateDirectory(path);
    }
    else
    {
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}

static async Task<int> RunNode(NodeOptions options)
{
    using var storage = Storage.Open(options, TimeProvider.System);
    await using var app = ControlPlaneApp.Build(options, storage, TimeProvider.System);
    await app.StartAsync();
    var url = app.Urls.First(url => url.StartsWith("http://", StringComparison.Ordinal) && !url.Contains("unix:", StringComparison.Ordinal));
    var hosts = options.Role == NodeRole.All
        ? $"hosts {string.Join(" and ", options.Hosts)} with the {(options.Driver == "linux" ? "Linux data path" : "simulated data path")}"
        : "no hosts of its own";
    await HostsAreOnline(app.Services.GetService<LocalAgents>(), app.Lifetime.ApplicationStopping);
    await Console.Out.WriteLineAsync($"""
        ready on {url}, {hosts}
        try:
          ./cpctl --server {url} --token-file {Path.Combine(options.Data, "admin.token")} status
          ./cpctl --server {url} --token-file {Path.Combine(options.Data, "admin.token")} host list
          ./cpctl --server {url} watch
        """);
    await app.WaitForShutdownAsync();
    return Environment.ExitCode; // of a node that departs in order, the code that asks to be started again
}

// Waits, but not for ever, for the hosts that this process has itself, so that "ready" is true of them too.
static async Task HostsAreOnline(LocalAgents? agents, CancellationToken stopping)
{
    using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
    for (var left = 500; agents is { Offline.Count: > 0 } && left > 0 && !stopping.IsCancellationRequested; left--)
    {
        await tick.WaitForNextTickAsync(CancellationToken.None);
    }
}

static async Task<int> RunAgents(NodeOptions options)
{
    using var stop = new CancellationTokenSource();
    using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(
        System.Runtime.InteropServices.PosixSignal.SIGTERM, signal => Stop(signal, stop));
    using var interrupt = System.Runtime.InteropServices.PosixSignalRegistration.Create(
        System.Runtime.InteropServices.PosixSignal.SIGINT, signal => Stop(signal, stop));
    using var logs = LoggerFactory.Create(logging => ControlPlaneApp.ConfigureLogging(logging, new ConfigurationBuilder().Build()));
    await Console.Out.WriteLineAsync($"agents of {string.Join(", ", options.Hosts)} with the {options.Driver} data path, for {string.Join(" or ", ControlPlaneApp.LocalAgents(options).Nodes)}");
    await LocalAgents.RunAgent(ControlPlaneApp.LocalAgents(options), TimeProvider.System, logs, stop.Token);
    return 0;
}

static void Stop(System.Runtime.InteropServices.PosixSignalContext signal, CancellationTokenSource stop)
{
    signal.Cancel = true;
    stop.Cancel();
}
