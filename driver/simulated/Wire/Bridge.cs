using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>A NIC on the bridge: its address, what is enforced for it, and its gate.</summary>
/// <param name="Policy">Null: nothing is enforced.</param>
public sealed record BridgePort(string NicKey, string? Mac, PortPolicy? Policy, bool Open);

/// <summary>Where a frame came out, as the guest there sees it.</summary>
public sealed record Arrival(string NicKey, Frame Frame);

/// <summary>What one frame did.</summary>
public sealed record Passage(ImmutableArray<Arrival> Arrivals, FrameDrop? Dropped);

/// <summary>
/// A learning switch in memory, with the policies at its ports: a frame goes to where its destination was last heard,
/// or everywhere. It moves no time and decides nothing by chance.
/// </summary>
public sealed class Bridge
{
    readonly Dictionary<string, string> _heard = new(StringComparer.Ordinal);
    readonly Dictionary<string, Gathered> _gathered = new(StringComparer.Ordinal);

    public Passage Send(IReadOnlyCollection<BridgePort> ports, string fromNic, Frame frame)
    {
        var from = ports.SingleOrDefault(port => port.NicKey == fromNic);
        if (from is not { Open: true })
        {
            return new Passage([], FrameDrop.Gate);
        }
        var entered = from.Policy is { } policy ? PolicyFilter.FromGuest(policy, from.Mac, frame) : new PolicyFilter.Verdict(frame, null);
        Count(fromNic, entered);
        if (entered.Passed is not { } inside)
        {
            return new Passage([], entered.Drop);
        }
        _heard[frame.Source] = fromNic;
        var known = frame.ToGroup ? null : _heard.GetValueOrDefault(frame.Destination);
        var arrivals = ImmutableArray.CreateBuilder<Arrival>();
        foreach (var to in ports.Where(port => port.Open && port.NicKey != fromNic && (known is null || known == port.NicKey)))
        {
            var left = to.Policy is { } theirs ? PolicyFilter.ToGuest(theirs, inside) : new PolicyFilter.Verdict(inside, null);
            Count(to.NicKey, left);
            if (left.Passed is { } seen)
            {
                arrivals.Add(new Arrival(to.NicKey, seen));
            }
        }
        return new Passage(arrivals.ToImmutable(), null);
    }

    /// <summary>What was gathered for the NIC, counters for as many rules as its policy has.</summary>
    public NicRuntime Read(string nicKey, int rules)
    {
        var gathered = _gathered.GetValueOrDefault(nicKey) ?? new Gathered(0, ImmutableSortedDictionary<int, long>.Empty);
        return new NicRuntime(
            [.. _heard.Where(pair => pair.Value == nicKey).Select(pair => pair.Key).Order(StringComparer.Ordinal).Take(NicRuntime.LearnedMax)],
            gathered.Spoofed,
            [.. Enumerable.Range(0, rules).Select(rule => gathered.Hits.GetValueOrDefault(rule))]);
    }

    /// <summary>Addresses learned elsewhere are known here, and counters go on from where they were.</summary>
    public void Restore(string nicKey, NicRuntimePart given)
    {
        foreach (var mac in given.Learned ?? [])
        {
            _heard[mac] = nicKey;
        }
        var before = _gathered.GetValueOrDefault(nicKey) ?? new Gathered(0, ImmutableSortedDictionary<int, long>.Empty);
        _gathered[nicKey] = new Gathered(
            given.SpoofedDropped ?? before.Spoofed,
            given.AclHits?.Select((hits, rule) => KeyValuePair.Create(rule, hits)).ToImmutableSortedDictionary() ?? before.Hits);
    }

    /// <summary>The NIC is gone, and with it what was gathered for it.</summary>
    public void Forget(string nicKey)
    {
        _gathered.Remove(nicKey);
        foreach (var mac in _heard.Where(pair => pair.Value == nicKey).Select(pair => pair.Key).ToList())
        {
            _heard.Remove(mac);
        }
    }

    void Count(string nicKey, PolicyFilter.Verdict verdict)
    {
        var before = _gathered.GetValueOrDefault(nicKey) ?? new Gathered(0, ImmutableSortedDictionary<int, long>.Empty);
        if (verdict.Drop == FrameDrop.Spoofed)
        {
            _gathered[nicKey] = before with { Spoofed = before.Spoofed + 1 };
        }
        if (verdict.Rule is { } rule)
        {
            _gathered[nicKey] = before with { Hits = before.Hits.SetItem(rule, before.Hits.GetValueOrDefault(rule) + 1) };
        }
    }

    sealed record Gathered(long Spoofed, ImmutableSortedDictionary<int, long> Hits);
}
