using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// What enforces NICs' policies at the host-side device. A frame from the guest meets the program of its port and then
/// that of its rate, so that what is dropped is not paid for; one to the guest meets the program of its port and then a
/// token bucket. Each piece is replaced in place, and what is so already is left alone. All of it is a device's own and
/// costs no more with more devices.
/// </summary>
sealed class PortTraffic(Traffic traffic, Programs programs)
{
    const int PortPriority = 1;
    const int RatePriority = 2;

    static readonly TrafficSide[] Sides = [TrafficSide.In, TrafficSide.Out];

    /// <summary>Policies that changed something, so far.</summary>
    public long Applied { get; private set; }

    /// <summary>All of it, or what held before. Every program is loaded before the first is attached.</summary>
    public void Apply(LinkInfo link, PortPolicy policy, PortPrograms port, int mtu)
    {
        traffic.EnsureClsact(link);
        using var change = new TrafficChange(traffic, link);
        foreach (var side in Sides)
        {
            Replace(change, traffic.Filters(link.Index, side), side, [.. Wanted(policy, port, side)]);
        }

        var before = Bucket(link) is { } bucket ? TokenBucket.OfBytes(bucket.BytesPerSecond, mtu) : (TokenBucket?)null;
        var wanted = policy.Bandwidth?.InboundBitsPerSecond is { } limit ? TokenBucket.Of(limit, mtu) : (TokenBucket?)null;
        if (before?.BytesPerSecond != wanted?.BytesPerSecond)
        {
            change.SetBucket(wanted, before);
        }

        if (change.Do())
        {
            Applied++;
        }
    }

    public void Remove(LinkInfo link)
    {
        var (filters, bucket) = (Sides.Any(side => traffic.Filters(link.Index, side).Count > 0), Bucket(link) is not null);
        if (filters)
        {
            traffic.RemoveClsact(link);
        }

        if (bucket)
        {
            traffic.RemoveBucket(link);
        }

        if (filters || bucket)
        {
            Applied++;
        }
    }

    /// <param name="bucket">The device's token bucket, read before.</param>
    public bool Enforces(int device, PortPolicy policy, PortPrograms port, Qdisc? bucket) =>
        (bucket?.BytesPerSecond ?? 0) == (policy.Bandwidth?.InboundBitsPerSecond ?? 0) / 8
        && Sides.All(side => Enforces(device, policy, port, side));

    public Qdisc? Bucket(LinkInfo link) => traffic.Bucket(link);

    public Dictionary<int, Qdisc> Buckets() => traffic.Buckets();

    /// <summary>The counters of now; of a program that is not attached there are none.</summary>
    public RuleCounts Count(LinkInfo link, PortPrograms port, int acls)
    {
        var counts = new RuleCounts(acls);
        foreach (var side in Sides)
        {
            using var map = Counters(link, side, port.At(side));
            if (map is not null)
            {
                counts.Read(port.At(side), map);
            }
        }

        return counts;
    }

    /// <summary>Gives the counters what was gathered elsewhere; a refusal when its programs are not attached.</summary>
    public void Give(LinkInfo link, PortPrograms port, NicRuntimePart given)
    {
        var changed = false;
        foreach (var side in Sides)
        {
            if (port.At(side) is { Counters: > 0 } program)
            {
                using var map = Counters(link, side, program)
                    ?? throw new KernelException(2, $"set counters of {link.Name}", "its program is not attached");
                changed |= RuleCounts.Give(program, map, given);
            }
        }

        if (changed)
        {
            Applied++;
        }
    }

    static void Replace(TrafficChange change, List<TrafficFilter> there, TrafficSide side, List<WantedFilter> wanted)
    {
        foreach (var priority in there.Select(filter => filter.Priority).Except(wanted.Select(filter => filter.Priority)))
        {
            change.Replace(side, priority, [.. there.Where(filter => filter.Priority == priority)], null);
        }

        foreach (var filter in wanted)
        {
            List<TrafficFilter> now = [.. there.Where(one => one.Priority == filter.Priority)];
            if (!IsSo(now, [filter]))
            {
                change.Replace(side, filter.Priority, now, (filter.Name, change.Keep(filter.Load())));
            }
        }
    }

    /// <summary>Found by what is attached, so they are those that an earlier process has made.</summary>
    BpfMap? Counters(LinkInfo link, TrafficSide side, PortProgram wanted)
    {
        var tag = programs.Tag(wanted);
        var filter = traffic.Filters(link.Index, side).Find(filter =>
            filter.IsReplaceable && filter.Priority == PortPriority && filter.Tag == tag);
        using var program = filter.Program == 0 ? null : BpfProgram.Find(filter.Program);
        return program?.Map() is { } map ? BpfMap.Find(map) : null;
    }

    bool Enforces(int device, PortPolicy policy, PortPrograms port, TrafficSide side) =>
        IsSo(traffic.Filters(device, side), [.. Wanted(policy, port, side)]);

    static bool IsSo(List<TrafficFilter> there, List<WantedFilter> wanted) =>
        there.Count == wanted.Count
        && there.Zip(wanted).All(pair => pair.First.IsReplaceable
            && (pair.First.Priority, pair.First.Name) == (pair.Second.Priority, pair.Second.Name)
            && pair.First.Tag == pair.Second.Tag());

    IEnumerable<WantedFilter> Wanted(PortPolicy policy, PortPrograms port, TrafficSide side)
    {
        var program = port.At(side);
        yield return new WantedFilter(PortPriority, program.Name, () => programs.Tag(program), () => programs.New(program));
        if (side == TrafficSide.In && policy.Bandwidth?.OutboundBitsPerSecond is { } limit)
        {
            var rate = limit / 8;
            yield return new WantedFilter(
                RatePriority, Programs.RateName(rate), () => programs.RateTag(rate), () => programs.NewRate(rate));
        }
    }

    /// <param name="Tag">Asked last, because a program may have to be loaded to know it.</param>
    sealed record WantedFilter(int Priority, string Name, Func<string> Tag, Func<BpfProgram> Load);
}
