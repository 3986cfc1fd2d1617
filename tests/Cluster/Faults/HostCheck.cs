using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>What must hold between hosts and actors when nothing is under way any more.</summary>
static class HostCheck
{
    /// <summary>
    /// The devices on the hosts are those of which the NICs say that they are connected, with their epochs and open gates; and no
    /// host carried out one command twice. Answers how many commands there were.
    /// </summary>
    public static async Task<int> Holds(LocalCluster cluster, IReadOnlyList<string> vms)
    {
        await Agree(cluster, vms, () => cluster.Hosts.SelectMany(host => host.Devices)
            .Select(device => Line(device.NicKey, device.Present && device.Enslaved, device.Up, $"{device.Epoch}")));
        Assert.All(cluster.Hosts, host => Assert.DoesNotContain(host.CarriedOut, command => command.Value > 1));
        return cluster.Hosts.Sum(host => host.CarriedOut.Count);
    }

    /// <summary>What the NICs say of their devices is what is there.</summary>
    /// <param name="devices">A <see cref="Line"/> for each device.</param>
    public static async Task Agree(LocalCluster cluster, IReadOnlyList<string> vms, Func<IEnumerable<string>> devices)
    {
        var (said, there) = ("", "");
        await LocalCluster.Until(
            async () =>
            {
                said = string.Join("; ", (await Task.WhenAll(vms.Select(vm => Said(cluster.Nodes[0], vm)))).OfType<string>().Order(StringComparer.Ordinal));
                there = string.Join("; ", devices().Order(StringComparer.Ordinal));
                return said == there;
            },
            () => $"the hosts and the NICs agree: said {said}, there {there}", TimeSpan.FromSeconds(120));
        Assert.NotEqual("", there);
    }

    /// <summary>What the VM's NIC says of its device; null: it has none.</summary>
    static async Task<string?> Said(NodeProcess node, string vm)
    {
        var nic = (await node.Http.GetFromJsonAsync<JsonNode>($"/v1/nics/{vm}/eth0"))!;
        return nic["attachments"]!.AsArray().Count == 0
            ? null
            : Line($"nic/{vm}/eth0", true, (string)nic["phase"]! == "connected", (string)nic["epoch"]!);
    }

    public static string Line(string nic, bool onSwitch, bool open, string epoch) =>
        $"{nic} {(onSwitch ? "on its switch" : "off its switch")}, {(open ? "open" : "closed")}, epoch {epoch}";
}
