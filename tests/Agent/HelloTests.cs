using ControlPlane.Agent.Link;
using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.Agent.Wire;
using ControlPlane.Messages;
using Grpc.Core;
using Grpc.Net.Client;

namespace ControlPlane.Agent.Tests;

/// <summary>How a stream begins, and how one ends that begins wrong.</summary>
public sealed class HelloTests
{
    [Theory]
    [InlineData("", "cannot be read")]
    [InlineData("Nonsense.1", "cannot be read")]
    [InlineData("AgentHello.1", "cannot be read")]
    [InlineData("CheckHost.1", "the first word is a hello")]
    public async Task Stream_that_begins_wrong_ends_with_the_reason(string name, string reason)
    {
        await using var node = await NodeRig.Start();
        var body = name == "CheckHost.1" ? "{}" : "{\"host\":";
        Assert.Contains(reason, await FirstWord(node, new Parcel { Name = name, Body = Google.Protobuf.ByteString.CopyFromUtf8(body) }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hello_is_checked_before_the_bridge_hears_of_it()
    {
        await using var node = await NodeRig.Start();
        var device = new DeviceState(Orders.NicKey, "prod", "p", "n-1", true, true, true, 1, 1);
        (AgentHello Hello, string Reason)[] wrong =
        [
            (NodeRig.Hello("../etc"), "name of a host"),
            (NodeRig.Hello() with { Protocol = 9 }, "link protocol 9"),
            (NodeRig.Hello() with { Open = null! }, "name of a host"),
            (NodeRig.Hello("hv01", device, device with { Device = "n-2" }), "two devices of nic/web-1/eth0"),
        ];
        foreach (var (hello, reason) in wrong)
        {
            Assert.Contains(reason, await FirstWord(node, Parcels.ToWire(new LinkParcel(hello))), StringComparison.Ordinal);
        }
        Assert.Empty(node.Bridges.Asked);
    }

    [Fact]
    public async Task Message_over_four_mebibytes_ends_the_stream()
    {
        await using var node = await NodeRig.Start();
        var parcel = new Parcel { Name = "AgentHello.1", Body = Google.Protobuf.ByteString.CopyFrom(new byte[Parcels.BytesMax + 1]) };
        Assert.Contains("exceeds", await FirstWord(node, parcel), StringComparison.Ordinal);
    }

    /// <summary>How a stream ends that begins with this.</summary>
    static async Task<string> FirstWord(NodeRig node, Parcel parcel)
    {
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            MaxSendMessageSize = null,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, stop) =>
                {
                    var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                    await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(node.Socket), stop);
                    return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
                },
            },
        });
        using var call = new AgentLink.AgentLinkClient(channel).Connect();
        try
        {
            await call.RequestStream.WriteAsync(parcel).Soon();
        }
        catch (RpcException)
        {
            // Ended before all of it was written; the reading side says why.
        }
        return (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None).Soon())).Status.Detail;
    }
}
