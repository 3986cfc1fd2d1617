using System.Globalization;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A host's data path in the Linux kernel: a network namespace that stands for the host, a bridge per switch, a veth or
/// tap per NIC whose IFF_UP is the gate. All of it lives in the kernel and goes on without this process; a new instance
/// finds it again by names and aliases. Commands take turns: the kernel would make them wait for each other anyway.
/// </summary>
public sealed class LinuxDriver : IDriver
{
    readonly LinuxDriverOptions _options;
    readonly TimeProvider _time;
    readonly DeviceNames _names;
    readonly FenceFile _fences;
    readonly DeviceRecords _records;
    readonly FrameLog _frames;
    readonly Suspension _suspension;
    readonly AnnounceRounds _rounds;
    readonly SemaphoreSlim _turn = new(1);
    Ready? _ready;

    public LinuxDriver(string host, LinuxDriverOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _names = new DeviceNames(options.NamespacePrefix, host);
        Directory.CreateDirectory(options.StateDirectory);
        _fences = new FenceFile(options.StateDirectory);
        _records = new DeviceRecords(options.StateDirectory);
        _suspension = new Suspension(options.StateDirectory);
        var bootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        _rounds = new AnnounceRounds((command, stop) => InTurn(() => Task.FromResult(_ready?.Nics.AnnounceAgain(command) == true), stop), time);
        _frames = new FrameLog(bootId, NextEpoch(options.StateDirectory, time), options.FramesMax, time);
    }

    public string Kind => "linux";

    public bool Fenced => _fences.Known;

    public IAsyncEnumerable<DriverFrame> Frames(long after, CancellationToken stop) => _frames.After(after, stop);

