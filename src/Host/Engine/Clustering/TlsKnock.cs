using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ControlPlane.Host.Engine.Clustering;

/// <summary>Finds out for a node without a certificate why nobody answers it: its peers have some, and speak by TLS alone.</summary>
static class TlsKnock
{
    /// <summary>False also where nobody is, and when it is not known in time.</summary>
    public static async Task<bool> SpeaksTls(string address, TimeProvider time, CancellationToken stop)
    {
        var (at, shown) = (address.LastIndexOf(':'), false);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address[..at], int.Parse(address[(at + 1)..], System.Globalization.CultureInfo.InvariantCulture), stop)
                .AsTask().WaitAsync(Numbers.KnockMax, time, stop);
            // Nothing is believed or said: the peer's certificate is all that is wanted, and then it is over.
            await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, certificate, _, _) =>
            {
                shown = certificate is not null;
                return false;
            });
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "" }, stop).WaitAsync(Numbers.KnockMax, time, stop);
        }
        catch (Exception end) when (end is SocketException or IOException or AuthenticationException or TimeoutException)
        {
            // It always ends so; what matters was seen before.
        }
        return shown;
    }
}
