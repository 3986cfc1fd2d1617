using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Cli.Http;

/// <summary>Speaks HTTP and JSON to one server and turns what happens into an <see cref="Answer"/>.</summary>
sealed class ApiClient : IDisposable
{
    static readonly TimeSpan SilenceBeforeProbe = TimeSpan.FromSeconds(15);
    static readonly JsonDocumentOptions Reading = new() { MaxDepth = 64 };
    readonly HttpClient _http;
    readonly TimeSpan _timeout;
    readonly TimeProvider _time;

    public ApiClient(Uri server, string? token, TimeSpan timeout, TimeProvider time)
    {
        _timeout = timeout;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            // A redirect could carry a change, or the token, to where it was not meant for.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            UseProxy = !server.IsLoopback,
            ConnectCallback = Connect,
        };
        _http = new HttpClient(handler) { BaseAddress = WithSlash(server), Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("cpctl", "1"));
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>Sends one request and reads its whole answer, within the timeout.</summary>
    public async Task<Answer> Send(Request request, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(_timeout + request.Wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        try
        {
            using var message = Message(request);
            using var response = await _http.SendAsync(message, either.Token);
            var body = Parse(await response.Content.ReadAsByteArrayAsync(either.Token), response);
            return response.IsSuccessStatusCode
                ? new Answer.Success((int)response.StatusCode, body, response.Headers.ETag?.ToString(), response.Headers.Location)
                : new Answer.Failure(Problem.From((int)response.StatusCode, body));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new Answer.NoAnswer($"no answer within {(_timeout + request.Wait).TotalSeconds:0.#} s");
        }
        catch (HttpRequestException error) when (NeverConnected(error))
        {
            return new Answer.Unreachable(error.Message);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            return new Answer.NoAnswer(error.Message);
        }
    }

    /// <summary>Opens a stream of server-sent events: the caller reads and disposes it. No timeout once it is open.</summary>
    public async Task<(HttpResponseMessage? Stream, Answer? Instead)> Open(Request request, string? lastEventId, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        HttpResponseMessage? response = null;
        try
        {
            using var message = Message(request);
            message.Headers.Accept.Clear();
            message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            if (lastEventId is not null)
            {
                message.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
            }

            response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (response.IsSuccessStatusCode)
            {
                var stream = response;
                response = null;
                return (stream, null);
            }

            var body = Parse(await response.Content.ReadAsByteArrayAsync(either.Token), response);
            return (null, new Answer.Failure(Problem.From((int)response.StatusCode, body)));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (null, new Answer.NoAnswer($"no answer within {_timeout.TotalSeconds:0.#} s"));
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            return (null, new Answer.Unreachable(error.Message));
        }
        finally
        {
            response?.Dispose();
        }
    }

    public void Dispose() => _http.Dispose();

    static HttpRequestMessage Message(Request request)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(request.PathAndQuery(), UriKind.Relative));
        message.Headers.Accept.ParseAdd("application/json, application/problem+json");
        if (request.IdempotencyKey is { } key)
        {
            message.Headers.Add("Idempotency-Key", key.ToString("D", CultureInfo.InvariantCulture));
        }

        if (request.IfMatch is { } tag)
        {
            message.Headers.TryAddWithoutValidation("If-Match", tag);
        }

        if (request.Body is { } body)
        {
            message.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        return message;
    }

    static JsonElement? Parse(byte[] bytes, HttpResponseMessage response)
    {
        if (bytes.Length == 0)
        {
            return null;
        }

        if (response.Content.Headers.ContentType?.MediaType is { } type && type.EndsWith("json", StringComparison.OrdinalIgnoreCase))
        {
            using var document = JsonDocument.Parse(bytes, Reading);
            return document.RootElement.Clone();
        }

        return JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(bytes));
    }

    // A server behind a path prefix keeps it: request paths are relative to a base that ends with a slash.
    static Uri WithSlash(Uri server) => new(server.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/");

    static bool NeverConnected(HttpRequestException error) => error.HttpRequestError
        is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;

    // A watch may be silent for hours; probes of the socket tell a quiet server from one that is gone.
    static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)SilenceBeforeProbe.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
