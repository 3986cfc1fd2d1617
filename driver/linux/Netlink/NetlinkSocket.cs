using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A request socket of one namespace, for links and traffic (rtnetlink) or for former packet rules (nfnetlink). It belongs
/// to the namespace of the thread that opened it and can then be used from any thread. The kernel carries a request out within send() and the answer is queued when send() returns, so a
/// request is a plain call; the receive time-out is there for a kernel that loses an answer.
/// While it is open it keeps its namespace alive, also after the namespace lost its name.
/// </summary>
sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>The netlink families that are spoken here.</summary>
    public const int Route = 0;
    public const int Netfilter = 12;

    const int AfNetlink = 16;
    const int SocketRaw = 3;
    const int SolSocket = 1;
    const int ReceiveTimeout = 20;
    const int SendBufferForce = 32;
    const int ReceiveBufferForce = 33;
    const int SolNetlink = 270;
    const int CapAck = 10;
    const int ExtendedAck = 11;
    const int AnswerSecondsMax = 10;
    const int DumpTriesMax = 20;
    const int HeaderBytes = 16;
    const ushort MessageError = 2;
    const ushort MessageDone = 3;

    readonly SafeSocketHandle _handle;
    readonly Lock _turn = new();
    readonly byte[] _answer = new byte[65536];
    uint _sequence;
    bool _interrupted;

    NetlinkSocket(SafeSocketHandle handle) => _handle = handle;

    public static NetlinkSocket Open(string networkNamespace, int protocol = Route) =>
        new(NetworkNamespace.Run(networkNamespace, () => OpenHere(groups: 0, protocol)));

    /// <summary>A socket that hears the link events of the namespace, for asynchronous reading.</summary>
    public static Socket OpenEvents(string networkNamespace)
    {
        const uint linkGroup = 1;
        return new Socket(NetworkNamespace.Run(networkNamespace, () => OpenHere(linkGroup)));
    }

    /// <summary>
    /// Once the kernel had to drop an event it drops all that follow, silently, until the queue was read empty: only what
    /// is looked at after that is sure to be complete.
    /// </summary>
    public static void Drain(Socket events)
    {
        const int doNotWait = 0x40;
        const int noBufferSpace = 105;
        byte* scrap = stackalloc byte[64];
        while (Libc.Receive(events.SafeHandle, scrap, 64, doNotWait) >= 0 || Marshal.GetLastPInvokeError() == noBufferSpace)
        {
        }
    }

    /// <summary>In the calling thread's namespace: for a thread that is already inside.</summary>
    public static NetlinkSocket OpenInside() => new(OpenHere(groups: 0));

    /// <summary>Sends a request that the kernel acknowledges; throws what it refuses.</summary>
    public void Request(NetlinkMessage message) => Exchange(message, _ => { });

    /// <summary>
    /// Sends a transaction of several requests, its begin and end included, and throws the first that the kernel refuses:
    /// then it has done none. Refusals are answered in order, and before the answer to the last request that changes something.
    /// </summary>
    public void Request(IReadOnlyList<NetlinkMessage> batch, string what)
    {
        lock (_turn)
        {
            _sequence = unchecked(_sequence + 1);
            var bytes = new ArrayBufferWriter<byte>();
            for (var place = 0; place < batch.Count; place++)
            {
                bytes.Write(batch[place].Finish(_sequence, acknowledged: place == batch.Count - 2));
            }

            Send(bytes.WrittenSpan, what);
            while (!ReadAnswer(what, _ => { }))
            {
            }
        }
    }

    /// <summary>Sends a request and hands over each message of the answer (header included).</summary>
    public void Exchange(NetlinkMessage message, MessageReader each)
    {
        lock (_turn)
        {
            _sequence = unchecked(_sequence + 1);
            Send(message.Finish(_sequence), message.What);
            while (!ReadAnswer(message.What, each))
            {
            }
        }
    }

    /// <summary>
    /// A dump during which the tables changed may miss entries; the kernel marks it, and it is asked for again.
    /// </summary>
    public List<T> Collect<T>(Func<NetlinkMessage> dump, Func<byte[], T> decode)
    {
        lock (_turn)
        {
            for (var tries = 1; ; tries++)
            {
                var found = new List<T>();
                _interrupted = false;
                Exchange(dump(), bytes => found.Add(decode(bytes.ToArray())));
                if (!_interrupted || tries == DumpTriesMax)
                {
                    return found;
                }
            }
        }
    }

    public void Dispose() => _handle.Dispose();

    void Send(ReadOnlySpan<byte> bytes, string what)
    {
        fixed (byte* start = bytes)
        {
            if (Libc.Send(_handle, start, bytes.Length, 0) != bytes.Length)
            {
                throw KernelException.Last(what);
            }
        }
    }

    /// <summary>Reads one datagram; true when the answer to the request is complete.</summary>
    bool ReadAnswer(string what, MessageReader each)
    {
        var rest = _answer.AsSpan(0, Receive(what));
        while (rest.Length >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            var type = BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]);

            // Something older than this request: the late answer to one that ran into its time-out.
            if (BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]) == _sequence)
            {
                _interrupted |= (BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]) & NetlinkFlags.DumpInterrupted) != 0;
                if (type is MessageDone or MessageError)
                {
                    ThrowIfRefused(what, rest[..length]);
                    return true;
                }

                each(rest[..length]);
            }

            rest = rest[Math.Min(rest.Length, (length + 3) & ~3)..];
        }

        return false;
    }

    int Receive(string what)
    {
        const int interrupted = 4;
        fixed (byte* start = _answer)
        {
            while (true)
            {
                var length = (int)Libc.Receive(_handle, start, _answer.Length, 0);
                if (length >= 0)
                {
                    return length;
                }

                if (Marshal.GetLastPInvokeError() != interrupted)
                {
                    throw KernelException.Last(what + ", waiting for the answer");
                }
            }
        }
    }

    static void ThrowIfRefused(string what, ReadOnlySpan<byte> error)
    {
        var errno = -BinaryPrimitives.ReadInt32LittleEndian(error[HeaderBytes..]);
        if (errno != 0)
        {
            throw new KernelException(errno, what, Explanation(error));
        }
    }

    /// <summary>The kernel's own sentence about a refusal (extended ack), when it gives one.</summary>
    static string? Explanation(ReadOnlySpan<byte> error)
    {
        const int text = 1;
        var type = BinaryPrimitives.ReadUInt16LittleEndian(error[4..]);
        var flags = BinaryPrimitives.ReadUInt16LittleEndian(error[6..]);
        if (type == MessageDone || (flags & NetlinkFlags.AckAttributes) == 0)
        {
            return null;
        }

        var request = (flags & NetlinkFlags.AckCapped) != 0
            ? HeaderBytes
            : BinaryPrimitives.ReadInt32LittleEndian(error[(HeaderBytes + 4)..]);
        foreach (var attribute in new NetlinkAttributes(error[(HeaderBytes + 4 + ((request + 3) & ~3))..]))
        {
            if (attribute.Type == text)
            {
                return Encoding.UTF8.GetString(attribute.Value).TrimEnd('\0');
            }
        }

        return null;
    }

    static SafeSocketHandle OpenHere(uint groups, int protocol = Route)
    {
        var descriptor = Libc.Socket(AfNetlink, SocketRaw | Libc.CloseOnExec, protocol);
        Libc.Check(descriptor, "socket of netlink");
        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        Span<byte> address = stackalloc byte[12];
        address.Clear();
        address[0] = AfNetlink;
        BinaryPrimitives.WriteUInt32LittleEndian(address[8..], groups);
        fixed (byte* start = address)
        {
            if (Libc.Bind(descriptor, start, address.Length) < 0)
            {
                var error = KernelException.Last("bind of netlink");
                handle.Dispose();
                throw error;
            }
        }

        // Not all kernels know these; they change comfort, not correctness.
        long* timeout = stackalloc long[2] { AnswerSecondsMax, 0 };
        _ = Libc.SetSocketOption(descriptor, SolSocket, ReceiveTimeout, timeout, 16);
        var receiveBytes = 8 << 20;
        _ = Libc.SetSocketOption(descriptor, SolSocket, ReceiveBufferForce, &receiveBytes, 4);
        var sendBytes = 1 << 20;
        _ = Libc.SetSocketOption(descriptor, SolSocket, SendBufferForce, &sendBytes, 4);
        var on = 1;
        _ = Libc.SetSocketOption(descriptor, SolNetlink, CapAck, &on, 4);
        _ = Libc.SetSocketOption(descriptor, SolNetlink, ExtendedAck, &on, 4);
        return handle;
    }
}

/// <summary>Reads one message of an answer.</summary>
delegate void MessageReader(ReadOnlySpan<byte> message);
