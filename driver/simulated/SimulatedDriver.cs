using System.Globalization;
using ControlPlane.DriverAbi;
using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>
/// A host in memory: the seam's rules without a kernel, with faults on request. It is deterministic: time comes from the
/// clock that it was given and nothing is left to chance. Like a kernel, it goes on without the program above it: with a
/// state file a new instance finds the devices and fences of the one before.
/// </summary>
public sealed class SimulatedDriver : IDriver
{
    readonly SimulatedDriverOptions _options;
    readonly TimeProvider _time;
    readonly Lock _sync = new();
    readonly Faults _faults = new();
    readonly HostState _host;
    readonly HostRules _rules;
    FrameRing _frames;
    FrameRing _told;
    bool _ready;

    public SimulatedDriver(string host, SimulatedDriverOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        if (Path.GetDirectoryName(options.StateFile) is { Length: > 0 } directory)
        {
            Directory.CreateDirectory(directory);
        }
        var earlier = options.StateFile is null ? null : HostState.Read(options.StateFile);
        _host = earlier ?? new HostState
        {
            BootId = $"simulated-{host}-1",
            // With a lost file the clock gives an epoch above any count of starts: frames must not look like old ones.
            StreamEpoch = options.StateFile is null ? 0 : time.GetUtcNow().ToUnixTimeMilliseconds(),
            FencesKnown = options.StateFile is null,
        };
        _host.StreamEpoch++;
        _rules = new HostRules(_host, options.PortsPerSwitchMax);
        _frames = _told = NewRing();
        Save();
    }

    public string Kind => "simulated";

    public bool Fenced
    {
        get
        {
            lock (_sync)
            {
                return _host.FencesKnown;
            }
        }
    }

    /// <summary>A place is one of the stream that the last snapshot told of; if that is over, so is the place.</summary>
    public IAsyncEnumerable<DriverFrame> Frames(long after, CancellationToken stop)
    {
        lock (_sync)
        {
            return _told.After(after, stop);
        }
    }