    public async Task<Completion> Command(DriverCommand command, CancellationToken stop)
    {
        if (!await TakeTurn(stop))
        {
            return new Completion(command.CommandId, NdisStatus.Failure, "the host is busy: no turn in time");
        }

        try
        {
            using var shared = Shares(command.Verb) ? await NamespaceLock.Take(_time, stop) : null;

            // Once begun it is not cancelled: half a command would be worse than the few milliseconds of a whole one.
            return await Task.Run(() => Carry(command), CancellationToken.None);
        }
        catch (KernelException error)
        {
            return new Completion(command.CommandId, error.Status, error.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    public Task<Inventory> Snapshot(CancellationToken stop) => InTurn(() =>
    {
        var (switches, devices, last) = Here().Watch.Snapshot();
        return Task.FromResult(new Inventory(_frames.BootId, _frames.Epoch, last, switches, devices));
    }, stop);

    public Task Fences(IReadOnlyDictionary<string, long> highestEpochs, CancellationToken stop) => InTurn(() =>
    {
        _fences.Learn(highestEpochs);
        return Task.FromResult(true);
    }, stop);

    public Task Suspend(CancellationToken stop) => InTurn(async () =>
    {
        if (_ready is not { } ready)
        {
            return false;
        }

        using var shared = await NamespaceLock.Take(_time, stop);
        var (switches, devices, _) = ready.Watch.Snapshot();
        _suspension.Save(switches, devices, _records);
        _ready = null;
        await ready.Watch.DisposeAsync();
        Suspension.Remove(switches, _records, ready.Links, ready.Switches, ready.Nics);

        // An open socket would keep the namespace alive.
        ready.Policies.Dispose();
        ready.Links.Dispose();
        NetworkNamespace.Delete(_names.HostNamespace);
        _records.Clear();
        return true;
    }, stop);

    public Task Resume(CancellationToken stop) => InTurn(async () =>
    {
        if (_ready is not null)
        {
            return false;
        }

        using var shared = await NamespaceLock.Take(_time, stop);
        var made = NetworkNamespace.Ensure(_names.HostNamespace, ipv6: false);
        var links = Links.Open(_names.HostNamespace);
        var policies = PortPolicies.Open(_names.HostNamespace, OpenTraffic(_names.HostNamespace));
        try
        {
            var switches = new HostBridge(_names, links, new Underlay(_names), _options.PortsPerBridgeMax, _options.BridgesPerSwitchMax);
            var nics = new NicDevices(_names, links, switches, _records, _fences, policies);
            if (made)
            {
                // The machine was started anew: the records are those of devices that went with it.
                _records.Clear();
            }

            policies.TakeOver(_names.HostNamespace, _records, links);
            _suspension.PutBack(switches, nics);
            var watch = new LinkWatch(_names.HostNamespace, _records, policies, _frames, _options.SweepEvery, _time);
            _ready = new Ready(links, switches, nics, policies, watch);
            return true;
        }
        catch
        {
            policies.Dispose();
            links.Dispose();
            throw;
        }
    }, stop);

    /// <summary>Changes that policies needed in the kernel since the host was made ready; what was so already is none.</summary>
    internal long PolicyChanges => Here().Policies.Applied;

    /// <summary>Packet programs that were loaded since then.</summary>
    internal long ProgramsLoaded => Here().Policies.ProgramsLoaded;

    /// <summary>For tests: a kernel that refuses.</summary>
    internal Func<string, Traffic> OpenTraffic { get; init; } = Traffic.Open;

    /// <summary>The kernel's side stays as it is: an end of this process is not an end of traffic.</summary>
    public async ValueTask DisposeAsync()
    {
        await _rounds.DisposeAsync();
        if (_ready is { } ready)
        {
            _ready = null;
            await ready.Watch.DisposeAsync();
            ready.Policies.Dispose();
            ready.Links.Dispose();
        }

        _turn.Dispose();
    }

    Completion Carry(DriverCommand command)
    {
        var here = Here();
        var (status, detail) = (NdisStatus.Success, (string?)null);
        switch (command.Verb)
        {
            case DriverVerb.EnsureSwitch:
                here.Switches.Ensure(command.Switch);
                break;
            case DriverVerb.RemoveSwitch when here.Switches.Remove(command.Switch) is { } why:
                (status, detail) = (NdisStatus.Failure, why);
                break;
            case DriverVerb.CreatePort:
                (status, detail) = here.Switches.Reserve(command.Switch, command.Port);
                break;
            case DriverVerb.DeletePort:
                here.Switches.Free(command.Switch, command.Port);
                break;
            case DriverVerb.ReleaseGuest:
                here.Nics.Release(command.Vm);
                break;
            case DriverVerb.RemoveSwitch or DriverVerb.TeardownPort:
                break;
            case DriverVerb.CreateNic or DriverVerb.ConnectNic or DriverVerb.DisconnectNic
                or DriverVerb.DeleteNic or DriverVerb.RepairNic or DriverVerb.ApplyPolicy or DriverVerb.ReadNic
                or DriverVerb.RestoreNic:
                return here.Nics.Carry(command, here.Watch);
            case DriverVerb.AnnounceNic:
                var announced = here.Nics.Carry(command, here.Watch);
                if (announced.Status == NdisStatus.Success)
                {
                    _rounds.Begin(command);
                }

                return announced;
            default:
                (status, detail) = (NdisStatus.NotSupported, $"{command.Verb} is not for a Linux host");
                break;
        }

        return new Completion(command.CommandId, status, detail);
    }

    static bool Shares(DriverVerb verb) => verb is DriverVerb.EnsureSwitch or DriverVerb.RemoveSwitch
        or DriverVerb.CreateNic or DriverVerb.RepairNic or DriverVerb.ReleaseGuest;

    Ready Here() => _ready ?? throw new KernelException(100, "use the host before Resume or after Suspend");

    async Task<T> InTurn<T>(Func<Task<T>> work, CancellationToken stop)
    {
        if (!await TakeTurn(stop))
        {
            throw new KernelException(110, "wait for a turn on the host");
        }

        try
        {
            return await Task.Run(work, CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    async Task<bool> TakeTurn(CancellationToken stop)
    {
        using var late = new CancellationTokenSource(_options.TurnWaitMax, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await _turn.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>
    /// Frames end with the process, so each start is a new epoch. Where the number is lost, the clock gives one that is
    /// higher than any count of starts: counting from one again would make new frames look like old ones.
    /// </summary>
    static long NextEpoch(string stateDirectory, TimeProvider time)
    {
        var path = Path.Combine(stateDirectory, "stream-epoch.json");
        var next = long.TryParse(StateFile.Read<string>(path), CultureInfo.InvariantCulture, out var last)
            ? last + 1
            : time.GetUtcNow().ToUnixTimeMilliseconds();
        StateFile.Write(path, next.ToString(CultureInfo.InvariantCulture), durable: true);
        return next;
    }

    sealed record Ready(
        Links Links, HostBridge Switches, NicDevices Nics, PortPolicies Policies, LinkWatch Watch);
}
