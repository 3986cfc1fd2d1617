using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The part of NICs' policies that is enforced at the host-side device: VLAN programs on both sides, a rate for frames
/// from the guest, a token bucket for frames to it. Each piece is replaced in place, and what is so already is left
/// alone. A program is compiled once per distinct policy and shared by all devices that have it.
/// </summary>
sealed class PortTraffic(Traffic traffic, ProgramCache programs)
{
    const int VlanPriority = 1;
    const int RatePriority = 2;

    /// <summary>Pieces that were set or removed so far.</summary>
    public long Applied { get; private set; }

    public void Apply(LinkInfo link, PortPolicy policy, int mtu)
    {
        traffic.EnsureClsact(link);
        foreach (var side in (TrafficSide[])[TrafficSide.In, TrafficSide.Out])
        {
            Apply(link, side, [.. Wanted(policy, side)]);
        }

        if (policy.Bandwidth?.InboundBitsPerSecond is not { } limit)
        {
            RemoveBucket(link);
        }
        else if (TokenBucket.Of(limit, mtu) is var bucket && traffic.Bucket(link)?.BytesPerSecond != bucket.BytesPerSecond)
        {
            Applied++;
            traffic.SetBucket(link, bucket);
        }
    }

    public void Remove(LinkInfo link)
    {
        if (traffic.Filters(link.Index, TrafficSide.In).Count + traffic.Filters(link.Index, TrafficSide.Out).Count > 0)
        {
            Applied++;
            traffic.RemoveClsact(link);
        }

        RemoveBucket(link);
    }

    /// <param name="bucket">The device's token bucket, read before.</param>
    public bool Enforces(int device, PortPolicy policy, Qdisc? bucket) =>
        (bucket?.BytesPerSecond ?? 0) == (policy.Bandwidth?.InboundBitsPerSecond ?? 0) / 8
        && Enforces(device, policy, TrafficSide.In)
        && Enforces(device, policy, TrafficSide.Out);

    public Qdisc? Bucket(LinkInfo link) => traffic.Bucket(link);

    public Dictionary<int, Qdisc> Buckets() => traffic.Buckets();

    void Apply(LinkInfo link, TrafficSide side, List<WantedFilter> wanted)
    {
        var there = traffic.Filters(link.Index, side);
        foreach (var priority in there.Select(filter => filter.Priority).Distinct().Where(priority =>
            !wanted.Exists(filter => filter.Priority == priority)))
        {
            Applied++;
            traffic.RemoveFilters(link, side, priority);
        }

        foreach (var filter in wanted.Where(filter => !IsSo([.. there.Where(one => one.Priority == filter.Priority)], [filter])))
        {
            if (there.Exists(one => one.Priority == filter.Priority && (one.Kind != "bpf" || one.Handle != 1)))
            {
                // Another hand's: it would stay beside ours.
                traffic.RemoveFilters(link, side, filter.Priority);
            }

            Applied++;
            using var program = filter.New();
            traffic.SetFilter(link, side, filter.Priority, filter.Name, program.Program);
        }
    }

    void RemoveBucket(LinkInfo link)
    {
        if (traffic.Bucket(link) is not null)
        {
            Applied++;
            traffic.RemoveBucket(link);
        }
    }

    /// <summary>Where there is nothing no program is asked for: a kernel that knows none must be able to say so.</summary>
    bool Enforces(int device, PortPolicy policy, TrafficSide side) =>
        traffic.Filters(device, side) is { Count: > 0 } there && IsSo(there, [.. Wanted(policy, side)]);

    static bool IsSo(List<TrafficFilter> there, List<WantedFilter> wanted) =>
        there.Count == wanted.Count
        && there.Zip(wanted).All(pair => pair.First == new TrafficFilter(
            pair.Second.Priority, 1, "bpf", pair.Second.Name, pair.Second.Tag));

    IEnumerable<WantedFilter> Wanted(PortPolicy policy, TrafficSide side)
    {
        var vlan = programs.Vlan(policy.Vlan, side);
        yield return new WantedFilter(VlanPriority, vlan.Name, vlan.Program.Tag, () => new Lent(vlan.Program, Owned: false));
        if (side == TrafficSide.In && policy.Bandwidth?.OutboundBitsPerSecond is { } limit)
        {
            var rate = limit / 8;
            yield return new WantedFilter(
                RatePriority, ProgramCache.RateName(rate), programs.RateTag(rate), () => new Lent(ProgramCache.NewRate(rate), Owned: true));
        }
    }

    sealed record WantedFilter(int Priority, string Name, string Tag, Func<Lent> New);

    /// <summary>A program to attach: a shared one, or one of this device alone, which the filter then keeps.</summary>
    sealed record Lent(BpfProgram Program, bool Owned) : IDisposable
    {
        public void Dispose()
        {
            if (Owned)
            {
                Program.Dispose();
            }
        }
    }
}
