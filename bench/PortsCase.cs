using System.Diagnostics;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Bench;

/// <summary>
/// A port with a VLAN, its own address, an access list and limits on a real kernel: what it costs as the first of a switch
/// and what as the one after 2,000 others. Both are made in turn, round after round, so that what else the machine does falls
/// on both; beside them what the kernel itself takes for a tap on a bridge. Needs root.
/// </summary>
static class PortsCase
{
    const int Ports = 2_000;

    /// <summary>Rounds of one port on the empty switch and one on the full one.</summary>
    const int Rounds = 200;

    /// <summary>The port beyond the rounds, whose policy is replaced: a deleted one's epoch is over.</summary>
    const int Kept = Ports + Rounds;

    const string Switch = "large";

    static readonly string[] Namespaces = ["full", "empty", "bare-full", "bare-empty", "underlay"];

    /// <summary>Milliseconds at p50 on the empty and on the full side.</summary>
    public sealed record Pair(double First, double Next)
    {
        public double Ratio => Next / First;
    }

    public sealed record Figures(Pair Port, Pair Policy, Pair Bare, double TeardownSeconds);

    public static async Task<Figures> Run(string folder)
    {
        var prefix = $"bench{Environment.ProcessId}-";
        try
        {
            await using var full = await Open(folder, "full", prefix);
            await using var empty = await Open(folder, "empty", prefix);
            for (var number = 0; number < Ports; number++)
            {
                await Add(full, number);
            }
            var port = await InTurn(empty, full, Add, Remove);
            await Add(empty, Kept);
            await Add(full, Kept);
            var policy = await InTurn(empty, full, Replace, (_, _) => Task.CompletedTask);
            var bare = await Bare(prefix);
            var end = Stopwatch.GetTimestamp();
            await full.Suspend(CancellationToken.None);
            return new Figures(port, policy, bare, Stopwatch.GetElapsedTime(end).TotalSeconds);
        }
        finally
        {
            foreach (var left in Namespaces.Where(left => NetworkNamespace.Exists(prefix + left)))
            {
                NetworkNamespace.Delete(prefix + left);
            }
        }
    }

    /// <summary>The same step on both sides, the order changing from round to round; only the step is timed.</summary>
    static async Task<Pair> InTurn<T>(T empty, T full, Func<T, int, Task> step, Func<T, int, Task> undo)
    {
        var times = (Empty: new List<double>(), Full: new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var isFull in round % 2 == 0 ? [false, true] : new[] { true, false })
            {
                var side = isFull ? full : empty;
                var start = Stopwatch.GetTimestamp();
                await step(side, Ports + round);
                (isFull ? times.Full : times.Empty).Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                await undo(side, Ports + round);
            }
        }
        return new Pair(Median(times.Empty), Median(times.Full));
    }

    static async Task<LinuxDriver> Open(string folder, string host, string prefix)
    {
        var state = Directory.CreateDirectory(Path.Combine(folder, host)).FullName;
        var options = new LinuxDriverOptions { StateDirectory = state, NamespacePrefix = prefix, SweepEvery = TimeSpan.FromHours(1) };
        var driver = new LinuxDriver(host, options, TimeProvider.System);
        await driver.Resume(CancellationToken.None);
        await driver.Fences(new Dictionary<string, long>(), CancellationToken.None);
        await Do(driver, new DriverCommand("switch", DriverVerb.EnsureSwitch, Switch));
        return driver;
    }

    /// <summary>PORT_CREATE, NIC_CREATE with the policy, NIC_CONNECT: as a VM's start asks.</summary>
    static async Task Add(LinuxDriver driver, int number)
    {
        await Do(driver, Of(number, DriverVerb.CreatePort));
        await Do(driver, Of(number, DriverVerb.CreateNic) with { Policy = Policy(number) });
        await Do(driver, Of(number, DriverVerb.ConnectNic) with { Revision = 2 });
    }

    static async Task Remove(LinuxDriver driver, int number)
    {
        await Do(driver, Of(number, DriverVerb.DisconnectNic) with { Revision = 3 });
        await Do(driver, Of(number, DriverVerb.DeleteNic) with { Revision = 4 });
        await Do(driver, Of(number, DriverVerb.DeletePort) with { Revision = 5 });
    }

    /// <summary>Another policy for a port that is open, a new one each time.</summary>
    static Task Replace(LinuxDriver driver, int round) =>
        Do(driver, Of(Kept, DriverVerb.ApplyPolicy) with { CommandId = $"r{round}", Revision = 10 + round, Policy = Policy(round) });

    static DriverCommand Of(int number, DriverVerb verb) => new(
        $"{verb}-{number}", verb, Switch, $"port-{number}", $"vm-{number}", "eth0", $"nic/vm-{number}/eth0", 1, 1,
        Attach: NicAttach.Tap, Mac: $"02:00:00:00:{number / 256:x2}:{number % 256:x2}");

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
    static async Task<Pair> Bare(string prefix)
    {
        NetworkNamespace.Ensure(prefix + "bare-full", ipv6: false);
        NetworkNamespace.Ensure(prefix + "bare-empty", ipv6: false);
        using var full = Links.Open(prefix + "bare-full");
        using var empty = Links.Open(prefix + "bare-empty");
        for (var number = 0; number < Ports; number++)
        {
            await Plug(full, number);
        }
        return await InTurn(empty, full, Plug, Unplug);

        Task Plug(Links links, int number)
        {
            var bridge = links.EnsureBridge($"br{number / 1_023}");
            Tap.Ensure(prefix + (ReferenceEquals(links, full) ? "bare-full" : "bare-empty"), $"t{number}");
            links.Change(links.Need($"t{number}"), new LinkChange(Up: true, Master: bridge.Index));
            return Task.CompletedTask;
        }

        static Task Unplug(Links links, int number)
        {
            links.Delete(links.Need($"t{number}"));
            return Task.CompletedTask;
        }
    }

    static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
}
