using System.Buffers.Binary;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>A queueing discipline at a device; the rate, in bytes per second, is told for a token bucket.</summary>
readonly record struct Qdisc(int Device, string Kind, uint Handle, uint Parent, long BytesPerSecond);

/// <summary>A BPF filter at one side of a device, as the kernel tells it.</summary>
/// <param name="Priority">Lower ones see a frame first.</param>
/// <param name="Name">The name that it was attached with.</param>
/// <param name="Tag">The kernel's own digest of the program's instructions, in hexadecimal digits.</param>
/// <param name="AllFrames">Frames of every protocol meet it.</param>
/// <param name="Program">The kernel's number of the program, which is never given again.</param>
readonly record struct TrafficFilter(
    int Priority, uint Handle, string Kind, string Name, string Tag, bool AllFrames, uint Program)
{
    /// <summary>One that is replaced by the next of its priority; another would stay beside it.</summary>
    public bool IsReplaceable => Kind == "bpf" && Handle == TrafficMessages.FilterHandle && AllFrames;
}

/// <summary>Which way frames go through a device, seen from the host: in from the guest, out to the guest.</summary>
enum TrafficSide : uint
{
    In = 0xfffffff2,
    Out = 0xfffffff3,
}

/// <summary>Requests about queueing disciplines and filters in the kernel's encoding (linux/pkt_sched.h, pkt_cls.h).</summary>
static class TrafficMessages
{
    public const uint Root = 0xffffffff;
    public const uint Clsact = 0xfffffff1;
    public const uint FilterHandle = 1;
    const uint ClsactHandle = 0xffff0000;
    const uint BucketHandle = 0x00010000;

    const ushort NewQdisc = 36;
    const ushort DeleteQdisc = 37;
    const ushort GetQdisc = 38;
    const ushort NewFilter = 44;
    const ushort DeleteFilter = 45;
    const ushort GetFilter = 46;

    const int HeaderBytes = 16;
    const int TrafficHeaderBytes = 20;
    const int Kind = 1;
    const int Options = 2;
    const int BucketParameters = 1;
    const int BucketRate = 4;
    const int BucketBurst = 6;
    const int BpfDescriptor = 6;
    const int BpfName = 7;
    const int BpfFlags = 8;
    const int BpfTag = 10;
    const int BpfId = 11;
    const uint DirectAction = 1;

    /// <summary>All protocols, in network byte order.</summary>
    const uint AllProtocols = 0x0300;

    const ushort Acknowledged = NetlinkFlags.Request | NetlinkFlags.Ack;

    public static NetlinkMessage AddClsact(LinkInfo link) =>
        Message(NewQdisc, Acknowledged | NetlinkFlags.Create | NetlinkFlags.Exclusive, "add clsact to " + link.Name,
            link.Index, ClsactHandle, Clsact).Add(Kind, "clsact");

    public static NetlinkMessage DeleteAt(LinkInfo link, uint parent) =>
        Message(DeleteQdisc, Acknowledged, "delete qdisc of " + link.Name, link.Index, handle: 0, parent);

