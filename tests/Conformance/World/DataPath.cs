using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// A host's data path in memory: devices with a gate, whose epoch and revision are read back; fences; faults on request.
/// A command is carried out once: its id again gives the recorded completion.
/// </summary>
public sealed class DataPath(string host)
{
    const int AnnounceRounds = 5;

    readonly Dictionary<string, Completion> _completions = [];
    readonly Dictionary<string, (long Epoch, bool Ended)> _fences = [];
    readonly List<(PlantedFault Fault, int Skip)> _faults = [];
    long _seq;
    int _boot = 1;

    public SortedSet<string> Switches { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Ports { get; } = new(StringComparer.Ordinal);

    /// <summary>Devices by NIC key.</summary>
    public SortedDictionary<string, DeviceState> Devices { get; } = new(StringComparer.Ordinal);

    /// <summary>What the data path of each NIC has gathered, by NIC key.</summary>
    public SortedDictionary<string, NicRuntime> Runtimes { get; } = new(StringComparer.Ordinal);

    /// <summary>Rounds of announcements that went out, by NIC key.</summary>
    public SortedDictionary<string, int> Announced { get; } = new(StringComparer.Ordinal);

    /// <summary>Policies that the host says it applied and does not enforce: nothing of them is read back.</summary>
    public bool Deaf { get; set; }

    /// <summary>It refuses a policy half-way and cannot put back what held before.</summary>
    public bool Breaks { get; set; }

    /// <summary>Commands that were carried out, oldest first; repeats are not.</summary>
    public List<DriverCommand> Carried { get; } = [];

    /// <summary>After <paramref name="skip"/> commands with this verb, the next ones fail with this status.</summary>
    public void Plant(DriverVerb verb, NdisStatus status, int times = 1, int skip = 0) => _faults.Add((new PlantedFault(verb, status, times), skip));

    /// <summary>The host comes up again with nothing but its fences, which are on its disk.</summary>
    public void Reboot()
    {
        (_boot, _seq) = (_boot + 1, 0);
        _completions.Clear();
        LoseEverything();
    }

    /// <summary>Somebody removes all that the host has, in the same boot; what was carried out stays known.</summary>
    public void LoseEverything()
    {
        Switches.Clear();
        Ports.Clear();
        Devices.Clear();
    }

    public Inventory Inventory() => new($"{host}-boot-{_boot}", _boot, _seq, [.. Switches], [.. Devices.Values]);

    public DriverFrame Remove(string nicKey)
    {
        var device = Devices[nicKey];
        Devices.Remove(nicKey);
        return Frame(FrameKind.Vanished, device with { Present = false, Up = false, Enslaved = false });
    }

    /// <summary>Somebody plugs a device of their own into the switch, or takes it off again.</summary>
    public DriverFrame Foreign(string name, string device, bool there = true)
    {
        var foreign = new DeviceState("", name, "", device, there, there, there, 0, 0);
        if (there)
        {
            Devices[device] = foreign;
        }
        else
        {
            Devices.Remove(device);
        }
        return Frame(there ? FrameKind.Appeared : FrameKind.Vanished, foreign);
    }

    public DriverFrame LosePolicy(string nicKey) => Frame(FrameKind.Changed, Devices[nicKey] = Devices[nicKey] with { Policy = null });

    public DriverFrame SetMtu(string nicKey, int mtu) => Frame(FrameKind.Changed, Devices[nicKey] = Devices[nicKey] with { Mtu = mtu });

    public DriverFrame MoveGate(string nicKey, bool up) => Frame(FrameKind.Changed, Devices[nicKey] = Devices[nicKey] with { Up = up });

    public Completion Carry(DriverCommand command)
    {
        if (_completions.TryGetValue(command.CommandId, out var known))
        {
            return known;
        }
        Carried.Add(command);
        var failure = Planted(command.Verb) ?? Act(command);
        return _completions[command.CommandId] = failure is { } status
            ? new Completion(command.CommandId, status, "planted or stale", Observed(command))
            : new Completion(command.CommandId, NdisStatus.Success, null, Observed(command), command.Verb == DriverVerb.ReadNic
                ? Runtimes.GetValueOrDefault(command.NicKey) ?? NicRuntime.Empty
                : null);
    }

    NdisStatus? Planted(DriverVerb verb)
    {
        var at = _faults.FindIndex(planted => planted.Fault.Verb == verb);
        if (at < 0)
        {
            return null;
        }
        var (fault, skip) = _faults[at];
        _faults[at] = skip > 0 ? (fault, skip - 1) : (fault with { Times = fault.Times - 1 }, 0);
        _faults.RemoveAll(planted => planted.Fault.Times == 0);
        return skip > 0 ? null : fault.Status;
    }

    NdisStatus? Act(DriverCommand command)
    {
        switch (command.Verb)
        {
            case DriverVerb.EnsureSwitch:
                Switches.Add(command.Switch);
                return null;
            case DriverVerb.RemoveSwitch:
                Switches.Remove(command.Switch);
                return null;
            case DriverVerb.CreatePort:
                Ports.Add($"{command.Switch}/{command.Port}");
                return null;
            case DriverVerb.DeletePort:
                Ports.Remove($"{command.Switch}/{command.Port}");
                return null;
            case DriverVerb.CreateNic or DriverVerb.ConnectNic or DriverVerb.DisconnectNic or DriverVerb.DeleteNic or DriverVerb.RepairNic
                or DriverVerb.ApplyPolicy or DriverVerb.ReadNic or DriverVerb.RestoreNic or DriverVerb.AnnounceNic:
                return ActOnNic(command);
            default:
                return null;
        }
    }

    NdisStatus? ActOnNic(DriverCommand command)
    {
        var (epoch, ended) = _fences.GetValueOrDefault(command.NicKey);
        var makes = command.Verb is DriverVerb.CreateNic or DriverVerb.RepairNic;
        var device = Devices.GetValueOrDefault(command.NicKey);
        if (command.Epoch < epoch || (makes && ended && command.Epoch == epoch) || (makes && !Switches.Contains(command.Switch))
            || (device is not null && device.Epoch == command.Epoch && device.Revision > command.Revision))
        {
            return NdisStatus.InvalidParameter;
        }
        _fences[command.NicKey] = (command.Epoch, command.Verb == DriverVerb.DeleteNic);
        if (command.Verb == DriverVerb.DeleteNic)
        {
            Devices.Remove(command.NicKey);
        }
        else if (makes)
        {
            Devices[command.NicKey] = new DeviceState(
                command.NicKey, command.Switch, command.Port, $"tap-{command.Nic}", true, command.Up, true, command.Epoch, command.Revision,
                Deaf ? null : command.Policy?.Digest)
            {
                Mtu = command.Mtu == 0 ? 1_500 : command.Mtu,
                Mac = command.Policy is null ? null : command.Mac,
            };
        }
        else if (device is not null)
        {
            ActOnDevice(command, device);
            if (Breaks && command.Verb == DriverVerb.ApplyPolicy)
            {
                Devices[command.NicKey] = device with { Policy = null, Mac = null };
                return NdisStatus.Resources;
            }
        }
        return device is null && !makes && command.Verb is not (DriverVerb.DisconnectNic or DriverVerb.DeleteNic) ? NdisStatus.Failure : null;
    }

    void ActOnDevice(DriverCommand command, DeviceState device)
    {
        switch (command.Verb)
        {
            case DriverVerb.ApplyPolicy:
                Devices[command.NicKey] = device with
                {
                    Epoch = command.Epoch,
                    Revision = command.Revision,
                    Policy = Deaf ? device.Policy : command.Policy?.Digest,
                    Mtu = command.Mtu == 0 ? device.Mtu : command.Mtu,
                    Mac = Deaf || command.Policy is null ? device.Mac : command.Mac,
                };
                break;
            case DriverVerb.RestoreNic:
                Runtimes[command.NicKey] = (Runtimes.GetValueOrDefault(command.NicKey) ?? NicRuntime.Empty).With(command.Runtime!);
                break;
            case DriverVerb.AnnounceNic:
                Announced[command.NicKey] = Announced.GetValueOrDefault(command.NicKey) + AnnounceRounds;
                break;
            case DriverVerb.ConnectNic or DriverVerb.DisconnectNic:
                var connects = command.Verb == DriverVerb.ConnectNic;
                Devices[command.NicKey] = device with
                {
                    Up = connects,
                    Epoch = command.Epoch,
                    Revision = command.Revision,
                    Mtu = connects && command.Mtu != 0 ? command.Mtu : device.Mtu,
                    Mac = connects && device.Mac is not null ? command.Mac : device.Mac,
                };
                break;
        }
    }

    DeviceState? Observed(DriverCommand command) => command.NicKey.Length == 0
        ? null
        : Devices.GetValueOrDefault(command.NicKey) ?? new DeviceState(command.NicKey, command.Switch, command.Port, "", false, false, false, 0, 0);

    DriverFrame Frame(FrameKind kind, DeviceState device) => new($"{host}-boot-{_boot}", _boot, ++_seq, DateTimeOffset.UnixEpoch, kind, device);
}
