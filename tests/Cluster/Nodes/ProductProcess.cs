using System.Diagnostics;

namespace ControlPlane.Tests.Cluster.Nodes;

/// <summary>
/// The product as a process of its own, with this test as what watches over it: a process that ends by itself is started
/// again, as systemd would, until it is told to be down.
/// </summary>
/// <param name="user">The user id that the process has, so that a packet filter knows its packets; null: this process's own.</param>
sealed class ProductProcess(string name, string[] arguments, string log, uint? user = null) : IAsyncDisposable
{
    static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "Host", new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Name, "controlplane.dll"));

    readonly Lock _lock = new();
    readonly List<int> _exits = [];
    Process? _process;
    bool _wanted;

    public string Name => name;

    public int Pid => _process!.Id;

    /// <summary>The codes with which it ended.</summary>
    public IReadOnlyList<int> Exits
    {
        get
        {
            lock (_lock)
            {
                return [.. _exits];
            }
        }
    }

    /// <summary>
    /// The newest wire version that it may speak from its next start on; null: its own. CONTROLPLANE_FORMER_PROGRAM names the
    /// controlplane.dll of a former release, which then is the program of those that may not speak the newest.
    /// </summary>
    public int? Wire { get; set; }

    string ProgramNow => Wire is null ? Program : Environment.GetEnvironmentVariable("CONTROLPLANE_FORMER_PROGRAM") ?? Program;

    public string Log => File.Exists(log) ? File.ReadAllText(log) : "";

    public void Start()
    {
        lock (_lock)
        {
            _wanted = true;
            // Its output goes to a file by the shell: a pipe would end with the test, and a full one would stop it.
            var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", log, .. As(), "dotnet", ProgramNow, .. arguments]);
            start.Environment["DOTNET_TieredPGO"] = "0";
            if (Wire is { } wire && ProgramNow == Program)
            {
                start.Environment["CONTROLPLANE__WIRE"] = $"{wire}";
            }
            _process = new Process { StartInfo = start, EnableRaisingEvents = true };
            _process.Exited += (sender, _) => Ended((Process)sender!);
            _process.Start();
        }
    }

    string[] As() => user is { } id ? ["setpriv", $"--reuid={id}", "--clear-groups"] : [];

    /// <summary>SIGKILL; it is started again by <see cref="Start"/>, or at once.</summary>
    public async Task Kill(bool again)
    {
        Process process;
        lock (_lock)
        {
            _wanted = again;
            process = _process!;
        }
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and the time until it has ended.</summary>
    public async Task<int> Terminate()
    {
        Process process;
        lock (_lock)
        {
            _wanted = false;
            process = _process!;
        }
        await Signal("TERM");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(deadline.Token);
        return process.ExitCode;
    }

    public Task Freeze() => Signal("STOP");

    public Task Thaw() => Signal("CONT");

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _wanted = false;
        }
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    async Task Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{Pid}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>After a moment, as what watches over processes does: one that cannot start must not be started in a loop.</summary>
    async Task Again(Process ended)
    {
        await Task.Delay(300);
        lock (_lock)
        {
            if (_wanted && ended == _process)
            {
                Start();
            }
        }
    }

    void Ended(Process process)
    {
        lock (_lock)
        {
            _exits.Add(process.ExitCode);
            if (_wanted && process == _process)
            {
                _ = Again(process);
            }
        }
    }
}
