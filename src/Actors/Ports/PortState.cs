using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports;

/// <summary>A port's state: one case for each state of its life (switch.md 3.1). The cases hold what exists only then.</summary>
/// <param name="Incarnations">How many ports have had this name; the present one is the last.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "phase")]
[JsonDerivedType(typeof(Absent), "absent")]
[JsonDerivedType(typeof(Creating), "creating")]
[JsonDerivedType(typeof(Created), "created")]
[JsonDerivedType(typeof(TearingDown), "tearing-down")]
[JsonDerivedType(typeof(TornDown), "torn-down")]
[JsonDerivedType(typeof(Deleting), "deleting")]
public abstract record PortState(EntityId Id, int Incarnations)
{
    /// <summary>No port of this name.</summary>
    public sealed record Absent(EntityId Id, int Incarnations) : PortState(Id, Incarnations);

    /// <summary>PORT_CREATE is with the data path; the port does not exist yet.</summary>
    public sealed record Creating(EntityId Id, int Incarnations, PortBody Body, OpenOid Oid) : PortState(Id, Incarnations);

    /// <summary>
    /// The port exists. <paramref name="Oid"/> is a NIC_CREATE or NIC_DELETE, or a change of a property, that its NIC has
    /// not settled yet.
    /// </summary>
    /// <param name="Proposal">The property, where the OID changes one.</param>
    public sealed record Created(EntityId Id, int Incarnations, PortBody Body, OpenOid? Oid, PortProposal? Proposal = null)
        : PortState(Id, Incarnations);

    /// <summary>PORT_TEARDOWN was received and is with the data path: no new references, no NICs.</summary>
    public sealed record TearingDown(EntityId Id, int Incarnations, PortBody Body, OpenOid Oid) : PortState(Id, Incarnations);

    /// <summary>PORT_TEARDOWN is completed: PORT_DELETE may come when the gate is open.</summary>
    public sealed record TornDown(EntityId Id, int Incarnations, PortBody Body) : PortState(Id, Incarnations);

    /// <summary>PORT_DELETE is with the data path.</summary>
    public sealed record Deleting(EntityId Id, int Incarnations, PortBody Body, OpenOid Oid) : PortState(Id, Incarnations);

    /// <summary>The port as far as there is one.</summary>
    [JsonIgnore]
    public PortBody? BodyOrNull => this switch
    {
        Creating s => s.Body,
        Created s => s.Body,
        TearingDown s => s.Body,
        TornDown s => s.Body,
        Deleting s => s.Body,
        _ => null,
    };

    /// <summary>The state's name in the documentation of the switch (switch.md 3.1).</summary>
    [JsonIgnore]
    public string Name => this switch
    {
        Created => "Created",
        TearingDown or TornDown or Deleting => "TearingDown",
        _ => "NotCreated",
    };
}

/// <summary>What a port has besides its state.</summary>
/// <param name="Nics">The NICs on it by index: only external ports have others than 0.</param>
/// <param name="Properties">Its properties by their identity (switch.md 2.5).</param>
public sealed record PortBody(
    EntityId Switch,
    uint PortId,
    PortParameters Parameters,
    ImmutableSortedDictionary<int, EntityId> Nics,
    ImmutableSortedDictionary<string, PortProperty> Properties,
    Drain Drain)
{
    /// <summary>The session in which the host made it; 0 in what was stored before this was.</summary>
    public long SeenIn { get; init; }
}

/// <summary>A property that holds.</summary>
/// <param name="EnforcedBy">The extension that enforces it, or the miniport edge; null: nobody does (V15).</param>
public sealed record PortProperty(PropertyParameters Parameters, string? EnforcedBy);

/// <summary>A property on its way to the NIC, with the whole policy that it would make.</summary>
public sealed record PortProposal(PropertyParameters Property, string? EnforcedBy, PortPolicy Policy);
