using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;
using Xunit.Abstractions;

namespace ControlPlane.Kernel.Tests;

/// <summary>A sender that is faster than the limit is held to it, within 15 %, over a bounded number of bytes.</summary>
public sealed class BandwidthTests(ITestOutputHelper output) : IAsyncLifetime
{
    const long Limit = 20_000_000;
    const int Tolerance = 15;
    const int SkippedBytes = 2_000_000;
    const int MeasuredBytes = 3_000_000;

    /// <summary>A stream may have saved up half a second in a pause: a tenth of what is measured.</summary>
    const int StreamBytes = 12_000_000;
    static readonly BandwidthPolicy Outbound = new(OutboundBitsPerSecond: Limit);
    static readonly BandwidthPolicy Inbound = new(InboundBitsPerSecond: Limit);

    readonly Fleet _fleet = new();
    readonly Nic _web = new("web", 1);
    readonly Nic _db = new("db", 2);
    readonly byte[] _payload = new byte[1_400];

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Guest_sends_no_faster_than_its_limit()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _web, PortPolicy.Default with { Bandwidth = Outbound });
        await _fleet.Open(hv01, _db, PortPolicy.Default);
        Within("outbound", await FromGuestToGuest());
    }

    [RootFact]
    public async Task Guest_is_sent_no_more_than_its_limit()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _web, PortPolicy.Default);
        await _fleet.Open(hv01, _db, PortPolicy.Default with { Bandwidth = Inbound });
        Within("inbound", await FromGuestToGuest());

        await _fleet.Done(hv01, _db.Apply(PortPolicy.Default with { Bandwidth = new BandwidthPolicy(InboundBitsPerSecond: Limit / 2) }));
        Within("inbound, halved", await FromGuestToGuest() * 2);
        await _fleet.Done(hv01, _db.Apply(PortPolicy.Default));
        Assert.InRange(await FromGuestToGuest() * 100 / Limit, 100 + Tolerance + 1, double.MaxValue);
    }

    [RootFact]
    public async Task Tap_is_held_to_its_limits_both_ways()
    {
        var hv01 = await _fleet.Host("hv01");
        var vm = new Nic("qemu", 3);
        var policy = PortPolicy.Default with { Bandwidth = new BandwidthPolicy(Limit, Limit) };
        var device = (await _fleet.Done(hv01, vm.Create(policy) with { Attach = NicAttach.Tap })).Device;
        await _fleet.Done(hv01, vm.Connect());
        await _fleet.Open(hv01, _db, PortPolicy.Default);
        using var tap = new TapGuest(_fleet.Namespace("hv01"), device, vm.Mac);
        await Fleet.Eventually(() => _fleet.Forwards("hv01", device), "a tap that forwards");
        using var db = _fleet.Wire(_db);

        Within("from a tap", await Measure(() => tap.Send(_payload, _db.Mac), () => Bytes(db)));
        Within("to a tap", await Measure(() => db.Send(Wire.ProbeType, _payload, to: vm.Mac), tap.Receive));
    }

    [RootFact]
    public async Task Stream_with_large_segments_gets_most_of_its_limit_and_no_more()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _web, PortPolicy.Default with { Bandwidth = Outbound });
        await _fleet.Open(hv01, _db, PortPolicy.Default);
        var outbound = await Stream();
        await _fleet.Done(hv01, _web.Apply(PortPolicy.Default));
        await _fleet.Done(hv01, _db.Apply(PortPolicy.Default with { Bandwidth = Inbound }));
        var inbound = await Stream();

        output.WriteLine($"TCP: {outbound * 100 / Limit:F0} % of the limit outbound, {inbound * 100 / Limit:F0} % inbound");
        Assert.InRange(outbound * 100 / Limit, 50, 100 + Tolerance);
        Assert.InRange(inbound * 100 / Limit, 100 - Tolerance, 100 + Tolerance);
    }

    void Within(string way, double bitsPerSecond)
    {
        var percent = bitsPerSecond * 100 / Limit;
        output.WriteLine($"{way}: {percent:F1} % of the limit");
        Assert.InRange(percent, 100 - Tolerance, 100 + Tolerance);
    }

    async Task<double> FromGuestToGuest()
    {
        using var web = _fleet.Wire(_web);
        using var db = _fleet.Wire(_db);
        return await Measure(() => web.Send(Wire.ProbeType, _payload, to: _db.Mac), () => Bytes(db));
    }

    static int Bytes(Wire wire)
    {
        const int headerBytes = 14;
        var bytes = wire.Hear().Sum(frame => frame.Payload.Length + headerBytes);
        wire.Heard.Clear();
        return bytes;
    }

    /// <summary>Bits of frames per second, after what the burst let through.</summary>
    static async Task<double> Measure(Action send, Func<int> receive)
    {
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                send();
            }
        });
        try
        {
            var (bytes, start, begin) = (0L, 0L, 0L);
            await Fleet.Eventually(() => (bytes += receive()) >= SkippedBytes, "the first bytes");
            (start, begin) = (Stopwatch.GetTimestamp(), bytes);
            await Fleet.Eventually(() => (bytes += receive()) >= begin + MeasuredBytes, "the bytes that are measured");
            return (bytes - begin) * 8 / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            await stop.CancelAsync();
            await sending;
        }
    }

    async Task<double> Stream()
    {
        using var listener = NetworkNamespace.Run(_fleet.Namespace("vm-db"), () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Any, 5_000));
            socket.Listen();
            return socket;
        });
        using var client = NetworkNamespace.Run(
            _fleet.Namespace("vm-web"), () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Parse(_db.Address), 5_000);
        using var server = await listener.AcceptAsync();
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await client.SendAsync(new byte[65_536], stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // Enough was measured.
            }
        });
        var buffer = new byte[65_536];
        var (bytes, start) = (0L, 0L);
        while (bytes < SkippedBytes + StreamBytes)
        {
            bytes += await server.ReceiveAsync(buffer);
            if (start == 0 && bytes >= SkippedBytes)
            {
                start = Stopwatch.GetTimestamp();
            }
        }

        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await stop.CancelAsync();
        await sending;
        return (bytes - SkippedBytes) * 8 / took;
    }
}
