using System.Globalization;
using ControlPlane.Actors.Bridge;
using ControlPlane.Messages;
using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>
/// The journal loses its last writes while hosts go on (reliability.md 10 F14, F46). Hosts are witnesses: one that shows more than
/// the journal has issued is told nothing, and an alarm stands. What no host shows, nobody notices.
/// </summary>
public sealed class FallBackTests(ITestOutputHelper output)
{
    const int Histories = 80;
    const int WritesMax = 60;

    static readonly TimeSpan NodesAway = TimeSpan.FromSeconds(2);
    static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(90);

    [Fact]
    public void Host_that_knows_more_than_a_journal_that_fell_back_is_told_nothing_and_an_alarm_stands()
    {
        var met = new Tally();
        for (var seed = 1UL; seed <= Histories; seed++)
        {
            var luck = Choices.Of(seed);
            var options = new Options { Nodes = 2, Hosts = 1 + luck.Next("hosts", 2), Vms = 3, Requests = 40 };
            var report = Run.Of(luck, options, Mutant.None, null, (world, clients) => Play(world, clients, met), null);
            Assert.True(report.Violation is null, $"seed {seed}: {report.Violation}\n{string.Join('\n', report.Tail.TakeLast(60))}");
        }
        output.Tell(string.Create(CultureInfo.InvariantCulture, $"fallen back {Histories} times: {string.Join(", ", met.Counts.Select(pair => $"{pair.Key} {pair.Value}"))}"));
        Assert.True(met.Counts.GetValueOrDefault(Noticed) > 10, "hardly any host knew more");
    }

    const string Noticed = "hosts that knew more and were left alone";

    static void Play(World world, List<Client> clients, Tally met)
    {
        Run.Begin(world);
        var wishes = new Wishes(world);
        clients.Add(new Client(world, "setup", 10, wishes.OfSetup));
        clients.AddRange(Enumerable.Range(1, 2).Select(number => new Client(world, $"client{number}", world.Options.Requests, wishes.OfOperator)));
        clients.ForEach(client => client.Begin());
        Run.Until(world, world.Simulator.Luck.Between("fall.at", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60)), () => false);

        var acknowledged = clients.SelectMany(client => client.History).Where(request => request.Answer?.Refusal is null && request.Answer is not null).ToList();
        world.Nodes.ToList().ForEach(world.Cluster.Crash);
        Run.Until(world, world.Simulator.Elapsed + NodesAway, () => false);
        world.Journal.FallBack(1 + world.Simulator.Luck.Next("fall.by", WritesMax));
        world.Check.FellBack();
        world.Say("the journal fell back");

        var ahead = world.Hosts.Where(host => host.Devices().Any(device => IsAhead(world, host.Name, device))).ToList();
        var before = ahead.ToDictionary(host => host.Name, host => host.Devices());
        var lost = acknowledged.Any(request => world.Journal.Rows(request.Envelope.To).All(row => row.MessageId != request.Envelope.MessageId));
        met.Count("acknowledged requests lost", lost ? 1 : 0);
        met.Count("lost and shown by no host", lost && ahead.Count == 0 ? 1 : 0);

        Run.Until(world, world.Simulator.Elapsed + NoticedWithin, () => false);
        foreach (var host in ahead)
        {
            if (world.Check.State<BridgeState>(EntityId.Bridge(host.Name)) is { Ahead: not null, Online: false })
            {
                met.Count(Noticed);
                if (!host.Devices().SequenceEqual(before[host.Name]))
                {
                    world.Check.Violate("I19", $"{host.Name} was commanded by a journal that knows less");
                }
            }
            else if (before[host.Name].Any(device => IsAhead(world, host.Name, device)))
            {
                world.Check.Violate("I19", $"{host.Name} shows more than was issued, and nobody says so");
            }
            else
            {
                met.Count("hosts of which the same was asked again before they came");
            }
        }
    }

    /// <summary>By the journal's rows, not by what the bridge makes of them.</summary>
    static bool IsAhead(World world, string host, DeviceState device) => device.NicKey.Length > 0
        && world.Journal.Rows(EntityId.Bridge(host)).Select(row => row.Event).OfType<CommandIssued>()
            .Where(issued => issued.Command.NicKey == device.NicKey)
            .All(issued => (issued.Command.Epoch, issued.Command.Revision).CompareTo((device.Epoch, device.Revision)) < 0);
}