    public async Task<Completion> Command(DriverCommand command, CancellationToken stop)
    {
        if (_options.CommandTakes > TimeSpan.Zero)
        {
            await Task.Delay(_options.CommandTakes, _time, stop);
        }
        var fate = _options.Fate?.Invoke(command) ?? CommandFate.Once;
        if (fate == CommandFate.Lost)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop);
        }
        var completion = Carry(command);
        if (fate == CommandFate.Twice)
        {
            completion = Carry(command);
        }
        if (fate == CommandFate.AnswerLost)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop);
        }
        return completion;
    }

    public Task<Inventory> Snapshot(CancellationToken stop)
    {
        lock (_sync)
        {
            _told = _frames;
            return _ready
                ? Task.FromResult(new Inventory(
                    _frames.BootId, _frames.Epoch, _frames.Last, [.. _host.Switches], [.. _host.Devices.Values]))
                : Task.FromException<Inventory>(new InvalidOperationException(NotReady));
        }
    }

    public Task Fences(IReadOnlyDictionary<string, long> highestEpochs, CancellationToken stop)
    {
        lock (_sync)
        {
            foreach (var (nicKey, epoch) in highestEpochs)
            {
                if (epoch > (_host.Fences.GetValueOrDefault(nicKey)?.Epoch ?? 0))
                {
                    _host.Fences[nicKey] = new Fence(epoch, Tombstone: false);
                }
            }
            _host.FencesKnown = true;
            Save();
        }
        return Task.CompletedTask;
    }

    /// <summary>What is saved is what there is, so an ordered end only closes the host until <see cref="Resume"/>.</summary>
    public Task Suspend(CancellationToken stop)
    {
        lock (_sync)
        {
            _ready = false;
            Save();
        }
        return Task.CompletedTask;
    }

    public Task Resume(CancellationToken stop)
    {
        lock (_sync)
        {
            _ready = true;
        }
        return Task.CompletedTask;
    }

    /// <summary>Devices and file stay: an end of the program is not an end of the host.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_sync)
        {
            _frames.End();
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>The devices that there are now; unlike a snapshot, this is no place to read frames from.</summary>
    public IReadOnlyList<DeviceState> Peek()
    {
        lock (_sync)
        {
            return [.. _host.Devices.Values];
        }
    }

    /// <summary>Rounds of announcements that went out for the NIC.</summary>
    public int Announced(string nicKey)
    {
        lock (_sync)
        {
            return _host.Announced.GetValueOrDefault(nicKey);
        }
    }

    /// <summary>The next commands with that verb fail.</summary>
    public void Plant(PlantedFault fault)
    {
        lock (_sync)
        {
            _faults.Plant(fault);
        }
    }

    /// <summary>Somebody deletes the NIC's device. False if there is none.</summary>
    public bool RemoveDevice(string nicKey)
    {
        lock (_sync)
        {
            if (_rules.Find(nicKey) is not { } device)
            {
                return false;
            }
            _host.Devices.Remove(device.Device);
            Save();
            _frames.Add(FrameKind.Vanished, device with { Present = false, Up = false, Enslaved = false });
            return true;
        }
    }

    /// <summary>Somebody sets the gate of the NIC's device. False if there is no device, or it was so already.</summary>
    public bool SetGate(string nicKey, bool up)
    {
        lock (_sync)
        {
            if (_rules.Find(nicKey) is not { } device || device.Up == up)
            {
                return false;
            }
            var changed = _host.Devices[device.Device] = device with { Up = up };
            Save();
            _frames.Add(FrameKind.Changed, changed);
            return true;
        }
    }

    /// <summary>Somebody plugs a device of their own into a switch.</summary>
    public void AddForeignDevice(string switchName, string device)
    {
        lock (_sync)
        {
            var foreign = new DeviceState("", switchName, "", device, Present: true, Up: true, Enslaved: true, Epoch: 0, Revision: 0);
            _host.Devices[device] = foreign;
            Save();
            _frames.Add(FrameKind.Appeared, foreign);
        }
    }

    /// <summary>The host forgets its fences, as after the loss of its disk: a new stream epoch begins.</summary>
    public void LoseFences()
    {
        lock (_sync)
        {
            _host.Fences.Clear();
            _host.FencesKnown = false;
            StartAnew();
        }
    }

    /// <summary>The host loses power: switches, ports and devices are gone, fences stay, the boot id is another.</summary>
    public void Reboot()
    {
        lock (_sync)
        {
            var dash = _host.BootId.LastIndexOf('-') + 1;
            var count = int.Parse(_host.BootId.AsSpan(dash), CultureInfo.InvariantCulture) + 1;
            _host.BootId = string.Create(CultureInfo.InvariantCulture, $"{_host.BootId[..dash]}{count}");
            _host.Switches.Clear();
            _host.Ports.Clear();
            _host.Devices.Clear();
            _host.Policies.Clear();
            _host.Runtimes.Clear();
            StartAnew();
        }
    }

    const string NotReady = "The host is not in use: before Resume or after Suspend.";

    void StartAnew()
    {
        _host.StreamEpoch++;
        var before = _frames;
        _frames = NewRing();
        before.End();
        Save();
    }

    FrameRing NewRing() => new(_host.BootId, _host.StreamEpoch, _options.FramesMax, _time);

    Completion Carry(DriverCommand command)
    {
        lock (_sync)
        {
            if (!_ready)
            {
                return new Completion(command.CommandId, NdisStatus.Failure, NotReady);
            }
            if (command.Verb == DriverVerb.PlantFault)
            {
                return _faults.Plant(command);
            }
            if (_faults.Strikes(command.Verb) is { } status)
            {
                return new Completion(command.CommandId, status, "planted fault", _rules.Observe(command));
            }
            var before = _rules.EnforcedFor(command.NicKey);
            var completion = _rules.Carry(command);
            try
            {
                Save();
            }
            catch (IOException error)
            {
                if (command.Verb == DriverVerb.ApplyPolicy && before is not null)
                {
                    // What is refused has not begun to hold: a Linux host puts back what held before, too.
                    _rules.PutBack(before);
                }
                return completion with { Status = NdisStatus.Failure, Detail = $"not saved: {error.Message}", Observed = _rules.Observe(command) };
            }
            return completion;
        }
    }

    void Save()
    {
        if (_options.StateFile is { } path)
        {
            _host.Write(path);
        }
    }
}
