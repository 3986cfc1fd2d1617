using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The policies of a host's NICs in the kernel, bound to their devices and there before these are on their bridges
/// (switch.md 3.4 G6). All of it lives in the kernel, goes on without this process, and goes with the device.
/// </summary>
sealed class PortPolicies : IDisposable
{
    const long BitsMin = 64_000;
    const long BitsMax = 100_000_000_000;

    readonly Traffic _traffic;
    readonly ForwardingTable _addresses;
    readonly Programs _programs = new();
    readonly PortTraffic _devices;
    readonly Lock _sync = new();
    readonly Dictionary<string, (DeviceRecord Record, PortPrograms Programs)> _ports = [];

    PortPolicies(Traffic traffic, ForwardingTable addresses)
    {
        (_traffic, _addresses) = (traffic, addresses);
        _devices = new PortTraffic(_traffic, _programs);
    }

    public long Applied => _devices.Applied;

    public long ProgramsLoaded => _programs.Loaded;

    /// <param name="traffic">Of the same namespace; closed with this.</param>
    public static PortPolicies Open(string networkNamespace, Traffic traffic) =>
        new(traffic, ForwardingTable.Open(networkNamespace));

    /// <summary>Null when this host can enforce it; else what is wrong with it.</summary>
    public static string? Refuse(PortPolicy policy, string? mac)
    {
        if (VlanRules.Refuse(policy.Vlan) is { } vlan)
        {
            return vlan;
        }

        return policy.Bandwidth is { } limits
            && (limits.InboundBitsPerSecond ?? BitsMin, limits.OutboundBitsPerSecond ?? BitsMin) is var (inbound, outbound)
            && (Math.Min(inbound, outbound) < BitsMin || Math.Max(inbound, outbound) > BitsMax)
            ? $"bandwidth of {inbound} and {outbound} bit/s is not within {BitsMin} to {BitsMax}"
            : PortPrograms.Refuse(policy, mac);
    }

    /// <summary>All of it; if the kernel refuses a part, what held before holds, and the refusal says so.</summary>
    public void Apply(DeviceRecord record, LinkInfo link)
    {
        if (record.Policy is { } policy)
        {
            _devices.Apply(link, policy, Of(record, policy), record.Mtu);
        }
        else
        {
            _devices.Remove(link);
        }
    }

    /// <summary>
    /// A host that a version before programs ran has its packet rules in tables. They go when the programs are in place on
    /// every device that has a policy; what they counted goes with them.
    /// </summary>
    public void TakeOver(string networkNamespace, DeviceRecords records, Links links)
    {
        using var former = FormerRules.Open(networkNamespace);
        if (former.Tables() is not { Count: > 0 } tables)
        {
            return;
        }

        foreach (var record in records.All().Where(record => record.Policy is not null))
        {
            if (links.Find(record.Device) is { } link)
            {
                Apply(record, link);
            }
        }

        former.Delete(tables);
    }

    /// <summary>After the device went, with all that was bound to it.</summary>
    public void Forget(string device)
    {
        lock (_sync)
        {
            _ports.Remove(device);
        }
    }

    /// <summary>The digest of the wanted policy if the kernel has all of it as it should be, else null.</summary>
    public string? Enforced(DeviceRecord record, LinkInfo link) =>
        record.Policy is null ? null : Enforced(record, record.Policy, link.Index, _devices.Bucket(link));

    /// <summary>The same for many devices: what can be read in one question is read now.</summary>
    public Func<DeviceRecord, LinkInfo, string?> Enforced()
    {
        var buckets = new Lazy<Dictionary<int, Qdisc>>(_devices.Buckets);
        return (record, link) => record.Policy is null
            ? null
            : Enforced(record, record.Policy, link.Index, buckets.Value.TryGetValue(link.Index, out var bucket) ? bucket : null);
    }

    /// <summary>The address is behind this device from now on, wherever the bridge had it before.</summary>
    public void Learn(LinkInfo link, string address) => _addresses.Learn(link, address);

    public NicRuntime Gathered(DeviceRecord record, LinkInfo link)
    {
        var learned = _addresses.Learned(link);
        if (record.Policy is not { } policy)
        {
            return new NicRuntime(learned, 0, []);
        }

        var counts = _devices.Count(link, Of(record, policy), policy.Acls.Count);
        return new NicRuntime(learned, counts.Spoofed, counts.Acls);
    }

    /// <summary>The access list's counters, if given, must be those of the policy that the NIC has here. What is not given stays.</summary>
    public void Give(DeviceRecord record, LinkInfo link, NicRuntimePart given)
    {
        if (record.Policy is { } policy && given is not { SpoofedDropped: null, AclHits: null })
        {
            _devices.Give(link, Of(record, policy), given);
        }

        foreach (var address in given.Learned ?? [])
        {
            _addresses.Learn(link, address);
        }
    }

    public void Dispose()
    {
        _traffic.Dispose();
        _addresses.Dispose();
    }

    string? Enforced(DeviceRecord record, PortPolicy policy, int device, Qdisc? bucket) =>
        Of(record, policy) is var port && _devices.Enforces(device, policy, port, bucket) ? port.Digest : null;

    /// <summary>Kept, because each look at the device needs them.</summary>
    PortPrograms Of(DeviceRecord record, PortPolicy policy)
    {
        lock (_sync)
        {
            if (_ports.TryGetValue(record.Device, out var kept) && ReferenceEquals(kept.Record, record))
            {
                return kept.Programs;
            }

            var port = new PortPrograms(policy, record.Mac is null ? null : MacText.Canonical(record.Mac));
            _ports[record.Device] = (record, port);
            return port;
        }
    }
}