    /// <summary>Makes the bucket or changes it in place.</summary>
    public static NetlinkMessage SetBucket(LinkInfo link, TokenBucket bucket)
    {
        // A rate specification with link layer Ethernet needs no rate table; the 64-bit rate follows where 32 are too few.
        Span<byte> parameters = stackalloc byte[36];
        parameters.Clear();
        parameters[1] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(parameters[8..], (uint)Math.Min(bucket.BytesPerSecond, uint.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(parameters[24..], (uint)bucket.QueueBytes);
        var rate = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(rate, bucket.BytesPerSecond);
        var message = Message(NewQdisc, Acknowledged | NetlinkFlags.Create | NetlinkFlags.Replace,
            "set token bucket of " + link.Name, link.Index, BucketHandle, Root).Add(Kind, "tbf");
        var fixedPart = parameters.ToArray();
        return message.AddNested(Options, options =>
        {
            options.Add(BucketParameters, fixedPart).Add(BucketBurst, (uint)bucket.BurstBytes);
            if (bucket.BytesPerSecond >= uint.MaxValue)
            {
                options.Add(BucketRate, rate);
            }
        });
    }

    public static NetlinkMessage AllQdiscs() =>
        Message(GetQdisc, NetlinkFlags.Request | NetlinkFlags.Dump, "list qdiscs", 0, 0, 0);

    /// <summary>Without the echo the kernel tells the answer to everybody but the one who asks.</summary>
    public static NetlinkMessage RootQdisc(LinkInfo link) =>
        Message(GetQdisc, Acknowledged | NetlinkFlags.Echo, "get qdisc of " + link.Name, link.Index, 0, Root);

    /// <summary>Attaches the program or puts it in the place of the one that is there, in one step.</summary>
    public static NetlinkMessage SetFilter(LinkInfo link, TrafficSide side, int priority, string name, int program) =>
        Message(NewFilter, Acknowledged | NetlinkFlags.Create, $"attach {name} to {link.Name}", link.Index, FilterHandle,
            (uint)side, ((uint)priority << 16) | AllProtocols)
            .Add(Kind, "bpf")
            .AddNested(Options, options => options
                .Add(BpfDescriptor, (uint)program).Add(BpfName, name).Add(BpfFlags, DirectAction));

    /// <summary>All filters of that priority.</summary>
    public static NetlinkMessage RemoveFilters(LinkInfo link, TrafficSide side, int priority) =>
        Message(DeleteFilter, Acknowledged, $"detach filter {priority} from {link.Name}", link.Index, handle: 0,
            (uint)side, (uint)priority << 16);

    public static NetlinkMessage Filters(int device, TrafficSide side) =>
        Message(GetFilter, NetlinkFlags.Request | NetlinkFlags.Dump, "list filters", device, 0, (uint)side);

    public static Qdisc ReadQdisc(ReadOnlySpan<byte> message)
    {
        var (device, handle, parent, _) = Header(message);
        var (kind, rate) = ("", 0L);
        foreach (var attribute in Attributes(message))
        {
            switch (attribute.Type)
            {
                case Kind:
                    kind = Text(attribute.Value);
                    break;
                case Options when kind == "tbf":
                    rate = Rate(attribute.Value);
                    break;
                default:
                    break;
            }
        }

        return new Qdisc(device, kind, handle, parent, rate);
    }

    /// <summary>Null for the line that only announces a priority.</summary>
    public static TrafficFilter? ReadFilter(ReadOnlySpan<byte> message)
    {
        var (_, handle, _, info) = Header(message);
        var filter = new TrafficFilter(
            (int)(info >> 16), handle, "", "", "", AllFrames: (info & 0xffff) == AllProtocols, Program: 0);
        foreach (var attribute in Attributes(message))
        {
            filter = attribute.Type switch
            {
                Kind => filter with { Kind = Text(attribute.Value) },
                Options => ReadProgram(filter, attribute.Value),
                _ => filter,
            };
        }

        return handle == 0 ? null : filter;
    }

    static TrafficFilter ReadProgram(TrafficFilter filter, ReadOnlySpan<byte> options)
    {
        foreach (var option in new NetlinkAttributes(options))
        {
            filter = option.Type switch
            {
                BpfName => filter with { Name = Text(option.Value) },
                BpfTag => filter with { Tag = Convert.ToHexStringLower(option.Value) },
                BpfId => filter with { Program = BinaryPrimitives.ReadUInt32LittleEndian(option.Value) },
                _ => filter,
            };
        }

        return filter;
    }

    static long Rate(ReadOnlySpan<byte> options)
    {
        var rate = 0L;
        foreach (var option in new NetlinkAttributes(options))
        {
            rate = option.Type switch
            {
                BucketParameters => Math.Max(rate, BinaryPrimitives.ReadUInt32LittleEndian(option.Value[8..])),
                BucketRate => BinaryPrimitives.ReadInt64LittleEndian(option.Value),
                _ => rate,
            };
        }

        return rate;
    }

    static NetlinkMessage Message(
        ushort type, int flags, string what, int device, uint handle, uint parent, uint info = 0)
    {
        Span<byte> header = stackalloc byte[TrafficHeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], device);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], handle);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], parent);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], info);
        return new NetlinkMessage(type, (ushort)flags, what).Append(header);
    }

    static (int Device, uint Handle, uint Parent, uint Info) Header(ReadOnlySpan<byte> message)
    {
        var body = message[HeaderBytes..];
        return (
            BinaryPrimitives.ReadInt32LittleEndian(body[4..]), BinaryPrimitives.ReadUInt32LittleEndian(body[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(body[12..]), BinaryPrimitives.ReadUInt32LittleEndian(body[16..]));
    }

    static NetlinkAttributes Attributes(ReadOnlySpan<byte> message) => new(message[(HeaderBytes + TrafficHeaderBytes)..]);

    static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value).TrimEnd('\0');
}
