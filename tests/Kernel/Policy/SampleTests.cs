using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ControlPlane.DriverLinux;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using ControlPlane.Tests.Agent;
using Simulated = ControlPlane.DriverSimulated.Frame;

namespace ControlPlane.Kernel.Tests;

/// <summary>
/// The kernel and the switch in memory under the same random policies, given the same random frames: each frame comes
/// out at the same NICs, with the same tag. What holds in memory over many policies is so held to the real data path.
/// </summary>
public sealed class SampleTests : IAsyncLifetime
{
    const int Nics = 4;
    const int Frames = 120;

    readonly Fleet _fleet = new();
    readonly List<TapGuest> _taps = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _taps.ForEach(tap => tap.Dispose());
        await _fleet.End();
    }

    [RootTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(13)]
    public async Task Kernel_passes_what_the_switch_in_memory_passes(int seed)
    {
        var (random, hv01) = (new RandomPolicies(seed), await _fleet.Host("hv01"));
        var ports = new List<BridgePort>();
        for (var number = 0; number < Nics; number++)
        {
            // The fleet's NIC n has the address that ends in n.
            var (nic, policy) = (new Nic($"vm{number}", number), random.Policy());
            var device = (await _fleet.Done(hv01, nic.Create(policy) with { Attach = NicAttach.Tap })).Device;
            await _fleet.Done(hv01, nic.Connect());
            _taps.Add(new TapGuest(_fleet.Namespace("hv01"), device, nic.Mac));
            await Fleet.Eventually(() => _fleet.Forwards("hv01", device), "a tap that forwards");
            ports.Add(new BridgePort(nic.Key, nic.Mac, policy, true));
        }

        var (memory, arrived) = (new Bridge(), 0);
        for (var i = 0; i < Frames; i++)
        {
            var (from, mark) = (i % Nics, string.Create(CultureInfo.InvariantCulture, $"#{seed}.{i}#"));
            var frame = random.Frame(from, Nics);
            var expected = memory.Send(ports, ports[from].NicKey, frame).Arrivals
                .Select(arrival => (Nic: ports.FindIndex(port => port.NicKey == arrival.NicKey), arrival.Frame.Tag)).Order().ToList();
            arrived += expected.Count;
            _taps[from].Send(Bytes(frame, mark));

            // A frame is through the bridge when the write returns; a late one would be seen with the next mark's frames.
            var seen = Heard(seed, mark);
            Assert.True(
                expected.SequenceEqual(seen),
                $"seed {seed}, frame {i}: {frame} of {ports[from]}: memory {string.Join(' ', expected)}, kernel {string.Join(' ', seen)}");
        }

        // Neither all is forbidden nor all allowed: there was something to tell apart.
        Assert.InRange(arrived, 10, (Frames * (Nics - 1)) - 10);
    }

    // The kernel speaks on its taps too (of its groups, say), and what it says may hold any single byte: a frame of the
    // test's is known by the head of its mark.
    List<(int Nic, int? Tag)> Heard(int seed, string mark)
    {
        var (heard, head) = (new List<(int, int?)>(), string.Create(CultureInfo.InvariantCulture, $"#{seed}."));
        for (var number = 0; number < Nics; number++)
        {
            foreach (var bytes in _taps[number].Take())
            {
                var text = Encoding.ASCII.GetString(bytes);
                var ours = text.Contains(head, StringComparison.Ordinal);
                Assert.True(!ours || text.Contains(mark, StringComparison.Ordinal), $"{mark}: a frame came late: {text}");
                if (ours)
                {
                    var tagged = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(12)) == Wire.TagType;
                    heard.Add((number, tagged ? BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(14)) & 0xfff : null));
                }
            }
        }

        return [.. heard.Order()];
    }

    static byte[] Bytes(Simulated frame, string mark)
    {
        List<byte> bytes = [.. MacText.Bytes(frame.Destination), .. MacText.Bytes(frame.Source)];
        if (frame.Tag is { } tag)
        {
            bytes.AddRange([0x81, 0x00, (byte)(tag >> 8), (byte)tag]);
        }

        var payload = frame.Ip is null ? Encoding.ASCII.GetBytes(mark) : Transport(frame.Ip, mark);
        var type = frame.Ip is null ? Wire.ProbeType : frame.Ip.Source.GetAddressBytes().Length == 4 ? Wire.IpType : Wire.Ip6Type;
        bytes.AddRange([(byte)(type >> 8), (byte)(type & 0xff)]);
        bytes.AddRange(frame.Ip is null ? [] : Header(frame.Ip, payload.Length));
        bytes.AddRange(payload);
        return [.. bytes];
    }

    static byte[] Transport(IpPart ip, string mark)
    {
        var header = new byte[ip.Protocol switch { 6 => 20, 17 => 8, _ => 8 }];
        var content = Encoding.ASCII.GetBytes(mark);
        if (ip.SourcePort is { } from && ip.DestinationPort is { } to)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)from);
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)to);
        }

        if (ip.Protocol == 6)
        {
            header[12] = 0x50;
        }
        else if (ip.Protocol == 17)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)(8 + content.Length));
        }

        return [.. header, .. content];
    }

    static byte[] Header(IpPart ip, int length)
    {
        if (ip.Source.GetAddressBytes() is { Length: 16 } source)
        {
            return [0x60, 0, 0, 0, (byte)(length >> 8), (byte)length, (byte)ip.Protocol, 64, .. source, .. ip.Destination.GetAddressBytes()];
        }

        byte[] header =
        [
            0x45, 0, (byte)((length + 20) >> 8), (byte)(length + 20), 0, 0, 0, 0, 64, (byte)ip.Protocol, 0, 0,
            .. ip.Source.GetAddressBytes(), .. ip.Destination.GetAddressBytes(),
        ];
        var sum = Enumerable.Range(0, 10).Sum(word => BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(word * 2)));
        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), (ushort)(0xffff ^ ((sum & 0xffff) + (sum >> 16))));
        return header;
    }
}
