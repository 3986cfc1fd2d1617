using System.Collections.Immutable;
using System.Diagnostics;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>The ladders of a VM, what undoes them, and what each step asks of whom.</summary>
static class VmSteps
{
    /// <summary>For each NIC, in the order of the definition (switch.md 3.4).</summary>
    public static ImmutableArray<VmStep> Start(VmDefinition definition) =>
    [
        new VmStep(VmStepKind.CheckHost, ""),
        .. definition.Nics.SelectMany(Up),
    ];

    /// <summary>One NIC: its port, the port's properties, the NIC, its connection (api.md 3, switch.md 3.4 G6).</summary>
    public static IEnumerable<VmStep> Up(NicDefinition nic) =>
    [
        new VmStep(VmStepKind.PortCreate, nic.Name),
        .. NicProperties.Of(nic).Select(property => new VmStep(VmStepKind.PropertyAdd, nic.Name, property.Key)),
        .. Steps(nic.Name, VmStepKind.NicCreate, VmStepKind.NicConnect),
    ];

    /// <summary>One NIC of a VM that goes on without it.</summary>
    public static IEnumerable<VmStep> Down(NicDefinition nic) => [new VmStep(VmStepKind.NicDisconnect, nic.Name), .. AfterDisconnect(nic)];

    static IEnumerable<VmStep> AfterDisconnect(NicDefinition nic) => Steps(
        nic.Name, VmStepKind.NicDrain, VmStepKind.NicDelete, VmStepKind.PortTeardown, VmStepKind.PortDrain, VmStepKind.PortDelete);

    /// <summary>Every gate closes first, so that one NIC that drains slowly keeps no other one open; then each NIC, newest first.</summary>
    public static ImmutableArray<VmStep> Stop(VmDefinition definition) =>
    [
        .. definition.Nics.Reverse().Select(nic => new VmStep(VmStepKind.NicDisconnect, nic.Name)),
        .. definition.Nics.Reverse().SelectMany(AfterDisconnect),
        new VmStep(VmStepKind.ReleaseGuest, ""),
    ];

    /// <summary>Exactly what was done, newest first (switch.md 3.5).</summary>
    public static ImmutableArray<VmStep> Undo(ImmutableArray<VmStep> done, VmStep refused)
    {
        var undo = done.Reverse().SelectMany(UndoOf).ToImmutableArray();
        var touchedGuest = refused.Kind is VmStepKind.NicCreate or VmStepKind.NicConnect || done.Any(step => step.Kind == VmStepKind.NicCreate);
        return touchedGuest ? undo.Add(new VmStep(VmStepKind.ReleaseGuest, "")) : undo;
    }

    /// <summary>What undoes one step. Properties end with their port (switch.md 3.5).</summary>
    public static IEnumerable<VmStep> UndoOf(VmStep step) => step.Kind switch
    {
        VmStepKind.NicConnect => Steps(step.Nic, VmStepKind.NicDisconnect, VmStepKind.NicDrain),
        VmStepKind.NicCreate => Steps(step.Nic, VmStepKind.NicDelete),
        VmStepKind.PortCreate => Steps(step.Nic, VmStepKind.PortTeardown, VmStepKind.PortDrain, VmStepKind.PortDelete),
        _ => [],
    };

    /// <summary>The gate was closed when the DELETE or TEARDOWN arrived: wait for it once more, then try again.</summary>
    public static VmLadder Deferred(VmLadder ladder, VmStepDeferred deferred)
    {
        var step = deferred.Step;
        var wait = new VmStep(step.Kind == VmStepKind.NicDelete ? VmStepKind.NicDrain : VmStepKind.PortDrain, step.Nic);
        VmStep[] first = deferred.Disconnect ? [new VmStep(VmStepKind.NicDisconnect, step.Nic), wait] : [wait];
        return ladder with
        {
            Number = ladder.Number + 1,
            Remaining = ladder.Remaining.InsertRange(0, first),
            Disconnects = ladder.Disconnects + (deferred.Disconnect ? 1 : 0),
        };
    }

    /// <summary>The code with which an operation ends that left a NIC connected.</summary>
    const string StaysConnectedCode = "vm.nic.stays-connected";

    /// <summary>Its NIC_DISCONNECT is refused again and again, which the switch's rules do not know: the ladder does not go round for ever.</summary>
    public static Refusal StaysConnected(VmStep step) => new(
        RefusalKind.Conflict, StaysConnectedCode,
        $"NIC {step.Nic} is connected after {VmLifecycle.DisconnectsMax} NIC_DISCONNECTs and was left as it is: disconnect and delete it as the protocol edge, then its port.",
        "X05");

