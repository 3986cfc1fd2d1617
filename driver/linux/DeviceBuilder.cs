using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Brings a NIC's device to the state that its record and alias describe, in the one safe order: the device with its
/// gate closed and on no bridge, its packet rules, its traffic control, and the bridge last (switch.md 3.4 G6).
/// </summary>
sealed class DeviceBuilder(DeviceNames names, Links host, HostBridge switches, GuestBackplane guests, PortPolicies policies)
{
    /// <summary>The alias comes with the last request: a device that carries it is complete.</summary>
    public void Build(DeviceRecord record, DeviceAlias alias, bool? gate, bool enslave)
    {
        // First: a switch without room is found full before anything is made.
        int? master = enslave ? switches.Place(alias.Switch, alias.Port).Index : null;
        var device = record.Attach switch
        {
            NicAttach.Tap => EnsureTap(record),
            NicAttach.Host => EnsureHostPair(record),
            _ => guests.EnsurePlugged(record),
        };
        if (gate is false && device.Up)
        {
            // By itself and first: on the bridge with an open gate even for a moment would be a leak.
            host.Change(device, new LinkChange(Up: false));
        }

        policies.ApplyRules(record, device);
        policies.ApplyTraffic(record, device);
        FitFarEnds(record);
        host.Change(device, new LinkChange(gate, master, alias.Write(), record.Mtu, NicDevices.Group));
    }

    /// <summary>The other end of the host's device takes the MTU too. What a guest sets on its own device is its affair.</summary>
    public void FitFarEnds(DeviceRecord record)
    {
        if (record.Attach == NicAttach.Host && host.Find(DeviceNames.HostEnd(record.NicKey)) is { } far && far.Mtu != record.Mtu)
        {
            host.Change(far, new LinkChange(Mtu: record.Mtu));
        }
        else if (record.Attach == NicAttach.Veth)
        {
            guests.FitWire(record);
        }
    }

    LinkInfo EnsureTap(DeviceRecord record)
    {
        if (host.Find(record.Device) is null)
        {
            Tap.Ensure(names.HostNamespace, record.Device);
        }

        return host.Need(record.Device);
    }

    /// <summary>An internal NIC: the far end is the host's own device, up, in the host's namespace.</summary>
    LinkInfo EnsureHostPair(DeviceRecord record)
    {
        var farName = DeviceNames.HostEnd(record.NicKey);
        if (host.Find(record.Device) is not { } device || host.Find(farName) is null)
        {
            // A veth takes its other end with it; a stranger of that name is none of ours to spare.
            foreach (var half in new[] { host.Find(record.Device), host.Find(farName) }.OfType<LinkInfo>())
            {
                host.Delete(half);
            }

            using var into = NetworkNamespace.Open(names.HostNamespace);
            device = host.AddVeth(
                record.Device, new VethPeer(farName, into, record.Mac is null ? null : MacText.Bytes(record.Mac)), record.Mtu);
        }

        host.Change(host.Need(farName), new LinkChange(Up: true));
        return device;
    }
}
