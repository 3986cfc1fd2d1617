using System.Net.Sockets;
using System.Threading.Channels;
using ControlPlane.Agent.Identity;
using ControlPlane.Agent.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace ControlPlane.Agent.Link;

/// <summary>The link over gRPC: a unix socket on the node's machine, or an address.</summary>
public sealed class GrpcAgentLink : IAgentLink, IDisposable
{
    static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);

    // A peer that went away without a word is noticed after so long without an answer to a ping.
    static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(5);

    // A write failed: so long is waited for the node's reason, which is better than the write's.
    static readonly TimeSpan ReasonMax = TimeSpan.FromSeconds(1);

    readonly GrpcChannel? _channel;
    readonly Func<GrpcChannel> _open;

    /// <summary>One channel for all streams.</summary>
    GrpcAgentLink(string address, SocketsHttpHandler handler)
    {
        handler.ConnectTimeout = ConnectMax;
        KeepAlive(handler);
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = Parcels.BytesMax,
            MaxSendMessageSize = Parcels.BytesMax,
        });
        _open = () => _channel;
    }

    GrpcAgentLink(Func<GrpcChannel> open) => _open = open;

    public static GrpcAgentLink ToSocket(string path) => new("http://localhost", new SocketsHttpHandler
    {
        ConnectCallback = async (_, stop) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    });

    public static GrpcAgentLink ToAddress(Uri address) => new(address.ToString(), new SocketsHttpHandler());

    /// <summary>By TLS, as the agent of a host. Each stream has a connection of its own, so that it shows the certificate of its day.</summary>
    public static GrpcAgentLink ToNode(Uri node, AgentCertificate certificate) => new(() => SecureChannel.Of(node, certificate, KeepAlive));

    public Task<IAgentStream> Open(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var channel = _open();
        var call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: CancellationToken.None);
        return Task.FromResult<IAgentStream>(new Stream(call, _channel is null ? channel : null));
    }

    public void Dispose() => _channel?.Dispose();

    static void KeepAlive(SocketsHttpHandler handler)
    {
        handler.KeepAlivePingDelay = PingEvery;
        handler.KeepAlivePingTimeout = PingEvery;
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
    }

    /// <summary>
    /// A cancelled read or write of gRPC ends the call, and an agent that stops still wants to say good-bye. So reads and
    /// writes run to their end here, and cancelling only ends the waiting for them.
    /// </summary>
    sealed class Stream : IAgentStream
    {
        // What the node sent and nobody took yet; behind it HTTP/2 flow control holds the node back.
        const int ReceivedMax = 256;

        readonly AsyncDuplexStreamingCall<Parcel, Parcel> _call;
        readonly GrpcChannel? _owned;
        readonly Channel<LinkParcel> _received = Channel.CreateBounded<LinkParcel>(ReceivedMax);
        readonly SemaphoreSlim _writing = new(1);
        readonly CancellationTokenSource _disposed = new();
        readonly Task _reading;
        volatile LinkEndedException? _why;

        /// <param name="owned">Ends with the stream; null: others use it too.</param>
        public Stream(AsyncDuplexStreamingCall<Parcel, Parcel> call, GrpcChannel? owned)
        {
            (_call, _owned) = (call, owned);
            _reading = Read();
        }

        public async Task Send(LinkParcel parcel, CancellationToken stop)
        {
            var wire = Parcels.ToWire(parcel);
            await _writing.WaitAsync(stop);
            await Write(() => _call.RequestStream.WriteAsync(wire, CancellationToken.None)).WaitAsync(stop);
        }

        public async Task Finish(CancellationToken stop)
        {
            await _writing.WaitAsync(stop);
            await Write(_call.RequestStream.CompleteAsync).WaitAsync(stop);
        }

        public async Task<LinkParcel> Receive(CancellationToken stop)
        {
            try
            {
                return await _received.Reader.ReadAsync(stop);
            }
            catch (ChannelClosedException closed)
            {
                throw closed.InnerException ?? new LinkEndedException("the node ended the stream");
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _disposed.CancelAsync();
            _call.Dispose();
            await _reading;
            _owned?.Dispose();
            _disposed.Dispose();
        }

        async Task Write(Func<Task> write)
        {
            try
            {
                await write();
            }
            catch (Exception error) when (error is RpcException or InvalidOperationException or IOException or OperationCanceledException)
            {
                // The reading side knows why: a call that is over says it there. It may be held up by what nobody takes.
                await Task.WhenAny(_reading, Task.Delay(ReasonMax, TimeProvider.System, CancellationToken.None));
                throw _why ?? Ended(error);
            }
            finally
            {
                _writing.Release();
            }
        }

        async Task Read()
        {
            try
            {
                while (await _call.ResponseStream.MoveNext(CancellationToken.None))
                {
                    await _received.Writer.WriteAsync(Parcels.FromWire(_call.ResponseStream.Current), _disposed.Token);
                }
                _received.Writer.Complete();
            }
            catch (Exception error) when (error is RpcException or IOException or OperationCanceledException
                or MalformedParcelException or InvalidOperationException)
            {
                _why = Ended(error);
                _received.Writer.Complete(_why);
            }
        }

        static LinkEndedException Ended(Exception error) => error switch
        {
            LinkEndedException ended => ended,
            RpcException rpc => new LinkEndedException($"{rpc.StatusCode}: {rpc.Status.Detail}", inner: rpc),
            _ => new LinkEndedException(error.Message, inner: error),
        };
    }
}
