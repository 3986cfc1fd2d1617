using System.Net.Sockets;
using System.Text;

namespace ControlPlane.Api.Tests;

/// <summary>One TCP connection and its bytes as no client library would send or read them.</summary>
sealed class RawConnection : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    readonly CancellationTokenSource _patience = new(Patience);

    /// <param name="receiveBuffer">Bytes that the system takes in for a reader that does not read; null: as it likes.</param>
    public static async Task<RawConnection> Open(Uri address, int? receiveBuffer = null)
    {
        var connection = new RawConnection();
        if (receiveBuffer is { } bytes)
        {
            connection._socket.ReceiveBufferSize = bytes;
        }
        await connection._socket.ConnectAsync(address.Host, address.Port, connection._patience.Token);
        return connection;
    }

    /// <summary>False when the server has closed.</summary>
    public async Task<bool> Send(string text)
    {
        try
        {
            await _socket.SendAsync(Encoding.Latin1.GetBytes(text), _patience.Token);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>What came until a text was in it, or the server closed.</summary>
    public Task<string> ReadUntil(string text) => Read(read => read.Contains(text, StringComparison.Ordinal));

    /// <summary>What came until the server closed.</summary>
    public Task<string> ReadToEnd() => Read(null);

    public void Dispose()
    {
        _socket.Dispose();
        _patience.Dispose();
    }

    async Task<string> Read(Func<string, bool>? enough)
    {
        var buffer = new byte[64 * 1024];
        var text = new StringBuilder();
        while (enough?.Invoke(text.ToString()) != true)
        {
            int read;
            try
            {
                read = await _socket.ReceiveAsync(buffer, _patience.Token);
            }
            catch (SocketException)
            {
                read = 0;
            }
            if (read == 0)
            {
                break;
            }
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        return text.ToString();
    }
}
