using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>What a device's alias does not tell but putting it back needs.</summary>
sealed record DeviceRecord(
    string Device, string NicKey, string Switch, string Port, string Vm, string Nic, NicAttach Attach,
    string? Mac, int Mtu, PortPolicy? Policy = null)
{
    /// <summary>What the command leaves open stays as it was.</summary>
    public DeviceRecord With(DriverCommand command) => this with
    {
        Mac = command.Mac ?? Mac,
        Mtu = command.Mtu == 0 ? Mtu : command.Mtu,
    };

    public static DeviceRecord Of(DriverCommand command) => new(
        DeviceNames.Nic(command.NicKey), command.NicKey, command.Switch, command.Port, command.Vm, command.Nic,
        command.Attach, command.Mac, command.Mtu == 0 ? DefaultMtu : command.Mtu,
        command.Policy);

    const int DefaultMtu = 1_500;
}

/// <summary>
/// The records of the devices of a host, by device name. Written before the device is made and cut after it is deleted,
/// so a device never lacks its record; a record without a device does no harm. Readers may come from other threads.
/// </summary>
sealed class DeviceRecords(string stateDirectory)
{
    readonly Lock _sync = new();
    readonly StateLog<DeviceRecord> _records = new(Path.Combine(stateDirectory, "devices.log"), durable: false);

    public DeviceRecord? Find(string device)
    {
        lock (_sync)
        {
            return _records.Entries.GetValueOrDefault(device);
        }
    }

    public IReadOnlyList<DeviceRecord> All()
    {
        lock (_sync)
        {
            return [.. _records.Entries.Values];
        }
    }

    public void Keep(DeviceRecord record)
    {
        lock (_sync)
        {
            if (_records.Entries.GetValueOrDefault(record.Device) != record)
            {
                _records.Put(record.Device, record);
            }
        }
    }

    public void Cut(string device)
    {
        lock (_sync)
        {
            _records.Remove(device);
        }
    }

    public void Clear()
    {
        lock (_sync)
        {
            _records.Replace(new Dictionary<string, DeviceRecord>());
        }
    }
}
