namespace ControlPlane.DriverLinux;

/// <summary>
/// The demo guest: a namespace with one device per NIC, whose other end is on a small bridge of that NIC in the guest's
/// backplane namespace. Hosts plug a veth into that bridge. So a move between hosts opens and closes gates and never
/// touches the guest. Guest and backplane are shared by the hosts: what is there is left as it is.
/// Callers hold <see cref="NamespaceLock"/>.
/// </summary>
sealed class GuestBackplane(DeviceNames names, Links host)
{
    const byte DemoPrefixLength = 8;

    /// <summary>Guest, backplane and the NIC's device, ready for a plug. Gives the host-side device, down.</summary>
    public LinkInfo EnsurePlugged(DeviceRecord record)
    {
        var backplaneName = names.BackplaneNamespace(record.Vm);
        NetworkNamespace.Ensure(names.GuestNamespace(record.Vm), ipv6: true);
        NetworkNamespace.Ensure(backplaneName, ipv6: false);
        using var backplane = Links.Open(backplaneName);
        var bridge = EnsureGuestDevice(backplane, record);

        var plugName = names.Plug(record.NicKey);
        var device = host.Find(record.Device);
        var plug = backplane.Find(plugName);
        if (device is null || plug is null)
        {
            // Half a pair: the other half went with a namespace that the kernel has not finished to free.
            if (device is not null)
            {
                host.Delete(device);
            }

            if (backplane.Find(plugName) is { } left)
            {
                backplane.Delete(left);
            }

            using var into = NetworkNamespace.Open(backplaneName);
            device = host.AddVeth(record.Device, new VethPeer(plugName, into), record.Mtu);
            plug = backplane.Need(plugName);
        }

        backplane.Change(plug, new LinkChange(Up: true, Master: bridge.Index));

        // During a move two hosts are plugged in. Isolated, they speak with the guest only: no loop through the wire.
        backplane.Isolate(plug);
        return device;
    }

    /// <summary>The wire up to the guest's device has the NIC's MTU.</summary>
    public void FitWire(DeviceRecord record)
    {
        var backplaneName = names.BackplaneNamespace(record.Vm);
        if (!NetworkNamespace.Exists(backplaneName))
        {
            return;
        }

        using var backplane = Links.Open(backplaneName);
        foreach (var name in (string[])[names.Plug(record.NicKey), DeviceNames.GuestPort(record.Nic)])
        {
            if (backplane.Find(name) is { } link && link.Mtu != record.Mtu)
            {
                backplane.Change(link, new LinkChange(Mtu: record.Mtu));
            }
        }
    }

    /// <summary>The guest is off: its namespaces go, unless a host is still plugged in.</summary>
    public void Release(string vm)
    {
        var backplaneName = names.BackplaneNamespace(vm);
        if (NetworkNamespace.Exists(backplaneName))
        {
            using (var backplane = Links.Open(backplaneName))
            {
                if (backplane.All().Exists(link => link.Name.StartsWith("p-", StringComparison.Ordinal)))
                {
                    return;
                }
            }

            NetworkNamespace.Delete(backplaneName);
        }

        NetworkNamespace.Delete(names.GuestNamespace(vm));
    }

    /// <summary>Gives the NIC's bridge in the backplane.</summary>
    LinkInfo EnsureGuestDevice(Links backplane, DeviceRecord record)
    {
        var bridge = backplane.EnsureBridge(DeviceNames.BackplaneBridge(record.Nic), silent: true);
        var portName = DeviceNames.GuestPort(record.Nic);
        var port = backplane.Find(portName);
        if (port is not null && port.Master == bridge.Index)
        {
            return bridge;
        }

        // Being put on the bridge is the last step, so a port elsewhere is one that was not finished.
        if (port is not null)
        {
            backplane.Delete(port);
        }

        var guestName = names.GuestNamespace(record.Vm);
        var mac = record.Mac is null ? null : MacText.Bytes(record.Mac);
        using var into = NetworkNamespace.Open(guestName);
        port = backplane.AddVeth(portName, new VethPeer(DeviceNames.GuestDevice(record.Nic), into, mac), record.Mtu);
        using var guest = Links.Open(guestName);
        var device = guest.Need(DeviceNames.GuestDevice(record.Nic));
        guest.Change(device, new LinkChange(Up: true));
        if (mac is not null)
        {
            guest.AddAddress(device, DemoAddress(mac), DemoPrefixLength);
        }

        backplane.Change(bridge, new LinkChange(Up: true));
        backplane.Change(port, new LinkChange(Up: true, Master: bridge.Index));
        return bridge;
    }

    /// <summary>
    /// The demo's convention: 10.x.y.z with the last three bytes of the MAC, so that guests can ping at once.
    /// </summary>
    static byte[] DemoAddress(byte[] mac) => [10, mac[3], mac[4], mac[5]];
}
