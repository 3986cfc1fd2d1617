using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Tests;

/// <summary>
/// Ports of 127.0.0.1 on which nobody listens, for processes that a test starts and stops again. Below those that the kernel gives
/// to connections (32768 on): there, whoever tries a port that is closed for the moment can be connected with itself, and keep it.
/// </summary>
static class FreePorts
{
    const int Min = 20_000;
    const int Count = 10_000;

    // Begins by the process, so that two runs do not look at the same ones.
    static int _next = Environment.ProcessId % Count * 101;

    public static int Next()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Min + (Interlocked.Increment(ref _next) % Count));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
    }
}
