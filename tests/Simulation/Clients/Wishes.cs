using System.Globalization;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What clients want next: drawn from their stream of choices.</summary>
sealed class Wishes(World world)
{
    public const string SwitchName = "sw";

    string[] Vms => [.. Enumerable.Range(1, world.Options.Vms).Select(number => string.Create(CultureInfo.InvariantCulture, $"vm{number}"))];

    string HostOf(string client) => world.Hosts[world.Simulator.Luck.Next(client + ".host", world.Hosts.Count)].Name;

    /// <summary>Defines, starts and stops VMs.</summary>
    public (EntityId, Command)? OfOperator(Client client)
    {
        var luck = world.Simulator.Luck;
        var vm = luck.Pick(client.Name + ".vm", Vms);
        var id = EntityId.Vm(vm);
        var likely = luck.Next(client.Name + ".likely", 4) < 3;
        return world.Check.State<VmState>(id) switch
        {
            null or VmState.Undefined when likely => (id, new DefineVm(Definition(client.Name))),
            VmState.Stopped when likely => (id, new StartVm()),
            VmState.Running when likely && luck.Next(client.Name + ".change", 3) == 1 => (id, new AddNic(Nic(client.Name, "eth2"))),
            VmState.Running when likely && luck.Next(client.Name + ".change", 3) == 1 => (id, new RemoveNic("eth2")),
            VmState.Running running when likely && world.Options.Wanted.Properties && luck.Next(client.Name + ".redefine", 3) == 1 =>
                (id, new DefineVm(running.Definition with { Nics = [.. running.Definition.Nics.Select(nic => nic with { Properties = Properties(client.Name) })] })),
            VmState.Running when likely => (id, new StopVm()),
            _ => luck.Next(client.Name + ".what", 7) switch
            {
                0 => (id, new StartVm()),
                1 => (id, new StopVm()),
                2 => (id, new DefineVm(Definition(client.Name))),
                3 => (id, new AddNic(Nic(client.Name, "eth2"))),
                4 => (id, new RemoveNic("eth2")),
                5 => (EntityId.Switch(HostOf(client.Name), SwitchName), new DefineSwitch(SwitchOf(client.Name))),
                _ => (id, new DeleteVm()),
            },
        };
    }

    /// <summary>Gives each host its switch, once.</summary>
    public (EntityId, Command)? OfSetup(Client client) => client.History.Count < world.Hosts.Count
        ? (EntityId.Switch(world.Hosts[client.History.Count].Name, SwitchName), new DefineSwitch(SwitchOf(client.Name)))
        : null;

    /// <summary>Gives back every reference, so that nothing waits for one for ever.</summary>
    public Func<Client, (EntityId, Command)?> OfJanitor(IReadOnlyList<Client> others)
    {
        var left = new Queue<(EntityId, Command)>(new Upkeep(world).Admissions());
        foreach (var id in world.Hosts.Select(host => EntityId.Switch(host.Name, SwitchName)))
        {
            foreach (var port in (world.Check.State<SwitchState>(id) as SwitchState.Here)?.Ports.Values ?? [])
            {
                left.Enqueue((id, new SetInFlightAt(port.PortId, 0, 0, 0)));
            }
        }
        foreach (var taken in others.SelectMany(client => client.History).Where(request => request.Envelope.Body is TakeHoldAt))
        {
            left.Enqueue((taken.Envelope.To, new ReleaseHoldAt(((TakeHoldAt)taken.Envelope.Body).HoldId)));
        }
        return _ => left.TryDequeue(out var next) ? next : null;
    }