    /// <summary>The object of a step is gone; or it is not, and the operation's end says so.</summary>
    public static VmLadder Skipped(VmLadder ladder, VmStepSkipped skipped) => ladder.Next(skipped.Step) with
    {
        Problem = ladder.Problem ?? (skipped.Refusal.Code == StaysConnectedCode ? skipped.Refusal : null),
    };

    /// <param name="definitions">Where the NIC and its properties are looked up, in this order.</param>
    public static Effect.Ask Ask(VmState state, ReadOnlySpan<VmDefinition> definitions, VmStep step, string effect)
    {
        var host = definitions[0].Host;
        var vm = state.Id.Parts[0];
        NicDefinition? found = null;
        PropertyParameters? property = null;
        foreach (var definition in definitions)
        {
            var known = definition.Nics.FirstOrDefault(nic => nic.Name == step.Nic);
            found ??= known;
            property ??= step.Property is { } key ? NicProperties.Find(known, key) : null;
        }
        if (found is not { } nic)
        {
            return new Effect.Ask(effect, EntityId.Bridge(host), step.Kind == VmStepKind.CheckHost
                ? new CheckHost()
                : new IssueCommand(new DriverCommand($"{state.Id}>{effect}", DriverVerb.ReleaseGuest, "", Vm: vm)));
        }
        var portName = PortName(vm, nic);
        return step.Kind switch
        {
            VmStepKind.NicDrain => new Effect.Ask(effect, EntityId.Nic(vm, nic.Name), new AwaitDrain()),
            VmStepKind.PortDrain => new Effect.Ask(
                effect, EntityId.Port(host, nic.Switch, Names.PortOf(vm, nic.Name)), new AwaitDrain()),
            _ => new Effect.Ask(effect, EntityId.Switch(host, nic.Switch), new SubmitOid(
                new OidRequest($"{state.Id}>{effect}", OidOf(step.Kind), 0, 0, property ?? Parameters(state, vm, nic, portName, step.Kind)) { PortName = portName },
                FromPeer: false)),
        };
    }

    static OidCode OidOf(VmStepKind kind) => kind switch
    {
        VmStepKind.PortCreate => OidCode.PortCreate,
        VmStepKind.NicCreate => OidCode.NicCreate,
        VmStepKind.NicConnect => OidCode.NicConnect,
        VmStepKind.NicDisconnect => OidCode.NicDisconnect,
        VmStepKind.NicDelete => OidCode.NicDelete,
        VmStepKind.PortTeardown => OidCode.PortTeardown,
        VmStepKind.PortDelete => OidCode.PortDelete,
        VmStepKind.PropertyAdd => OidCode.PortPropertyAdd,
        VmStepKind.PropertyUpdate => OidCode.PortPropertyUpdate,
        VmStepKind.PropertyDelete => OidCode.PortPropertyDelete,
        _ => throw new UnreachableException(kind.ToString()),
    };

    static OidParameters? Parameters(VmState state, string vm, NicDefinition nic, string portName, VmStepKind kind) => kind switch
    {
        VmStepKind.PortCreate => new PortParameters(
            portName, portName, nic.Type == NicType.Emulated ? PortType.Emulated : PortType.Synthetic),
        VmStepKind.NicCreate => Nic(vm, nic, state.Epoch),
        _ => null,
    };

    /// <summary>The name of the NIC's port, wherever it is.</summary>
    public static string PortName(string vm, NicDefinition nic) => $"{vm}--{nic.Name}";

    /// <summary>What NIC_CREATE says of it.</summary>
    /// <param name="epoch">The group epoch, which its grant carries.</param>
    public static NicParameters Nic(string vm, NicDefinition nic, long epoch) => new(
        PortName(vm, nic), nic.Type, vm, Mtu: nic.Mtu, PermanentMacAddress: nic.Mac, CurrentMacAddress: nic.Mac,
        Flags: nic.Type == NicType.Synthetic ? ["NicInitializing"] : null, Attach: nic.Attach, Epoch: epoch);

    /// <summary>Why an OID did not succeed; null: it did.</summary>
    public static Refusal? RefusalOf(OidOutcome outcome) => outcome.Status == NdisStatus.Success
        ? null
        : new Refusal(RefusalKind.Conflict, "oid.refused",
            $"{outcome.Oid} was refused with {outcome.Status.Name()} by {outcome.RefusedBy?.Extension ?? "nobody"} at position {outcome.RefusedBy?.Position}."
                + (outcome.RefusedBy?.Detail is { } detail ? $" {detail}" : ""),
            "switch.md 3.5", outcome.PortState, outcome.RefusedBy?.Field);

    static VmStep[] Steps(string nic, params VmStepKind[] kinds) => [.. kinds.Select(kind => new VmStep(kind, nic))];
}
