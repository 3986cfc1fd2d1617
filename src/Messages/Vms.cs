using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>One NIC of a VM's definition.</summary>
/// <param name="Vlan">The short form of a VLAN property in access mode.</param>
/// <param name="Properties">Properties of its port, added before the NIC is created (api.md 3).</param>
/// <param name="RequiredFeatures">What a switch must offer for the NIC to come to it: names or ids of extensions, or features that one owns (switch.md 4.6).</param>
public sealed record NicDefinition(
    string Name, string Switch, NicType Type, string Mac, int Mtu = 1500, int? Vlan = null, NicAttach Attach = NicAttach.Veth,
    IReadOnlyList<PropertyParameters>? Properties = null, IReadOnlyList<string>? RequiredFeatures = null);

/// <summary>What a VM shall be.</summary>
public sealed record VmDefinition(string Host, IReadOnlyList<NicDefinition> Nics);

/// <summary>A stopped VM is defined anew; of a running one the properties of its NICs may change, and are changed then.</summary>
public sealed record DefineVm(VmDefinition Definition) : Command;

/// <summary>Adds a NIC; on a running VM by the ladder of that NIC alone. The answer says that the operation runs.</summary>
public sealed record AddNic(NicDefinition Nic) : Command;

/// <summary>Takes a NIC away; on a running VM by the ladder of that NIC alone, which waits for its drain gate.</summary>
public sealed record RemoveNic(string Name) : Command;

public sealed record DeleteVm : Command;

/// <summary>Runs the start ladder for every NIC; all or nothing. The answer says that the operation runs.</summary>
public sealed record StartVm : Command;

/// <summary>Runs the stop ladder for every NIC. It waits for drain gates as long as they are closed.</summary>
public sealed record StopVm : Command;

/// <summary>The operation was accepted and runs under this id.</summary>
public sealed record OperationRuns(string OperationId) : Reply;

/// <summary>One step of a VM's ladder.</summary>
public enum VmStepKind
{
    CheckHost = 1,
    PortCreate,
    NicCreate,
    NicConnect,
    NicDisconnect,
    NicDrain,
    NicDelete,
    PortTeardown,
    PortDrain,
    PortDelete,
    ReleaseGuest,
    PropertyAdd,
    PropertyUpdate,
    PropertyDelete,
}

/// <summary>A step, and the NIC that it is for (empty for CheckHost and ReleaseGuest).</summary>
/// <param name="Property">Which of the NIC's properties (<see cref="PropertyParameters.Key"/>), for the steps that change one.</param>
public sealed record VmStep(VmStepKind Kind, string Nic, string? Property = null);

public sealed record VmDefined(VmDefinition Definition) : VmEvent;

public sealed record VmDeleted : VmEvent;

/// <summary>A start began. The group epoch rises with each start: its NICs' grants carry it.</summary>
public sealed record VmStartRequested(string OperationId, string MessageId, long Epoch) : VmEvent;

public sealed record VmStepDone(VmStep Step) : VmEvent;

/// <summary>A step was refused: what was done is undone, newest first.</summary>
public sealed record VmStartUndoing(VmStep Step, Refusal Refusal) : VmEvent;

public sealed record VmStarted(string OperationId) : VmEvent;

/// <summary>The start was refused and undone; the VM is stopped as before.</summary>
public sealed record VmStartRefused(string OperationId, Refusal Refusal) : VmEvent;

public sealed record VmStopRequested(string OperationId, string MessageId) : VmEvent;

public sealed record VmStopped(string OperationId) : VmEvent
{
    /// <summary>What could not be taken down, and why; null: all was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Refusal? Problem { get; init; }
}

/// <summary>A change of the NICs began: vm.nic.add, vm.nic.remove, or vm.update of their properties.</summary>
/// <param name="Target">What the VM shall be.</param>
public sealed record VmChangeRequested(string OperationId, string MessageId, string Kind, VmDefinition Target) : VmEvent;

/// <summary>A step of a change was refused: what was done of it is undone, newest first.</summary>
public sealed record VmChangeUndoing(VmStep Step, Refusal Refusal) : VmEvent;

/// <summary>The change is done: this is what the VM is now.</summary>
public sealed record VmChanged(string OperationId, VmDefinition Definition) : VmEvent;

/// <summary>The change was refused and undone; the VM is as before.</summary>
public sealed record VmChangeRefused(string OperationId, Refusal Refusal) : VmEvent;

/// <summary>A step of a stop was refused for another reason than a closed gate; the step counts as done when its object is gone.</summary>
public sealed record VmStepSkipped(VmStep Step, Refusal Refusal) : VmEvent;

/// <summary>The gate closed again before the DELETE arrived; the VM waits for it once more.</summary>
public sealed record VmStepDeferred(VmStep Step) : VmEvent
{
    /// <summary>A peer has connected the NIC meanwhile: NIC_DISCONNECT comes before the wait.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Disconnect { get; init; }
}

/// <summary>What happens to a VM.</summary>
public abstract record VmEvent : Event
{
    private protected VmEvent()
    {
    }
}
