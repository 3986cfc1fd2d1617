using System.Diagnostics;
using System.Globalization;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>
/// Drops packets between processes of this machine: each node has a user id of its own, and the packet filter knows a packet's
/// sender by it. Nothing is refused, as in a network that is cut: who sends waits.
/// </summary>
sealed class Cuts : IDisposable
{
    static int _count;

    readonly string _table = string.Create(CultureInfo.InvariantCulture, $"controlplane_test_{Environment.ProcessId}_{Interlocked.Increment(ref _count)}");

    /// <param name="users">Of the nodes: a connection is marked with who opened it, so that answers on it can be told apart.</param>
    public Cuts(IEnumerable<uint> users)
    {
        Filter($"add table inet {_table}; add chain inet {_table} openers {{ type filter hook output priority -10; }}; add chain inet {_table} out {{ type filter hook output priority 0; }}");
        foreach (var user in users)
        {
            Filter($"add rule inet {_table} openers meta skuid {user} ct direction original ct mark set {user}");
        }
    }

    /// <summary>A node's packets to the database.</summary>
    public void FromDatabase(uint user, int port) => Drop($"meta skuid {user} tcp dport {port}");

    /// <summary>What each side says to the other, on connections of either.</summary>
    public void Between(IReadOnlyList<(uint User, int Port)> left, IReadOnlyList<(uint User, int Port)> right)
    {
        foreach (var (from, to) in left.SelectMany(one => right.SelectMany(other => new[] { (one, other), (other, one) })))
        {
            Drop($"meta skuid {from.User} tcp dport {to.Port}");
            Drop($"meta skuid {from.User} tcp sport {from.Port} ct mark {to.User}");
        }
    }

    public void Heal() => Filter($"flush chain inet {_table} out");

    public void Dispose() => Filter($"delete table inet {_table}");

    void Drop(string match) => Filter($"add rule inet {_table} out {match} drop");

    static void Filter(string commands)
    {
        using var nft = Process.Start(new ProcessStartInfo("nft", ["-f", "-"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        nft.StandardInput.Write(commands.Replace("; add", "\nadd", StringComparison.Ordinal));
        nft.StandardInput.Close();
        var error = nft.StandardError.ReadToEnd();
        nft.WaitForExit();
        Assert.True(nft.ExitCode == 0, $"{commands}: {error}");
    }
}
