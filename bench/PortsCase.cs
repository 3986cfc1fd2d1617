using System.Diagnostics;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Bench;

/// <summary>
/// A switch with 2,000 ports on a real kernel, each with a VLAN, its own address, an access list and limits: what the
/// first ports cost and what the last ones, and beside it what the kernel itself takes for a tap on a bridge. Needs root.
/// </summary>
static class PortsCase
{
    const int Ports = 2_000;

    /// <summary>Ports at each end of the run that are compared.</summary>
    const int Compared = 100;

    const string Switch = "large";

    static readonly string[] Namespaces = ["hv01", "bare", "underlay"];

    public sealed record Figures(double First, double Last, double BareFirst, double BareLast, double Teardown);

    public static async Task<Figures> Run(string folder)
    {
        var prefix = $"bench{Environment.ProcessId}-";
        try
        {
            await using var driver = await Open(folder, prefix);
            var ours = new List<double>();
            for (var number = 0; number < Ports; number++)
            {
                var start = Stopwatch.GetTimestamp();
                await Add(driver, number);
                ours.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            var bare = Bare(prefix + "bare");
            var end = Stopwatch.GetTimestamp();
            await driver.Suspend(CancellationToken.None);
            return new Figures(
                Median(ours[..Compared]), Median(ours[^Compared..]), Median(bare[..Compared]), Median(bare[^Compared..]),
                Stopwatch.GetElapsedTime(end).TotalSeconds);
        }
        finally
        {
            foreach (var left in Namespaces.Where(left => NetworkNamespace.Exists(prefix + left)))
            {
                NetworkNamespace.Delete(prefix + left);
            }
        }
    }

    static async Task<LinuxDriver> Open(string folder, string prefix)
    {
        var options = new LinuxDriverOptions { StateDirectory = folder, NamespacePrefix = prefix, SweepEvery = TimeSpan.FromHours(1) };
        var driver = new LinuxDriver("hv01", options, TimeProvider.System);
        await driver.Resume(CancellationToken.None);
        await driver.Fences(new Dictionary<string, long>(), CancellationToken.None);
        await Do(driver, new DriverCommand("switch", DriverVerb.EnsureSwitch, Switch));
        return driver;
    }

    /// <summary>PORT_CREATE, NIC_CREATE with the policy, NIC_CONNECT: as a VM's start asks.</summary>
    static async Task Add(LinuxDriver driver, int number)
    {
        var nic = new DriverCommand(
            $"c{number}", DriverVerb.CreateNic, Switch, $"port-{number}", $"vm-{number}", "eth0", $"nic/vm-{number}/eth0", 1, 1,
            Attach: NicAttach.Tap, Mac: $"02:00:00:00:{number / 256:x2}:{number % 256:x2}", Policy: Policy(number));
        await Do(driver, new DriverCommand($"p{number}", DriverVerb.CreatePort, Switch, nic.Port));
        await Do(driver, nic);
        await Do(driver, nic with { CommandId = $"o{number}", Verb = DriverVerb.ConnectNic, Revision = 2 });
    }

    static PortPolicy Policy(int number) => new(
        new VlanPolicy.Access(10 + (number % 20)), AllowMacSpoofing: false,
        [
            new AclRule(AclDirection.Inbound, AclAction.Allow, "10.0.0.0/8", 6, LocalPort: 22),
            new AclRule(AclDirection.Inbound, AclAction.Deny, Protocol: 6, LocalPort: 22),
            new AclRule(AclDirection.Outbound, AclAction.Deny, "192.168.0.0/16"),
        ],
        new BandwidthPolicy(100_000_000, 100_000_000));

    static async Task Do(LinuxDriver driver, DriverCommand command)
    {
        var completion = await driver.Command(command, CancellationToken.None);
        if (completion.Status != NdisStatus.Success)
        {
            throw new InvalidOperationException($"{command.Verb} {command.Port}: {completion.Status} {completion.Detail}");
        }
    }

    /// <summary>Taps on plain bridges of a thousand, up, and nothing else.</summary>
    static List<double> Bare(string name)
    {
        NetworkNamespace.Ensure(name, ipv6: false);
        using var links = Links.Open(name);
        var times = new List<double>();
        for (var number = 0; number < Ports; number++)
        {
            var bridge = links.EnsureBridge($"br{number / 1_000}");
            var start = Stopwatch.GetTimestamp();
            Tap.Ensure(name, $"t{number}");
            links.Change(links.Need($"t{number}"), new LinkChange(Up: true, Master: bridge.Index));
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        return times;
    }

    static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
}
