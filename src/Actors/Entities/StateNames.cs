using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// The names under which states are kept in snapshots. A changed shape gets the next number and no up-caster: a snapshot
/// that cannot be read is left aside, and the events tell the same.
/// </summary>
public static class StateNames
{
    static readonly ImmutableArray<(string Name, Type Type, JsonSerializerOptions Json)> Known =
    [
        ("PortState.1", typeof(PortState), Words(PortStateJson.Default)),
        ("NicState.1", typeof(NicState), Words(NicStateJson.Default)),
        ("SwitchState.1", typeof(SwitchState), Words(SwitchStateJson.Default)),
    ];

    public static string Of(object state) => Entry(state).Name;

    public static byte[] Encode(object state)
    {
        var (_, type, json) = Entry(state);
        return JsonSerializer.SerializeToUtf8Bytes(state, json.GetTypeInfo(type));
    }

    /// <summary>Throws <see cref="JsonException"/> if the name is not known or the body does not parse.</summary>
    public static object Decode(string name, ReadOnlySpan<byte> body)
    {
        foreach (var (known, type, json) in Known)
        {
            if (known == name)
            {
                return JsonSerializer.Deserialize(body, json.GetTypeInfo(type)) ?? throw new JsonException($"{name} is null");
            }
        }
        throw new JsonException($"the state {name} is not known to this release");
    }

    static (string Name, Type Type, JsonSerializerOptions Json) Entry(object state)
    {
        foreach (var entry in Known)
        {
            if (entry.Type.IsInstanceOfType(state))
            {
                return entry;
            }
        }
        throw new InvalidOperationException($"{state.GetType().Name} has no stored name");
    }

    /// <summary>States hold words (a command on an errand), whose converters look for their own types.</summary>
    static JsonSerializerOptions Words(JsonSerializerContext states) => new(WordsJson.Default.Options)
    {
        TypeInfoResolver = JsonTypeInfoResolver.Combine(states, WordsJson.Default),
    };
}

// One context for each state: their cases have the same names.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(PortState))]
sealed partial class PortStateJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(NicState))]
sealed partial class NicStateJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SwitchState))]
sealed partial class SwitchStateJson : JsonSerializerContext;
