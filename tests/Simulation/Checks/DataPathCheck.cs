using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Nics;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// What guests would notice, looked at after each command of a host and after each deed of a stranger: every device whose
/// gate is open lets its guest's frames pass.
/// </summary>
sealed class DataPathCheck(World world)
{
    readonly Dictionary<(string Host, string Nic), (long Epoch, long Revision)> _off = [];
    readonly Dictionary<(string Host, string Nic), long> _epochs = [];
    readonly Dictionary<(string Host, string Nic), CommandPlace> _commanded = [];
    readonly Dictionary<(string Host, string Nic), CommandPlace> _deleted = [];
    readonly HashSet<(string Host, string CommandId)> _late = [];
    readonly HashSet<(string Host, string Nic)> _touched = [];
    readonly Dictionary<(string Host, long Epoch, long Seq), DriverFrame> _emitted = [];
    readonly HashSet<(string Host, long Epoch, long Seq)> _recorded = [];
    bool _fellBack;

    public long FramesOfGuests { get; private set; }

    /// <summary>A stranger changed the device: until it is commanded anew, its gate is not our doing.</summary>
    public void Touched(string host, string nic)
    {
        _touched.Add((host, nic));
        Look();
    }

    public void Rebooted(string host)
    {
        foreach (var key in _epochs.Keys.Where(key => key.Host == host).ToList())
        {
            _epochs.Remove(key);
        }
    }

    /// <summary>
    /// Frames are recorded anew, what is stored says less of the hosts than is so, and who stored a command that is forgotten
    /// counts on from what it was before: the order of commands begins here.
    /// </summary>
    public void FellBack()
    {
        _recorded.Clear();
        _commanded.Clear();
        _fellBack = true;
    }

    public void Emitted(string host, DriverFrame frame) => _emitted[(host, frame.StreamEpoch, frame.Seq)] = frame;

    /// <summary>
    /// design.md 5: what shapes a NIC's device reaches the host in the order of epochs and revisions, over all sessions. Only
    /// after a deletion that succeeded an older one may come so far: the driver's tombstone refuses it.
    /// </summary>
    public void Commanded(string host, DriverCommand command)
    {
        if (CommandPlace.Of(command) is not { } place)
        {
            return;
        }
        var key = (host, command.NicKey);
        if (_commanded.TryGetValue(key, out var last) && place < last)
        {
            if (_deleted.GetValueOrDefault(key) == last)
            {
                _late.Add((host, command.CommandId));
                return;
            }
            world.Check.Violate("I18", $"{host}: {command.Verb} of {command.NicKey} at {place} reached the host after {last}");
        }
        _commanded[key] = place;
    }

    public void Completed(string host, DriverCommand command, Completion completion)
    {
        if (command.NicKey.Length > 0 && completion.Status == NdisStatus.Success)
        {
            var key = (host, command.NicKey);
            if (_late.Contains((host, command.CommandId)))
            {
                world.Check.Violate("I18", $"{host}: {command.Verb} of {command.NicKey} at {CommandPlace.Of(command)} was carried out after {_deleted[key]}");
            }
            if (command.Verb == DriverVerb.DeleteNic && CommandPlace.Of(command) is { } deletion)
            {
                _deleted[key] = deletion;
            }
            if (command.Verb is DriverVerb.ConnectNic or DriverVerb.DisconnectNic or DriverVerb.RepairNic or DriverVerb.DeleteNic)
            {
                _touched.Remove(key);
            }
            if (command.Verb is DriverVerb.DisconnectNic or DriverVerb.DeleteNic)
            {
                var now = (command.Epoch, command.Revision);
                _off[key] = _off.TryGetValue(key, out var before) && before.CompareTo(now) > 0 ? before : now;
            }
        }
        Look();
    }

    /// <summary>A frame entered the journal: it must be one that the host has sent, in its place, and not twice.</summary>
    public void Recorded(string host, DriverFrame frame, BridgeState before)
    {
        var place = (host, frame.StreamEpoch, frame.Seq);
        if (!_recorded.Add(place))
        {
            world.Check.Violate("I26", $"{place} is recorded twice");
        }
        if (frame.StreamEpoch != before.StreamEpoch || frame.Seq != before.Cursor + 1)
        {
            world.Check.Violate("I26", $"{place} is recorded after {before.StreamEpoch}:{before.Cursor}");
        }
        if (_emitted.TryGetValue(place, out var emitted) ? emitted.Device != frame.Device || emitted.Kind != frame.Kind : true)
        {
            world.Check.Violate("I26", $"{place} is recorded as {frame.Kind} {frame.Device}, sent was {emitted?.Kind} {emitted?.Device}");
        }
    }

    /// <summary>Every guest sends a frame: where does it pass?</summary>
    public void Look()
    {
        var passing = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var host in world.Hosts)
        {
            foreach (var device in host.Devices().Where(device => device.NicKey.Length > 0 && device.Present))
            {
                Look(host.Name, device, passing);
            }
        }
    }

    void Look(string host, DeviceState device, Dictionary<string, string> passing)
    {
        var key = (host, device.NicKey);
        if (device.Epoch < _epochs.GetValueOrDefault(key))
        {
            world.Check.Violate("I18", $"{host}: the epoch of {device.NicKey} fell from {_epochs[key]} to {device.Epoch}");
        }
        _epochs[key] = device.Epoch;
        if (!device.Up || !device.Enslaved)
        {
            return;
        }
        FramesOfGuests++;
        if (!passing.TryAdd(device.NicKey, host))
        {
            world.Check.Violate("I15", $"{device.NicKey} passes frames on {passing[device.NicKey]} and on {host}");
        }
        if (_touched.Contains(key))
        {
            return;
        }
        if (_off.TryGetValue(key, out var off) && (device.Epoch, device.Revision).CompareTo(off) <= 0)
        {
            world.Check.Violate("I17", $"{host}: {device.NicKey} passes frames at {device.Epoch}.{device.Revision} after it was confirmed off at {off.Epoch}.{off.Revision}");
        }
        if (!_fellBack && EntityId.Parse(device.NicKey) is { } nic && world.Check.State<NicState>(nic) is NicState.Absent or NicState.Creating)
        {
            world.Check.Violate("I17", $"{host}: {device.NicKey} passes frames, stored is that it is not there");
        }
    }
}
