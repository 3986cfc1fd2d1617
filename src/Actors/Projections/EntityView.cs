using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Projections;

/// <summary>
/// What the read tables know of one entity: the fold of its events by its lifecycle's own Evolve, so that a view can
/// never say anything else than the entity itself. A view of a past time is the same fold, stopped earlier.
/// </summary>
/// <param name="Revision">Counts changes of the state, as the entity does.</param>
/// <param name="Updated">The last change; a request that was refused or found nothing to do is none.</param>
public sealed record EntityView(
    EntityId Id, long Sequence, long Revision, DateTimeOffset Created, DateTimeOffset Updated, object State, ViewNotes Notes)
{
    public static EntityView New(EntityId id) =>
        new(id, 0, 0, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, InitialState(id), ViewNotes.None);

    /// <summary>The view after the entity's next event; throws <see cref="CorruptHistoryException"/> if that event cannot follow.</summary>
    public EntityView After(StoredEvent row)
    {
        if (row.Sequence != Sequence + 1)
        {
            throw new CorruptHistoryException($"{Id}: event {row.Sequence} follows event {Sequence}");
        }
        var next = this with { Sequence = row.Sequence, Created = Sequence == 0 ? row.At : Created };
        switch (row.Event)
        {
            case Parked parked:
                return next with { Updated = row.At, Notes = Notes with { Poison = new Poison(parked.PoisonMessageId, parked.Error) } };
            case Unparked:
                return next with { Updated = row.At, Notes = Notes with { Poison = null } };
            case RequestRefused or RequestNoted:
                return next;
            case IBookkeeping and Event kept:
                return next with { State = Evolve(State, kept) };
            case var happened:
                var state = Evolve(State, happened);
                return next with { Updated = row.At, State = state, Revision = Revision + 1, Notes = Notes.After(happened, state, row.At) };
        }
    }

    /// <summary>There is no such thing (any more); its history stays.</summary>
    public bool Gone => State is PortState.Absent or NicState.Absent or SwitchState.Absent or VmState.Undefined
        or MigrationState.Unknown or BridgeState { Removed: true };

    /// <summary>The host that it is on, as far as it is on one.</summary>
    public string? Host => State switch
    {
        NicState nic => nic.BodyOrNull?.Place.Host,
        VmState vm => vm.DefinitionOrNull?.Host,
        MigrationState => null, // it is about two
        _ => Id.Parts[0],
    };

    /// <summary>The switch that it is on.</summary>
    public EntityId? Switch => State switch
    {
        PortState => EntityId.Switch(Id.Parts[0], Id.Parts[1]),
        NicState { BodyOrNull.Place: { } place } => EntityId.Switch(place.Host, place.Switch),
        _ => null,
    };

    /// <summary>The entity still owes something to the world: after a restart it has to be woken, as nobody may ask it.</summary>
    public bool HasOpenWork => State switch
    {
        BridgeState s => BridgeLifecycle.Outstanding(s).Any(),
        SwitchState s => SwitchLifecycle.Outstanding(s).Any(),
        PortState s => PortLifecycle.Outstanding(s).Any(),
        NicState s => NicLifecycle.Outstanding(s).Any(),
        VmState s => VmLifecycle.Outstanding(s).Any(),
        MigrationState s => MigrationLifecycle.Outstanding(s).Any(),
        _ => false,
    };

    /// <summary>The device is not as wanted.</summary>
    public bool Drifted => State is NicState { BodyOrNull.Drift: not null };

    static object InitialState(EntityId id) => id.Kind switch
    {
        "bridge" => BridgeLifecycle.Initial(id),
        "switch" => SwitchLifecycle.Initial(id),
        "port" => PortLifecycle.Initial(id),
        "nic" => NicLifecycle.Initial(id),
        "vm" => VmLifecycle.Initial(id),
        "migration" => MigrationLifecycle.Initial(id),
        var kind => throw new CorruptHistoryException($"{kind} is no kind of entity"),
    };

    static object Evolve(object state, Event happened) => (state, happened) switch
    {
        (BridgeState s, BridgeEvent e) => BridgeLifecycle.Evolve(s, e),
        (SwitchState s, SwitchEvent e) => SwitchLifecycle.Evolve(s, e),
        (PortState s, PortEvent e) => PortLifecycle.Evolve(s, e),
        (NicState s, NicEvent e) => NicLifecycle.Evolve(s, e),
        (VmState s, VmEvent e) => VmLifecycle.Evolve(s, e),
        (MigrationState s, MigrationEvent e) => MigrationLifecycle.Evolve(s, e),
        _ => throw new CorruptHistoryException($"{happened.GetType().Name} is no event of a {state.GetType().Name}"),
    };
}

