using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>What an ordered end took away: enough to put it back as it was.</summary>
sealed record Suspended(IReadOnlyList<string> Switches, IReadOnlyList<SuspendedDevice> Devices);

sealed record SuspendedDevice(DeviceRecord Record, DeviceState State);

/// <summary>
/// The ordered end of a host and the way back. The list is written before anything is removed and deleted after
/// everything is back, so a crash in between is repaired by doing it again.
/// </summary>
sealed class Suspension(string stateDirectory)
{
    readonly string _path = Path.Combine(stateDirectory, "suspended.json");

    public void Save(List<string> switches, IEnumerable<DeviceState> states, DeviceRecords records)
    {
        List<SuspendedDevice> devices =
        [
            .. from state in states
               let record = records.Find(state.Device)
               where record is not null
               select new SuspendedDevice(record, state),
        ];
        StateFile.Write(_path, new Suspended(switches, devices), durable: true);
    }

    public static void Remove(List<string> switches, DeviceRecords records, Links host, HostBridge bridges, NicDevices nics)
    {
        host.DeleteGroup(NicDevices.Group);
        foreach (var name in switches)
        {
            bridges.RemoveAnyway(name);
        }

        var plugged = records.All().Where(record => record.Attach == NicAttach.Veth);
        foreach (var vm in plugged.Select(record => record.Vm).Distinct())
        {
            nics.Release(vm);
        }
    }

    public bool PutBack(HostBridge bridges, NicDevices nics)
    {
        if (StateFile.Read<Suspended>(_path) is not { } suspended)
        {
            return false;
        }

        foreach (var name in suspended.Switches)
        {
            bridges.Ensure(name);
        }

        foreach (var device in suspended.Devices)
        {
            nics.Restore(device.Record, device.State);
        }

        File.Delete(_path);
        return true;
    }
}
