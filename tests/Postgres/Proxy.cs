using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Postgres.Tests;

/// <summary>A wire to a server that can be cut, and made to lose what one side says.</summary>
sealed class Proxy : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentBag<TcpClient> _open = [];
    readonly ConcurrentDictionary<TcpClient, bool> _deaf = new();
    readonly int _port;

    public Proxy(int port)
    {
        _port = port;
        _listener.Start();
        _ = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What the server says from now on is lost, on the connections that are open now.</summary>
    public void LoseAnswers()
    {
        foreach (var client in _open)
        {
            _deaf[client] = true;
        }
    }

    /// <summary>Every connection that is open now ends without a word.</summary>
    public void Cut()
    {
        while (_open.TryTake(out var client))
        {
            // Its socket is gone when the other side has closed it.
            client.Client?.Close(0);
            client.Close();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    async Task Accept()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptTcpClientAsync();
                var far = new TcpClient();
                await far.ConnectAsync(IPAddress.Loopback, _port);
                _open.Add(near);
                _open.Add(far);
                _ = Copy(near, far);
                _ = Copy(far, near);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    async Task Copy(TcpClient from, TcpClient to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer) is > 0 and var count)
            {
                // Both sides of a pair are marked; the server's is the one that we called.
                if (!(_deaf.ContainsKey(from) && ((IPEndPoint)from.Client.RemoteEndPoint!).Port == _port))
                {
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, count));
                }
            }
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut, or one end has gone.
        }
        from.Close();
        to.Close();
    }
}
