using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Vms;

/// <summary>What may become of a VM's definition, stopped and running: a NIC more, a NIC less, other properties.</summary>
static class VmChanges
{
    public const string Add = "vm.nic.add";
    public const string Remove = "vm.nic.remove";
    public const string Update = "vm.update";

    public static Refusal? Refusal(VmDefinition definition)
    {
        var nics = definition.Nics;
        if (nics.Count > VmLifecycle.NicsMax)
        {
            return new Refusal(RefusalKind.Unprocessable, "vm.nics.many", $"A VM has at most {VmLifecycle.NicsMax} NICs.", Field: "nics");
        }
        if (nics.Select(nic => nic.Name).Distinct(StringComparer.Ordinal).Count() != nics.Count)
        {
            return new Refusal(RefusalKind.Unprocessable, "vm.nics.twice", "Two NICs have one name.", Field: "nics");
        }
        return nics.Select((nic, at) => NicProperties.Refusal(nic, $"nics[{at}]")).FirstOrDefault(wrong => wrong is not null);
    }

    /// <summary>PUT of a running VM: properties of its NICs change now, anything else needs a stop, or an add and a remove.</summary>
    public static Decision<VmEvent> Redefine(VmState.Running s, VmDefinition target, string operation, in Turn turn)
    {
        if (Refusal(target) is { } wrong)
        {
            return Decision<VmEvent>.Refuse(wrong);
        }
        if (!OnlyProperties(s.Definition, target))
        {
            return VmLifecycle.Illegal(s, "define", "Stop it first, or add and remove its NICs one by one; only vlan and properties change while it runs.");
        }
        if (target.Nics.FirstOrDefault(nic => NicProperties.Replaces(s.Definition.Nics.First(known => known.Name == nic.Name), nic)) is { } replaced)
        {
            return VmLifecycle.Illegal(s, "define",
                $"A property of {replaced.Name} would be replaced by another instance or version, with a moment without either; keep instance and version, or stop it first.");
        }
        return Steps(s.Definition, target).Length == 0
            ? Decision<VmEvent>.Accept(new Done(), new VmChangeRequested(operation, turn.MessageId, Update, target), new VmChanged(operation, target))
            : Decision<VmEvent>.Accept(null, new VmChangeRequested(operation, turn.MessageId, Update, target));
    }

    public static Decision<VmEvent> AddNic(VmState state, VmDefinition definition, NicDefinition nic, string operation, in Turn turn)
    {
        if (definition.Nics.Any(known => known.Name == nic.Name))
        {
            return Decision<VmEvent>.Refuse(Messages.Refusal.Illegal("vm.nic.exists", $"The VM has a NIC {nic.Name}.", "switch.md 1.4", state.Name));
        }
        var target = definition with { Nics = [.. definition.Nics, nic] };
        // The fields of this request are the NIC's own.
        if ((Refusal(definition with { Nics = [.. definition.Nics, nic with { Vlan = null, Properties = null }] }) ?? NicProperties.Refusal(nic, "nic")) is { } wrong)
        {
            return Decision<VmEvent>.Refuse(wrong with { Field = wrong.Field?.Replace("nic.", "", StringComparison.Ordinal) });
        }
        return state switch
        {
            VmState.Stopped => Defined(operation, Add, target, turn),
            _ when nic.Type == NicType.Emulated => Decision<VmEvent>.Refuse(Messages.Refusal.Illegal(
                "vm.nic.emulated", "An emulated NIC is added to a stopped VM only.", "switch.md 5.2", state.Name)),
            _ => Decision<VmEvent>.Accept(null, new VmChangeRequested(operation, turn.MessageId, Add, target)),
        };
    }

    public static Decision<VmEvent> RemoveNic(VmState state, VmDefinition definition, string name, string operation, in Turn turn)
    {
        if (definition.Nics.All(known => known.Name != name))
        {
            return Decision<VmEvent>.Refuse(new Refusal(RefusalKind.NotFound, "nic.absent", $"The VM has no NIC {name}."));
        }
        var target = definition with { Nics = [.. definition.Nics.Where(nic => nic.Name != name)] };
        return state is VmState.Stopped
            ? Defined(operation, Remove, target, turn)
            : Decision<VmEvent>.Accept(new OperationRuns(operation), new VmChangeRequested(operation, turn.MessageId, Remove, target));
    }

    /// <summary>A stopped VM has nothing to do but to know it.</summary>
    static Decision<VmEvent> Defined(string operation, string kind, VmDefinition target, in Turn turn) => Decision<VmEvent>.Accept(
        new OperationRuns(operation), new VmChangeRequested(operation, turn.MessageId, kind, target), new VmChanged(operation, target));

    /// <summary>The ladder from one definition to the other.</summary>
    public static ImmutableArray<VmStep> Steps(VmDefinition before, VmDefinition after)
    {
        var gone = before.Nics.Where(nic => Find(after, nic.Name) is null).SelectMany(VmSteps.Down);
        var constructive = before.Nics.SelectMany(nic => Find(after, nic.Name) is { } kept ? NicProperties.Steps(nic, kept) : [])
            .Concat(after.Nics.Where(nic => Find(before, nic.Name) is null).SelectMany(VmSteps.Up)).ToList();
        return constructive.Count == 0 ? [.. gone] : [new VmStep(VmStepKind.CheckHost, ""), .. gone, .. constructive];
    }

    /// <summary>What undoes the steps done: of a NIC that was new all of it, of one that was there its properties.</summary>
    public static ImmutableArray<VmStep> Undo(VmDefinition before, ImmutableArray<VmStep> done) =>
    [
        .. done.Reverse().SelectMany(step => (step.Kind, Known: Find(before, step.Nic) is not null) switch
        {
            (VmStepKind.PropertyAdd, true) => [step with { Kind = VmStepKind.PropertyDelete }],
            (VmStepKind.PropertyUpdate, true) => [step],
            (VmStepKind.PropertyDelete, true) => [step with { Kind = VmStepKind.PropertyAdd }],
            _ => VmSteps.UndoOf(step),
        }),
    ];

    /// <summary>A refusal of these ends the change; the steps of a removal wait or go on, as in a stop.</summary>
    public static bool Constructive(VmStepKind kind) => kind is VmStepKind.CheckHost or VmStepKind.PortCreate or VmStepKind.NicCreate
        or VmStepKind.NicConnect or VmStepKind.PropertyAdd or VmStepKind.PropertyUpdate or VmStepKind.PropertyDelete;

    static NicDefinition? Find(VmDefinition definition, string name) => definition.Nics.FirstOrDefault(nic => nic.Name == name);

    /// <summary>Its required features are looked at when it moves, and change nothing before.</summary>
    static bool OnlyProperties(VmDefinition before, VmDefinition after) =>
        before.Host == after.Host && before.Nics.Select(Bare).SequenceEqual(after.Nics.Select(Bare));

    static NicDefinition Bare(NicDefinition nic) => nic with { Vlan = null, Properties = null, RequiredFeatures = null };
}
