using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Tests;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>
/// The product as a process of its own, on a real kernel: started, asked over HTTP, killed and started again on the
/// same data. Its namespaces carry a prefix of their own, so that runs do not meet.
/// </summary>
sealed class ControlPlaneProcess : IAsyncDisposable
{
    static int _count;

    readonly string _data = Directory.CreateTempSubdirectory("controlplane-").FullName;
    readonly int _port = FreePorts.Next();
    readonly List<string> _log = [];
    HttpClient _http = new();
    Process? _process;

    public string Prefix { get; } = $"e{Environment.ProcessId % 10_000}{(char)('a' + Interlocked.Increment(ref _count) % 26)}-";

    public string JournalFile => Path.Combine(_data, "journal.db");

    static string Artifacts { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));

    /// <summary>Where run.sh and cpctl are.</summary>
    static string Root { get; } = Path.GetDirectoryName(Artifacts)!;

    /// <summary>Starts the process and waits until it is ready to serve.</summary>
    public Task Start()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Name;
        return Start("dotnet", [Path.Combine(Artifacts, "bin", "Host", configuration, "controlplane.dll"), "all"], TimeSpan.FromSeconds(60));
    }

    /// <summary>The same by run.sh, which builds first and then becomes the process.</summary>
    public Task StartByScript() => Start(Path.Combine(Root, "run.sh"), [], TimeSpan.FromMinutes(5));

    async Task Start(string program, string[] arguments, TimeSpan within)
    {
        var start = new ProcessStartInfo(program, [.. arguments, "--port", $"{_port}", "--data", _data, "--driver", "linux"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CONTROLPLANE__NamespacePrefix"] = Prefix, ["DOTNET_TieredPGO"] = "0" },
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("no process");
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Until(async () =>
        {
            Assert.False(_process.HasExited, $"it ended: {string.Join('\n', Log)}");
            using var ready = await new HttpClient().GetAsync($"http://127.0.0.1:{_port}/readyz");
            return ready.IsSuccessStatusCode;
        }, "ready", within);
        _http.Dispose();
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_port}"), Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(_data, "admin.token"))).Trim());
        await Until(async () => (await Get("/v1/hosts/hv01"))?["state"]?.ToString() == "online"
            && (await Get("/v1/hosts/hv02"))?["state"]?.ToString() == "online", "both hosts online");
    }

    /// <summary>SIGKILL: no warning, no clean-up.</summary>
    public async Task Kill()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGINT, as Ctrl-C does; answers the exit code.</summary>
    public async Task<int> Interrupt()
    {
        Run("kill", "-INT", $"{_process!.Id}");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    /// <summary>The command line client of this repository, by its script, on this process or on the port given.</summary>
    public async Task<(int ExitCode, string Output, string Error)> Cpctl(string[] arguments, int? port = null)
    {
        using var process = Process.Start(new ProcessStartInfo(
            Path.Combine(Root, "cpctl"),
            ["--server", $"http://127.0.0.1:{port ?? _port}", "--token-file", Path.Combine(_data, "admin.token"), .. arguments])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output, await error);
    }

    public IReadOnlyList<string> Log
    {
        get
        {
            lock (_log)
            {
                return [.. _log];
            }
        }
    }

    public async Task<JsonNode?> Get(string path)
    {
        using var response = await _http.GetAsync(path);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await response.Content.ReadFromJsonAsync<JsonNode>();
    }

    public async Task<(int Status, JsonNode? Body)> Send(HttpMethod method, string path, object? body = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        if (body is not null)
        {
            request.Content = JsonContent.Create(body);
        }
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Sends and expects a success.</summary>
    public async Task<JsonNode?> Done(HttpMethod method, string path, object? body = null)
    {
        var (status, answer) = await Send(method, path, body);
        Assert.True(status is >= 200 and < 300, $"{method} {path}: {status} {answer}");
        return answer;
    }

    public Task<JsonNode?> DefineSwitch(string host, string drift = "report", object[]? extensions = null) =>
        Done(HttpMethod.Put, $"/v1/hosts/{host}/switches/vsw0", new { kind = "external", drift, extensions = extensions ?? [] });

    public Task<JsonNode?> DefineVm(string vm, string host, params string[] nics) =>
        Done(HttpMethod.Put, $"/v1/vms/{vm}", new
        {
            host,
            nics = (nics.Length == 0 ? ["eth0"] : nics).Select(nic => new { name = nic, @switch = "vsw0", type = "synthetic" }),
        });

    /// <summary>Starts or stops a VM and waits for the operation's end.</summary>
    public Task<JsonNode?> Run(string vm, string verb) => Done(HttpMethod.Post, $"/v1/vms/{vm}/{verb}?wait=60s");

    public async Task<JsonNode> Oid(string host, string oid, int portId, object? parameters = null, int nicIndex = 0) =>
        (await Done(HttpMethod.Post, $"/v1/hosts/{host}/switches/vsw0/oids",
            new { requestId = Guid.NewGuid().ToString(), oid, portId, nicIndex, parameters }))!;

    /// <summary>Every event of an operation, oldest first.</summary>
    public async Task<List<JsonNode>> Events(string correlation)
    {
        var page = await Get($"/v1/events?correlation={correlation}&limit=1000");
        return [.. page!["items"]!.AsArray().Select(item => item!)];
    }

    /// <summary>The OIDs that an operation completed, in order.</summary>
    public async Task<List<string>> CompletedOids(string correlation) =>
        [.. (await Events(correlation)).Select(happened => happened["oid"]?.ToString()).OfType<string>()];

    /// <summary>The devices in a host's namespace that belong to VM NICs, as ip shows them: not lo, no bridge, no uplink.</summary>
    public IReadOnlyList<JsonNode> Links(string host) =>
        [.. JsonNode.Parse(Run("ip", "-n", Prefix + host, "-j", "-d", "link", "show"))!.AsArray()
            .Where(link => link!["ifalias"]?.ToString().Contains("nic/", StringComparison.Ordinal) == true)
            .Select(link => link!)];

    public IReadOnlyList<string> Devices(string host) => [.. Links(host).Select(link => link["ifname"]!.ToString())];

    /// <summary>The network namespaces of this process: its hosts, guests and what lies between.</summary>
    public IReadOnlyList<string> Namespaces() =>
        [.. Run("ip", "netns", "list").Split('\n').Select(line => line.Split(' ')[0])
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))];

    public bool Ping(string vm, string address) =>
        Try("ip", "netns", "exec", $"{Prefix}vm-{vm}", "ping", "-c1", "-W1", address);

    /// <summary>The demo's convention: a guest's address is 10. and the last three bytes of its MAC.</summary>
    public async Task<string> AddressOf(string vm, string nic = "eth0")
    {
        var mac = (await Get($"/v1/vms/{vm}"))!["nics"]!.AsArray().First(item => item!["name"]!.ToString() == nic)!["mac"]!.ToString();
        return "10." + string.Join('.', mac.Split(':')[3..].Select(part => Convert.ToInt32(part, 16)));
    }

    public static async Task Until(Func<Task<bool>> condition, string what, TimeSpan? within = null)
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed < (within ?? TimeSpan.FromSeconds(20)))
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (HttpRequestException refused)
            {
                last = refused;
            }
            await Task.Delay(20);
        }
        Assert.Fail($"not in time: {what}. {last?.Message}");
    }

    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    static bool Try(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
        _http.Dispose();
        foreach (var name in Namespaces())
        {
            Run("ip", "netns", "del", name);
        }
        Directory.Delete(_data, recursive: true);
    }

    void Note(string? line)
    {
        lock (_log)
        {
            if (line is not null)
            {
                _log.Add(line);
            }
        }
    }
}
