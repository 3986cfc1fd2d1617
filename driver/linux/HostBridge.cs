using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>A host's switches, each one kernel bridge with an uplink, and the reservations of their ports.</summary>
sealed class HostBridge(Links host, Underlay underlay, int portsMax)
{
    readonly HashSet<(string Switch, string Port)> _reserved = [];

    public void Ensure(string switchName)
    {
        var bridge = host.EnsureBridge(DeviceNames.Bridge(switchName));
        host.Change(bridge, new LinkChange(Up: true, Alias: SwitchAlias.ForBridge(switchName)));
        underlay.Plug(host, bridge, switchName);
    }

    public LinkInfo? Find(string switchName) =>
        host.Find(DeviceNames.Bridge(switchName)) is { Kind: "bridge" } bridge ? bridge : null;

    /// <summary>Null when it is gone; else why it stays.</summary>
    public string? Remove(string switchName)
    {
        if (Find(switchName) is { } bridge)
        {
            var ports = host.All(bridge.Index).Count(link => !SwitchAlias.IsUplink(link.Alias));
            if (ports > 0)
            {
                return $"switch {switchName} has {ports} ports";
            }

            // Without its uplink nothing moves on it any more.
            underlay.Unplug(host, switchName);
            host.Delete(bridge);
        }

        _reserved.RemoveWhere(port => port.Switch == switchName);
        return null;
    }

    /// <summary>The end of the host: ports or not.</summary>
    public void RemoveAnyway(string switchName)
    {
        underlay.Unplug(host, switchName);
        if (Find(switchName) is { } bridge)
        {
            host.Delete(bridge);
        }
    }

    public (NdisStatus Status, string? Detail) Reserve(string switchName, string port)
    {
        if (Find(switchName) is not { } bridge)
        {
            return (NdisStatus.Failure, $"no switch {switchName} on this host");
        }

        var devices = host.All(bridge.Index);
        var withDevice = devices.Select(link => DeviceAlias.Parse(link.Alias)?.Port).ToHashSet();
        var waiting = _reserved.Count(other =>
            other.Switch == switchName && other.Port != port && !withDevice.Contains(other.Port));
        var taken = devices.Count + waiting;
        if (!withDevice.Contains(port) && taken >= portsMax)
        {
            return (NdisStatus.Resources, $"switch {switchName} has {taken} of {portsMax} ports, uplink included");
        }

        _reserved.Add((switchName, port));
        return (NdisStatus.Success, null);
    }

    public void Free(string switchName, string port) => _reserved.Remove((switchName, port));
}
