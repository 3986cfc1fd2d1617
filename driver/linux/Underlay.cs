namespace ControlPlane.DriverLinux;

/// <summary>
/// Stands for the wire between the hosts: a namespace with one bridge per switch name, into which each host's bridge
/// has one veth. It appears with its first uplink and goes with its last. Callers hold <see cref="NamespaceLock"/>.
/// </summary>
sealed class Underlay(DeviceNames names)
{
    // Frames of guests with jumbo frames must pass as well.
    const int UplinkMtu = 9_216;

    public void Plug(Links host, LinkInfo bridge, string switchName)
    {
        NetworkNamespace.Ensure(names.UnderlayNamespace, ipv6: false);
        using var underlay = Links.Open(names.UnderlayNamespace);
        var wire = underlay.EnsureBridge(DeviceNames.Bridge(switchName));
        underlay.Change(wire, new LinkChange(Up: true, Alias: SwitchAlias.ForBridge(switchName)));

        var farName = names.UplinkFarEnd(switchName);
        var uplink = host.Find(DeviceNames.Uplink(switchName));
        if (uplink is null || underlay.Find(farName) is null)
        {
            Unplug(host, underlay, switchName);
            using var into = NetworkNamespace.Open(names.UnderlayNamespace);
            uplink = host.AddVeth(DeviceNames.Uplink(switchName), new VethPeer(farName, into), UplinkMtu);
        }

        underlay.Change(underlay.Need(farName), new LinkChange(Up: true, Master: wire.Index, Alias: names.Host));
        host.Change(uplink, new LinkChange(Up: true, Master: bridge.Index, Alias: SwitchAlias.ForUplink(switchName)));
    }

    public void Unplug(Links host, string switchName)
    {
        if (!NetworkNamespace.Exists(names.UnderlayNamespace))
        {
            return;
        }

        bool empty;
        using (var underlay = Links.Open(names.UnderlayNamespace))
        {
            Unplug(host, underlay, switchName);
            if (underlay.Find(DeviceNames.Bridge(switchName)) is { } wire && underlay.All(wire.Index).Count == 0)
            {
                underlay.Delete(wire);
            }

            empty = !underlay.All().Exists(link => link.Kind == "bridge");
        }

        if (empty)
        {
            NetworkNamespace.Delete(names.UnderlayNamespace);
        }
    }

    /// <summary>
    /// One end takes the other with it, but an end may have been left alone by a namespace that is going.
    /// </summary>
    void Unplug(Links host, Links underlay, string switchName)
    {
        if (host.Find(DeviceNames.Uplink(switchName)) is { } near)
        {
            host.Delete(near);
        }

        if (underlay.Find(names.UplinkFarEnd(switchName)) is { } far)
        {
            underlay.Delete(far);
        }
    }
}
