using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>A NIC's device with its place in the kernel's table.</summary>
readonly record struct Sighting(int Index, DeviceState State);

/// <summary>Reads NIC devices out of the host's namespace, always fresh from the kernel.</summary>
sealed class DeviceReader(Links links, DeviceRecords records, PortPolicies policies)
{
    public bool Exists(string device) => links.Find(device) is not null;

    /// <summary>Null when there is no such device, or none that concerns a switch of ours.</summary>
    public Sighting? Read(string device) =>
        links.Find(device) is { } link
            ? See(link, link.Master == 0 ? null : links.Find(link.Master), record => policies.Enforced(record, link))
            : null;

    public (List<string> Switches, List<Sighting> Devices) ReadAll()
    {
        var all = links.All().ToDictionary(link => link.Index);
        var enforced = policies.Enforced();
        return (
            [.. all.Values.Select(link => SwitchAlias.OfBridge(link.Alias)).OfType<string>().Distinct()],
            [.. all.Values.Select(link => See(link, all.GetValueOrDefault(link.Master), record => enforced(record, link))).OfType<Sighting>()]);
    }

    /// <summary>
    /// A device is ours by its alias or its record; a stranger concerns us while it is on one of our bridges.
    /// </summary>
    Sighting? See(LinkInfo link, LinkInfo? master, Func<DeviceRecord, string?> enforced)
    {
        if (link.Kind == "bridge" || SwitchAlias.IsInner(link.Alias))
        {
            return null;
        }

        var record = records.Find(link.Name);
        var alias = DeviceAlias.Parse(link.Alias)?.Resolve(record);
        var on = master is null ? null : SwitchAlias.OfBridge(master.Alias);
        if (alias is null && record is null && on is null)
        {
            return null;
        }

        var wanted = alias?.Switch ?? record?.Switch ?? on ?? "";
        var policy = record is null ? null : enforced(record);
        return new Sighting(link.Index, new DeviceState(
            alias?.NicKey ?? record?.NicKey ?? "", wanted, alias?.Port ?? record?.Port ?? "", link.Name,
            Present: true, link.Up, Enslaved: on == wanted, alias?.Epoch ?? 0, alias?.Revision ?? 0, policy)
        {
            Mtu = record is null ? null : link.Mtu,
            Mac = policy is null ? null : record?.Mac,
        });
    }
}
