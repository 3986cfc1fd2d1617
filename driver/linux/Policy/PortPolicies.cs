using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The policies of a host's NICs in the kernel: packet rules and traffic control, both bound to the device and there
/// before it is on its bridge (switch.md 3.4 G6). All of it lives in the kernel and goes on without this process.
/// </summary>
sealed class PortPolicies : IDisposable
{
    const long BitsMin = 64_000;
    const long BitsMax = 100_000_000_000;

    readonly PortFilter _filter;
    readonly Traffic _traffic;
    readonly ForwardingTable _addresses;
    readonly ProgramCache _programs = new();
    readonly PortTraffic _devices;
    readonly Lock _sync = new();
    readonly Dictionary<string, (DeviceRecord Record, PortRules Rules)> _rules = [];

    PortPolicies(string networkNamespace, Links links)
    {
        _filter = new PortFilter(networkNamespace, links);
        _traffic = Traffic.Open(networkNamespace);
        _addresses = ForwardingTable.Open(networkNamespace);
        _devices = new PortTraffic(_traffic, _programs);
    }

    public long Applied => _filter.Applied + _devices.Applied;

    public long FullReadings => _filter.FullReadings;

    /// <param name="links">Of the same namespace.</param>
    public static PortPolicies Open(string networkNamespace, Links links) => new(networkNamespace, links);

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
            : PortRules.Refuse(policy, mac);
    }

    /// <summary>Packet rules: one transaction.</summary>
    public void ApplyRules(DeviceRecord record, LinkInfo link)
    {
        if (record.Policy is null)
        {
            _filter.Remove(record.Device);
        }
        else
        {
            _filter.Apply(Rules(record, record.Policy), link.Index);
        }
    }

    /// <summary>Traffic control: each piece in place.</summary>
    public void ApplyTraffic(DeviceRecord record, LinkInfo link)
    {
        if (record.Policy is null)
        {
            _devices.Remove(link);
        }
        else
        {
            _devices.Apply(link, record.Policy, record.Mtu);
        }
    }

    /// <summary>After the device went: its traffic control went with it, its packet rules have nothing to be called for.</summary>
    public void Remove(string device)
    {
        _filter.Remove(device);
        lock (_sync)
        {
            _rules.Remove(device);
        }
    }

    /// <summary>What an end between the two left behind: rules of devices that are no more.</summary>
    public void RemoveLeft() => _filter.RemoveLeft();

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

    public NicRuntime Gathered(DeviceRecord record, LinkInfo link)
    {
        var learned = _addresses.Learned(link);
        if (record.Policy is not { } policy)
        {
            return new NicRuntime(learned, 0, []);
        }

        var counts = _filter.Count(Rules(record, policy), policy.Acls.Count);
        return new NicRuntime(learned, Math.Min(counts.Spoofed.Sum, NicRuntime.CountMax), [.. counts.Acls.Select(acl => Math.Min(acl.Sum, NicRuntime.CountMax))]);
    }

    /// <summary>The access list's counters, if given, must be those of the policy that the NIC has here. What is not given stays.</summary>
    public void Give(DeviceRecord record, LinkInfo link, NicRuntimePart given)
    {
        if (record.Policy is { } policy && given is not { SpoofedDropped: null, AclHits: null })
        {
            var rules = Rules(record, policy);
            var before = _filter.Count(rules, policy.Acls.Count);
            _filter.Continue(rules, link.Index, new NicRuntime(
                [], given.SpoofedDropped ?? before.Spoofed.Given, given.AclHits ?? [.. before.Acls.Select(acl => acl.Given)]));
        }

        foreach (var address in given.Learned ?? [])
        {
            _addresses.Learn(link, address);
        }
    }

    public void Dispose()
    {
        _filter.Dispose();
        _traffic.Dispose();
        _addresses.Dispose();
        _programs.Dispose();
    }

    string? Enforced(DeviceRecord record, PortPolicy policy, int device, Qdisc? bucket) =>
        Rules(record, policy) is var rules && _filter.Enforces(rules, device) && _devices.Enforces(device, policy, bucket)
            ? rules.Digest
            : null;

    /// <summary>Kept, because each look at the device needs them.</summary>
    PortRules Rules(DeviceRecord record, PortPolicy policy)
    {
        lock (_sync)
        {
            if (_rules.TryGetValue(record.Device, out var kept) && ReferenceEquals(kept.Record, record))
            {
                return kept.Rules;
            }

            var rules = new PortRules(record.Device, policy, record.Mac is null ? null : MacText.Canonical(record.Mac));
            _rules[record.Device] = (record, rules);
            return rules;
        }
    }
}
