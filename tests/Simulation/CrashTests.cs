using System.Diagnostics;
using System.Runtime.CompilerServices;
using ControlPlane.Messages;
using Xunit.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>
/// A death before every single step of a request, none left out: each has a run of its own, and each comes to what the
/// run without a death comes to (reliability.md 12.5).
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    static readonly EntityId Vm = EntityId.Vm("vm1");

    static readonly Options Quietly = new() { Vms = 1, Clients = 1 };

    static readonly (EntityId, Command) Switch =
        (EntityId.Switch("hv01", "sw"), new DefineSwitch(Wishes.SwitchDefinition(DriftPolicy.Repair)));

    static readonly (EntityId, Command) Definition =
        (Vm, new DefineVm(new VmDefinition("hv01", [new NicDefinition("eth0", "sw", NicType.Synthetic, "02:00:00:00:00:01")])));

    static readonly Story Start = new(Quietly, [Switch, Definition], (Vm, new StartVm()));

    static readonly Story Stop = new(Quietly, [Switch, Definition, (Vm, new StartVm())], (Vm, new StopVm()));

    static readonly Story Append = new(Quietly, [Switch], Definition);

    static readonly Story OnTwoNodes = Start with { Options = Quietly with { Nodes = 2 } };

    /// <summary>Switch, port and bridge are on it.</summary>
    static string ShardOfHost => World.ShardOf(EntityId.Bridge("hv01"));

    /// <summary>Nodes that start later than at the beginning come last.</summary>
    static Node Old(World world) => world.Nodes[0];

    static Node New(World world) => world.Nodes[1];

    static void KillOld(World world) => world.Cluster.Crash(Old(world));

    static void KillNew(World world) => world.Cluster.Crash(New(world));

    static void RestartAgent(World world)
    {
        var host = world.Hosts[0];
        host.KillAgent();
        world.Simulator.After(TimeSpan.FromSeconds(1), null, host.StartAgent);
    }

    static void HandOver(World world) => world.Cluster.HandOver(Old(world), ShardOfHost, New(world));

    [Fact]
    public void Start_of_a_vm_ends_the_same_wherever_its_node_dies() => Everywhere(Start, [], KillOld);

    [Fact]
    public void Start_of_a_vm_ends_the_same_wherever_its_agent_dies() => Everywhere(Start, [], RestartAgent, agent: true);

    [Fact]
    public void Stop_of_a_vm_ends_the_same_wherever_its_node_dies() => Everywhere(Stop, [], KillOld);

    [Fact]
    public void Stop_of_a_vm_ends_the_same_wherever_its_agent_dies() => Everywhere(Stop, [], RestartAgent, agent: true);

    [Fact]
    public void Append_ends_the_same_wherever_its_node_dies() => Everywhere(Append, [], KillOld);

    [Fact]
    public void Append_ends_the_same_wherever_the_agent_dies() => Everywhere(Append, [], RestartAgent);

    [Fact]
    public void Start_of_a_vm_ends_the_same_wherever_the_shard_of_its_host_is_handed_over() => Everywhere(OnTwoNodes, [], HandOver);

    /// <summary>A hand-over at the request, and others in the middle of the start, where entities owe and write.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    [InlineData(100)]
    [InlineData(140)]
    public void Hand_over_ends_the_same_wherever_the_old_node_dies(long at) => Everywhere(OnTwoNodes, [(at, HandOver)], KillOld);

    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    [InlineData(100)]
    [InlineData(140)]
    public void Hand_over_ends_the_same_wherever_the_new_node_dies(long at) => Everywhere(OnTwoNodes, [(at, HandOver)], KillNew);

    /// <param name="agent">A host whose agent is away when the request looks for it refuses it, and all is as before.</param>
    void Everywhere(Story story, (long AtStep, Action<World> Deed)[] given, Action<World> deed, bool agent = false, [CallerMemberName] string name = "")
    {
        var clock = Stopwatch.StartNew();
        var calm = story.Tell(given);
        Assert.Null(calm.Report.Violation);
        Assert.Null(calm.Refused);
        Assert.NotEqual(calm.Before, calm.After);
        var first = given.Length == 0 ? 1 : given[^1].AtStep;
        var offline = 0;
        for (var step = first; step <= calm.Steps; step++)
        {
            var end = story.Tell([.. given, (step, deed)]);
            string Where() => $"before step {step} of {calm.Steps}";
            string Tail() => string.Join('\n', end.Report.Tail.TakeLast(80));
            Assert.True(end.Report.Violation is null, $"{Where()}: {end.Report.Violation}\n{Tail()}");
            var refused = agent && end.Refused is { Code: "host.offline" };
            offline += refused ? 1 : 0;
            Assert.True(refused || end.Refused is null, $"{Where()}: {end.Refused}");
            var (expected, got) = refused ? (WithoutVm(end.Before), WithoutVm(end.After)) : (calm.After, end.After);
            Assert.True(expected == got, $"{Where()}: it came to\n{got}\nand not to\n{expected}\n{Tail()}");
            Assert.True(!refused || end.After.Contains("\"phase\":\"stopped\"", StringComparison.Ordinal), end.After);
        }
        output.Tell($"{name}: {calm.Steps - first + 1} placements, {offline} of them refused as the host was offline, in {clock.Elapsed.TotalSeconds:F1} s");
    }

    /// <summary>The VM remembers the start that was refused.</summary>
    static string WithoutVm(string picture) => string.Join('\n', picture.Split('\n').Where(line => !line.StartsWith($"{Vm}:", StringComparison.Ordinal)));
}
