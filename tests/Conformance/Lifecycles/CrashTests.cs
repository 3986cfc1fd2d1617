using ControlPlane.Actors;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Any memory may be lost after any step: the end is the same, and no command reaches the host under two names.</summary>
public sealed class CrashTests
{
    static readonly EntityId Vm = EntityId.Vm("web");
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");

    public static TheoryData<bool, int> Ways() => new() { { false, 200 }, { true, 3 } };

    [Theory]
    [MemberData(nameof(Ways))]
    public void Crash_of_any_entity_after_any_step_of_a_start_changes_nothing(bool withSnapshot, int snapshotEvery) =>
        Crash(snapshotEvery, withSnapshot, stop: false);

    [Theory]
    [MemberData(nameof(Ways))]
    public void Crash_of_any_entity_after_any_step_of_a_stop_changes_nothing(bool withSnapshot, int snapshotEvery) =>
        Crash(snapshotEvery, withSnapshot, stop: true);

    public static TheoryData<string, bool> Changes()
    {
        var all = new TheoryData<string, bool>();
        foreach (var change in new[] { "add", "remove", "properties" })
        {
            all.Add(change, false);
            all.Add(change, true);
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Crash_of_any_entity_after_any_step_of_a_change_of_a_running_vm_changes_nothing(string change, bool withSnapshot)
    {
        Command work = change switch
        {
            "add" => new AddNic(new NicDefinition("eth2", "sw", NicType.Synthetic, "00:15:5d:00:00:03", Vlan: 9)),
            "remove" => new RemoveNic("eth1"),
            _ => new DefineVm(new VmDefinition("hv01", [First with { Vlan = 20, Properties = null }, Second with { Vlan = 30 }])),
        };
        Crash(snapshotEvery: withSnapshot ? 3 : 200, withSnapshot, running: true, work);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Crash_of_everybody_after_any_step_of_a_refused_start_still_undoes_all(bool withSnapshot)
    {
        for (var at = 0; ; at++)
        {
            var world = Prepared(1);
            world.Hosts["hv01"].Plant(DriverVerb.CreateNic, NdisStatus.Resources, 1, skip: 1);
            var ended = RunUntil(world, at, new StartVm());
            if (!ended)
            {
                world.CrashAll(withSnapshot);
            }
            world.Settle();
            Assert.Equal("stopped", world.State<VmState>(Vm).Name);
            Assert.Empty(world.Switch(Sw).Ports);
            Assert.Empty(world.Hosts["hv01"].Devices);
            if (ended)
            {
                Assert.True(at > 50, $"only {at} steps");
                return;
            }
        }
    }

    [Fact]
    public void Write_that_is_lost_with_its_entity_is_as_if_the_message_had_not_come()
    {
        foreach (var id in Calm(1, stop: false).Entities)
        {
            var world = Prepared(200);
            world.HoldWrites(id);
            world.Ask(Vm, "start", new StartVm());
            world.Settle();
            world.Crash(id);
            world.FinishWrite(id);
            world.Settle();
            Assert.Equal(Picture(Calm(200, stop: false)), Picture(world));
        }
    }

    static void Crash(int snapshotEvery, bool withSnapshot, bool stop) =>
        Crash(snapshotEvery, withSnapshot, running: stop, stop ? new StopVm() : new StartVm());

    static void Crash(int snapshotEvery, bool withSnapshot, bool running, Command work)
    {
        var calm = Begun(snapshotEvery, running);
        calm.Do(Vm, work, work.GetType().Name);
        foreach (var id in calm.Entities)
        {
            for (var at = 0; ; at++)
            {
                var world = Begun(snapshotEvery, running);
                var ended = RunUntil(world, at, work);
                if (ended)
                {
                    break;
                }
                world.Crash(id, withSnapshot);
                world.Settle();
                Assert.True(Picture(calm) == Picture(world), $"{id} after step {at}:\n{Picture(calm)}\n---\n{Picture(world)}");
            }
        }
    }

    /// <summary>True if the work came to its end before that many steps.</summary>
    static bool RunUntil(World world, int steps, Command command)
    {
        world.Ask(Vm, command.GetType().Name, command);
        for (var taken = 0; taken < steps; taken++)
        {
            if (!world.Busy)
            {
                return true;
            }
            world.Step();
        }
        return !world.Busy;
    }

    static World Calm(int snapshotEvery, bool stop)
    {
        var world = Prepared(snapshotEvery);
        world.StartVm("web");
        if (stop)
        {
            world.StopVm("web");
        }
        return world;
    }

    static World Begun(int snapshotEvery, bool running)
    {
        var world = Prepared(snapshotEvery);
        if (running)
        {
            world.StartVm("web");
        }
        return world;
    }

    static readonly NicDefinition First = new(
        "eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01", Vlan: 10, Properties: [new PropertyParameters(PropertyType.Security, "1")]);

    static readonly NicDefinition Second = new("eth1", "sw", NicType.Emulated, "00:15:5d:00:00:02");

    static World Prepared(int snapshotEvery)
    {
        var world = new World(snapshotEvery);
        world.Connect("hv01");
        world.DefineSwitch(Sw, DriftPolicy.Report);
        world.DefineVm("web", "hv01", First, Second);
        return world;
    }

    /// <summary>What must be the same however often somebody crashed: power, ports, devices, and what the host carried out.</summary>
    static string Picture(World world)
    {
        var host = world.Hosts["hv01"];
        return string.Join('\n', [
            world.State<VmState>(Vm).Name,
            .. world.Switch(Sw).Ports.Values.Select(port => $"{port.PortId} {port.Name} {string.Join(',', port.Nics)}"),
            .. world.Entities.Where(id => id.Kind is "port" or "nic").Select(id => $"{id} {StateNames.Encode(id, world.State(id)!).Length}"),
            .. host.Devices.Values.Select(device => $"{device}"),
            .. host.Carried.Select(command => $"{command.Verb} {command.Port} {command.Epoch}.{command.Revision}"),
        ]);
    }
}
