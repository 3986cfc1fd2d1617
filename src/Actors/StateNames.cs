using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors;

/// <summary>
/// Stored names of states, for snapshots and read tables. A state whose shape changed gets the next version; an older
/// snapshot is then unreadable and the entity recovers from its events alone, and a read table is built again.
/// </summary>
public static class StateNames
{
    static readonly FrozenDictionary<string, (string Name, Type Type)> ByKind = new Dictionary<string, (string, Type)>
    {
        ["bridge"] = ("BridgeState.1", typeof(BridgeState)),
        ["switch"] = ("SwitchState.1", typeof(SwitchState)),
        ["port"] = ("PortState.2", typeof(PortState)),
        ["nic"] = ("NicState.2", typeof(NicState)),
        ["vm"] = ("VmState.2", typeof(VmState)),
        ["migration"] = ("MigrationState.1", typeof(MigrationState)),
    }.ToFrozenDictionary();

    /// <summary>States hold words (a command on an errand) whose converter asks for types of its own.</summary>
    static readonly JsonSerializerOptions Json = new(StatesJson.Default.Options)
    {
        TypeInfoResolver = JsonTypeInfoResolver.Combine(StatesJson.Default, WordsJson.Default),
    };

    /// <summary>The stored name of the states of a kind of entity.</summary>
    public static string Of(EntityId id) => ByKind[id.Kind].Name;

    public static byte[] Encode(EntityId id, object state) => JsonSerializer.SerializeToUtf8Bytes(state, Json.GetTypeInfo(ByKind[id.Kind].Type));

    /// <summary>Reads a state; throws <see cref="JsonException"/> if the name is not this release's or the body does not parse.</summary>
    public static object Decode(EntityId id, string name, ReadOnlySpan<byte> body) =>
        name == Of(id)
            ? JsonSerializer.Deserialize(body, Json.GetTypeInfo(ByKind[id.Kind].Type)) ?? throw new JsonException($"{name} is null")
            : throw new JsonException($"the state name {name} is not known to this release");
}

/// <summary>Source-generated JSON of the states. Metadata only: the fast path would hand words this context, which has not all of them.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(BridgeState))]
[JsonSerializable(typeof(SwitchState))]
[JsonSerializable(typeof(PortState))]
[JsonSerializable(typeof(NicState))]
[JsonSerializable(typeof(VmState))]
[JsonSerializable(typeof(MigrationState))]
[JsonSerializable(typeof(PortState.Absent), TypeInfoPropertyName = "PortStateAbsent")]
[JsonSerializable(typeof(PortState.Creating), TypeInfoPropertyName = "PortStateCreating")]
[JsonSerializable(typeof(PortState.Created), TypeInfoPropertyName = "PortStateCreated")]
[JsonSerializable(typeof(PortState.TearingDown), TypeInfoPropertyName = "PortStateTearingDown")]
[JsonSerializable(typeof(PortState.TornDown), TypeInfoPropertyName = "PortStateTornDown")]
[JsonSerializable(typeof(PortState.Deleting), TypeInfoPropertyName = "PortStateDeleting")]
[JsonSerializable(typeof(NicState.Absent), TypeInfoPropertyName = "NicStateAbsent")]
[JsonSerializable(typeof(NicState.Creating), TypeInfoPropertyName = "NicStateCreating")]
[JsonSerializable(typeof(NicState.Created), TypeInfoPropertyName = "NicStateCreated")]
[JsonSerializable(typeof(NicState.Connecting), TypeInfoPropertyName = "NicStateConnecting")]
[JsonSerializable(typeof(NicState.Connected), TypeInfoPropertyName = "NicStateConnected")]
[JsonSerializable(typeof(NicState.Disconnecting), TypeInfoPropertyName = "NicStateDisconnecting")]
[JsonSerializable(typeof(NicState.Disconnected), TypeInfoPropertyName = "NicStateDisconnected")]
[JsonSerializable(typeof(NicState.Deleting), TypeInfoPropertyName = "NicStateDeleting")]
[JsonSerializable(typeof(SwitchState.Absent), TypeInfoPropertyName = "SwitchStateAbsent")]
[JsonSerializable(typeof(SwitchState.Here), TypeInfoPropertyName = "SwitchStateHere")]
[JsonSerializable(typeof(VmState.Undefined), TypeInfoPropertyName = "VmStateUndefined")]
[JsonSerializable(typeof(VmState.Stopped), TypeInfoPropertyName = "VmStateStopped")]
[JsonSerializable(typeof(VmState.Starting), TypeInfoPropertyName = "VmStateStarting")]
[JsonSerializable(typeof(VmState.Undoing), TypeInfoPropertyName = "VmStateUndoing")]
[JsonSerializable(typeof(VmState.Running), TypeInfoPropertyName = "VmStateRunning")]
[JsonSerializable(typeof(VmState.Changing), TypeInfoPropertyName = "VmStateChanging")]
[JsonSerializable(typeof(VmState.Stopping), TypeInfoPropertyName = "VmStateStopping")]
[JsonSerializable(typeof(VmState.Migrating), TypeInfoPropertyName = "VmStateMigrating")]
[JsonSerializable(typeof(MigrationState.Unknown), TypeInfoPropertyName = "MigrationStateUnknown")]
[JsonSerializable(typeof(MigrationState.Moving), TypeInfoPropertyName = "MigrationStateMoving")]
[JsonSerializable(typeof(MigrationState.Aborting), TypeInfoPropertyName = "MigrationStateAborting")]
[JsonSerializable(typeof(MigrationState.Returning), TypeInfoPropertyName = "MigrationStateReturning")]
[JsonSerializable(typeof(MigrationState.Ended), TypeInfoPropertyName = "MigrationStateEnded")]
[JsonSerializable(typeof(Executed[]))]
[JsonSerializable(typeof(Poison))]
[JsonSerializable(typeof(Dictionary<string, Origin>))]
public sealed partial class StatesJson : JsonSerializerContext;