/// <summary>What happened to an entity that its state does not keep, and that an alarm is made of.</summary>
/// <param name="Poison">The message that parked the entity.</param>
/// <param name="Fault">The data path's last fault that nothing has made good since.</param>
/// <param name="Warning">An extension broke its contract since the switch was last defined, or kept a property of a port.</param>
public sealed record ViewNotes(Poison? Poison, ViewFault? Fault, ViewFault? Warning)
{
    public static readonly ViewNotes None = new(null, null, null);

    public static ViewNotes Decode(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, ViewNotesJson.Default.ViewNotes) ?? throw new JsonException("the notes are null");

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ViewNotesJson.Default.ViewNotes);

    public ViewNotes After(Event happened, object state, DateTimeOffset at) => (happened, state) switch
    {
        (NicEdgeFaulted e, _) => this with { Fault = new ViewFault(e.Verb.ToString(), e.Status.Name(), e.Detail, at) },
        (PortEdgeFaulted e, _) => this with { Fault = new ViewFault(e.Verb.ToString(), e.Status.Name(), e.Detail, at) },
        (SwitchNotReady e, _) => this with { Fault = new ViewFault(nameof(DriverVerb.EnsureSwitch), e.Status.Name(), e.Detail, at) },
        (SwitchReady or SwitchDeleted, _) => this with { Fault = null },
        (ExtensionFaulted { Fault: var fault }, _) => this with { Warning = new ViewFault(fault.Extension, fault.Rule, fault.Detail, at) },
        (SwitchDefined, _) => this with { Warning = null },
        // Accepted as a refusal, though the pages disagree whether an extension may (switch.md 8.4): the property is kept.
        (PortPropertyRefused { By.Position: >= 0 } e, _) when e.Oid == OidCode.PortPropertyDelete =>
            this with { Warning = new ViewFault(e.By.Extension, e.By.Status.Name(), null, at) },
        (PortPropertyChanged, _) => this with { Warning = null },
        (_, PortState.Absent) when Warning is not null => this with { Warning = null, Fault = null },
        (_, NicState nic) when Fault is not null && (nic is NicState.Absent || nic.IsReady()) => this with { Fault = null },
        (_, PortState.Absent) when Fault is not null => this with { Fault = null },
        _ => this,
    };
}

/// <summary>Something of the data path or an extension went wrong.</summary>
public sealed record ViewFault(string What, string Status, string? Detail, DateTimeOffset At);

/// <summary>Source-generated JSON of the notes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ViewNotes))]
sealed partial class ViewNotesJson : JsonSerializerContext;

/// <summary>Applied is not accepted (design.md 5).</summary>
public static class Readiness
{
    /// <summary>
    /// The NIC is connected, its revision and its whole policy were read back from the host, and nothing has drifted since.
    /// </summary>
    public static bool IsReady(this NicState nic) =>
        nic is NicState.Connected { Body: { Drift: null, Work: not NicWork.Enforce } body } && body.Applied >= body.Revision
        && (!NicLifecycle.HasDevice(body.Parameters) || NicDevice.Enforces(body.Observed, body.Policy));
}
