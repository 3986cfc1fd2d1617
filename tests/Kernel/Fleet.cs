using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>
/// Hosts on this machine under a prefix of their own, with the words to command them and to look at the kernel from
/// outside. Its end removes every namespace of the prefix, also after a failed test.
/// </summary>
sealed class Fleet
{
    const string Run = "/run/netns";
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    readonly List<LinuxDriver> _drivers = [];
    readonly Dictionary<LinuxDriver, string> _hosts = [];
    readonly string _state = Directory.CreateTempSubdirectory("kernel-test").FullName;
    int _commands;

    static int _fleets;

    /// <summary>What a killed run left: its process id is in the prefix.</summary>
    static Fleet()
    {
        foreach (var name in Directory.Exists(Run) ? Directory.GetFiles(Run).Select(path => Path.GetFileName(path)) : [])
        {
            if (Regex.Match(name, @"^t(\d+)x\d+-") is { Success: true } match
                && !Directory.Exists("/proc/" + match.Groups[1].Value))
            {
                Shell("ip", ["netns", "del", name]);
            }
        }
    }

    public string Prefix { get; } = $"t{Environment.ProcessId}x{Interlocked.Increment(ref _fleets)}-";

    /// <summary>The shared switch of the stories.</summary>
    public const string Switch = "blue";

    public string StateOf(string host) => Path.Combine(_state, host);

    /// <summary>
    /// A driver that has not been resumed yet; the second one for a host is what a restart makes. Sweeps are
    /// off unless asked for: the stories are about events.
    /// </summary>
    public LinuxDriver Start(
        string host, int portsMax = 1_023, int framesMax = 10_000, double sweepSeconds = 3_600, int bridgesMax = 8,
        Func<string, Traffic>? traffic = null)
    {
        var options = new LinuxDriverOptions
        {
            StateDirectory = StateOf(host),
            NamespacePrefix = Prefix,
            PortsPerBridgeMax = portsMax,
            BridgesPerSwitchMax = bridgesMax,
            FramesMax = framesMax,
            SweepEvery = TimeSpan.FromSeconds(sweepSeconds),
        };
        var driver = new LinuxDriver(host, options, TimeProvider.System) { OpenTraffic = traffic ?? Traffic.Open };
        _drivers.Add(driver);
        _hosts.Add(driver, host);
        return driver;
    }

    /// <summary>A host with known fences and the switch.</summary>
    public async Task<LinuxDriver> Host(
        string host, int portsMax = 1_023, int framesMax = 10_000, double sweepSeconds = 3_600, int bridgesMax = 8,
        Func<string, Traffic>? traffic = null)
    {
        var driver = Start(host, portsMax, framesMax, sweepSeconds, bridgesMax, traffic);
        await driver.Resume(CancellationToken.None);
        await driver.Fences(new Dictionary<string, long>(), CancellationToken.None);
        Assert.Equal(NdisStatus.Success, (await Do(driver, new DriverCommand("", DriverVerb.EnsureSwitch, Switch))).Status);
        return driver;
    }

    public Task<Completion> Do(LinuxDriver driver, DriverCommand command) =>
        driver.Command(command with { CommandId = $"c{Interlocked.Increment(ref _commands)}" }, CancellationToken.None);

    public async Task<DeviceState> Done(LinuxDriver driver, DriverCommand command)
    {
        var completion = await Do(driver, command);
        Assert.True(completion.Status == NdisStatus.Success, $"{command.Verb}: {completion.Status} {completion.Detail}");
        return completion.Observed!;
    }

    /// <summary>A guest's NIC with its gate open and frames passing through it: a bridge takes them some time after that.</summary>
    public async Task<DeviceState> Open(LinuxDriver driver, Nic nic, PortPolicy? policy)
    {
        await Done(driver, nic.Create(policy));
        var open = await Done(driver, nic.Connect());
        var plug = new DeviceNames(Prefix, _hosts[driver]).Plug(nic.Key);
        await Eventually(() => Forwards(_hosts[driver], open.Device) && Forwards("bp-" + nic.Vm, plug), "an open gate that forwards");
        return open;
    }

    public bool Forwards(string inside, string device) => Device(inside, device) is { } link
        && link.GetProperty("linkinfo").GetProperty("info_slave_data").GetProperty("state").GetString() == "forwarding";

