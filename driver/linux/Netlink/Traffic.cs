namespace ControlPlane.DriverLinux;

/// <summary>The queueing disciplines and filters of one namespace's devices.</summary>
class Traffic(NetlinkSocket socket) : IDisposable
{
    const int Invalid = 22;

    public static Traffic Open(string networkNamespace) => new(NetlinkSocket.Open(networkNamespace));

    /// <summary>The root token buckets of all devices, by device: one question, however many devices there are.</summary>
    public Dictionary<int, Qdisc> Buckets() => socket
        .Collect(TrafficMessages.AllQdiscs, bytes => TrafficMessages.ReadQdisc(bytes))
        .Where(qdisc => qdisc is { Kind: "tbf", Parent: TrafficMessages.Root })
        .DistinctBy(qdisc => qdisc.Device)
        .ToDictionary(qdisc => qdisc.Device);

    public Qdisc? Bucket(LinkInfo link)
    {
        Qdisc? found = null;
        try
        {
            socket.Exchange(TrafficMessages.RootQdisc(link), bytes => found = TrafficMessages.ReadQdisc(bytes));
        }
        catch (KernelException error) when (error.NoSuchEntry || error.NoSuchDevice || error.Errno == Invalid)
        {
            // A device without a queue of its own answers that there is nothing to tell.
            return null;
        }

        return found is { Kind: "tbf" } ? found : null;
    }

    public virtual void SetBucket(LinkInfo link, TokenBucket bucket) => socket.Request(TrafficMessages.SetBucket(link, bucket));

    public void RemoveBucket(LinkInfo link) => Unless(TrafficMessages.DeleteAt(link, TrafficMessages.Root));

    public void EnsureClsact(LinkInfo link)
    {
        try
        {
            socket.Request(TrafficMessages.AddClsact(link));
        }
        catch (KernelException error) when (error.Exists)
        {
            // Already as wanted.
        }
    }

    /// <summary>With it all filters of the device go.</summary>
    public void RemoveClsact(LinkInfo link) => Unless(TrafficMessages.DeleteAt(link, TrafficMessages.Clsact));

    public List<TrafficFilter> Filters(int device, TrafficSide side) =>
        [.. socket.Collect(() => TrafficMessages.Filters(device, side), bytes => TrafficMessages.ReadFilter(bytes)).OfType<TrafficFilter>()];

    public virtual void SetFilter(LinkInfo link, TrafficSide side, int priority, string name, BpfProgram program) =>
        socket.Request(TrafficMessages.SetFilter(link, side, priority, name, (int)program.Descriptor.DangerousGetHandle()));

    public void RemoveFilters(LinkInfo link, TrafficSide side, int priority) =>
        Unless(TrafficMessages.RemoveFilters(link, side, priority));

    public void Dispose() => socket.Dispose();

    void Unless(NetlinkMessage removal)
    {
        try
        {
            socket.Request(removal);
        }
        catch (KernelException error) when (error.NoSuchEntry || error.NoSuchDevice || error.Errno == Invalid)
        {
            // Already gone.
        }
    }
}