    /// <summary>Speaks OIDs and holds to the switch: a peer that may be wrong.</summary>
    public (EntityId, Command)? OfPeer(Client client)
    {
        var luck = world.Simulator.Luck;
        var id = EntityId.Switch(HostOf(client.Name), SwitchName);
        var state = world.Check.State<SwitchState>(id) as SwitchState.Here;
        var ports = state?.Ports.Values.Select(port => (port.PortId, port.Name)).ToList() ?? [];
        var (portId, port) = ports.Count == 0 ? (7u, "vm-vm1-eth0") : luck.Pick(client.Name + ".port", ports);
        var request = string.Create(CultureInfo.InvariantCulture, $"{client.Name}-r{client.History.Count}");
        return luck.Next(client.Name + ".what", 8) switch
        {
            0 or 1 => (id, new TakeHoldAt("hold-" + request, "test", portId, luck.Next(client.Name + ".nic", 2) == 0 ? 0 : null, "a while")),
            2 or 3 or 4 when client.Holds.Count > 0 => (id, new ReleaseHoldAt(luck.Pick(client.Name + ".hold", client.Holds))),
            5 => (id, new SetInFlightAt(portId, 0, luck.Next(client.Name + ".flight", 2), 0)),
            6 => (id, new SubmitOid(new OidRequest(request, luck.Pick(client.Name + ".oid", Codes), portId, 0), FromPeer: true)),
            _ => (id, new IndicateStatusAt(portId, 0, "media-connect")),
        };
    }

    public static SwitchDefinition SwitchDefinition(DriftPolicy drift, params ExtensionDefinition[] extensions) =>
        new(SwitchKind.Private, null, drift, extensions);

    static readonly OidCode[] Codes =
        [OidCode.NicConnect, OidCode.NicDisconnect, OidCode.NicDelete, OidCode.PortTeardown, OidCode.PortDelete, OidCode.PortArray];

    SwitchDefinition SwitchOf(string client)
    {
        var definition = world.Simulator.Luck.Next(client + ".switch", 3) switch
        {
            0 => SwitchDefinition(DriftPolicy.Repair),
            1 => SwitchDefinition(DriftPolicy.Repair, new ExtensionDefinition("filter.quota", ExtensionClass.Filter, Settings: new ExtensionSettings(MaxPorts: 3))),
            _ => SwitchDefinition(DriftPolicy.Report, new ExtensionDefinition("filter.mac-guard", ExtensionClass.Filter)),
        };
        return world.Options.Wanted.Stack
            ? definition with { Extensions = [.. definition.Extensions, .. Stacks[world.Simulator.Luck.Next(client + ".stack", Stacks.Length)]] }
            : definition;
    }

    /// <summary>What a switch may have besides: extensions that save, pend, refuse, own, fail.</summary>
    static readonly ExtensionDefinition[][] Stacks =
    [
        [],
        [Filter(new ExtensionSettings(Saves: ["one", "two"])), new("filter.acl", ExtensionClass.Filter)],
        [Filter(new ExtensionSettings(Pends: [OidCode.NicConnect, OidCode.PortPropertyAdd]))],
        [Filter(new ExtensionSettings(Pends: [OidCode.PortCreate, OidCode.NicDelete, OidCode.NicSave]))],
        [Filter(new ExtensionSettings(Verdicts: [new(OidCode.NicCreate, NdisStatus.Resources, 2), new(OidCode.PortPropertyAdd, NdisStatus.DataNotAccepted, 2)])),
            new("forward.learning", ExtensionClass.Forward)],
        [new("test.verdict", ExtensionClass.Forward, Settings: new ExtensionSettings(Owns: [OidWishes.Owned], AsksRestart: OidCode.NicConnect))],
        [Filter(new ExtensionSettings(Throws: [OidCode.NicUpdated, OidCode.PortTeardown])), new("forward.vlan", ExtensionClass.Forward)],
    ];

    static ExtensionDefinition Filter(ExtensionSettings settings) => new("test.verdict", ExtensionClass.Filter, Settings: settings);

    VmDefinition Definition(string client)
    {
        var nics = 1 + world.Simulator.Luck.Next(client + ".nics", 2);
        return new VmDefinition(HostOf(client), [.. Enumerable.Range(0, nics).Select(number => Nic(client, string.Create(CultureInfo.InvariantCulture, $"eth{number}")))]);
    }

    NicDefinition Nic(string client, string name) => new(
        name, SwitchName, NicType.Synthetic,
        string.Create(CultureInfo.InvariantCulture, $"02:00:00:00:{world.Simulator.Luck.Next(client + ".mac", 250):x2}:{name[^1] - '0':x2}"),
        Properties: world.Options.Wanted.Properties ? Properties(client) : null);

    /// <summary>None, or one of those that are well formed.</summary>
    PropertyParameters[] Properties(string client) => world.Simulator.Luck.Next(client + ".properties", 6) is var which and > 0 ? [OidWishes.Properties[which - 1]] : [];
}