    /// <summary>What the NIC's data path has gathered.</summary>
    public async Task<NicRuntime> Gathered(LinuxDriver driver, Nic nic)
    {
        var completion = await Do(driver, nic.Read());
        Assert.True(completion.Status == NdisStatus.Success, completion.Detail);
        return completion.Runtime!;
    }

    /// <summary>The guest's device of a NIC, from within the guest.</summary>
    public Wire Wire(Nic nic) => new(Namespace("vm-" + nic.Vm), nic.Name, nic.Mac);

    /// <summary>A program in a namespace of the fleet.</summary>
    public (int Code, string Output) Inside(string inside, params string[] arguments) =>
        Shell("ip", ["netns", "exec", Namespace(inside), .. arguments]);

    public string Namespace(string name) => Prefix + name;

    public string[] Namespaces() =>
        Directory.Exists(Run)
            ? [.. from path in Directory.GetFiles(Run)
                  let name = Path.GetFileName(path)
                  where name.StartsWith(Prefix, StringComparison.Ordinal)
                  orderby name
                  select name]
            : [];

    /// <summary>`ip` in a namespace of the fleet.</summary>
    public (int Code, string Output) Ip(string inside, params string[] arguments) =>
        Shell("ip", ["-n", Namespace(inside), .. arguments]);

    /// <summary>A device as iproute2 sees it, or null.</summary>
    public JsonElement? Device(string inside, string device)
    {
        var (code, output) = Ip(inside, "-j", "-d", "link", "show", "dev", device);
        return code == 0 ? JsonDocument.Parse(output).RootElement[0] : null;
    }

    public bool IsUp(string host, string device) =>
        Device(host, device)!.Value.GetProperty("flags").EnumerateArray().Any(flag => flag.GetString() == "UP");

    public bool Ping(string vm, string address) =>
        Shell("ip", ["netns", "exec", Namespace("vm-" + vm), "ping", "-c1", "-W1", address]).Code == 0;

    public static (int Code, string Output) Shell(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    public static async Task Eventually(Func<bool> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, "never: " + what);
            await Task.Delay(10);
        }
    }

    /// <summary>The next frames after a place in the stream.</summary>
    public static async Task<DriverFrame[]> Frames(LinuxDriver driver, int count, long after = 0)
    {
        using var late = new CancellationTokenSource(Deadline);
        var frames = new List<DriverFrame>();
        await foreach (var frame in driver.Frames(after, late.Token))
        {
            frames.Add(frame);
            if (frames.Count == count)
            {
                break;
            }
        }

        return [.. frames];
    }

    public async Task End()
    {
        foreach (var driver in _drivers)
        {
            await driver.DisposeAsync();
        }

        foreach (var name in Namespaces())
        {
            Shell("ip", ["netns", "del", name]);
        }

        Directory.Delete(_state, recursive: true);
    }
}

/// <summary>A VM's NIC and the commands about it, each with a revision one higher than the last.</summary>
sealed class Nic(string vm, int number, long epoch = 1, string name = "eth0", string switchName = Fleet.Switch)
{
    long _revision;

    public string Vm { get; } = vm;
    public string Name { get; } = name;
    public string Key { get; } = $"nic/{vm}/{name}";
    public string Address { get; } = $"10.0.0.{number}";
    public string Mac { get; } = $"02:00:00:00:00:{number:x2}";

    public DriverCommand Create() => Next(DriverVerb.CreateNic);
    public DriverCommand Connect() => Next(DriverVerb.ConnectNic);
    public DriverCommand Disconnect() => Next(DriverVerb.DisconnectNic);
    public DriverCommand Delete() => Next(DriverVerb.DeleteNic);
    public DriverCommand Repair(bool up) => Next(DriverVerb.RepairNic) with { Up = up };
    public DriverCommand Create(PortPolicy? policy) => Create() with { Policy = policy };
    public DriverCommand Repair(bool up, PortPolicy? policy) => Repair(up) with { Policy = policy };
    public DriverCommand Apply(PortPolicy? policy) => Next(DriverVerb.ApplyPolicy) with { Policy = policy };
    public DriverCommand Announce() => Next(DriverVerb.AnnounceNic) with { Revision = _revision };
    public DriverCommand Read() => Next(DriverVerb.ReadNic) with { Revision = _revision };
    public DriverCommand Restore(NicRuntimePart gathered) => Next(DriverVerb.RestoreNic) with { Runtime = gathered };

    DriverCommand Next(DriverVerb verb) => new(
        "", verb, switchName, $"port-{Vm}-{number}", Vm, Name, Key, epoch, ++_revision, Mac: Mac);
}
