using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Cli.Output;

/// <summary>A migration for people: of the steps of a NIC how many are done, and the one that is under way.</summary>
static class MigrationText
{
    public static JsonElement? Plain(JsonElement? migration)
    {
        if (migration is not { ValueKind: JsonValueKind.Object } given)
        {
            return migration;
        }
        var plain = JsonNode.Parse(given.GetRawText())!.AsObject();
        foreach (var strand in Strands(plain))
        {
            var (done, now) = (strand["done"] as JsonArray, strand["remaining"] as JsonArray);
            strand["done"] = done?.Count ?? 0;
            strand["remaining"] = now?.Count ?? 0;
            strand["now"] = now is [JsonObject step, ..] ? Step(step) : "";
        }
        return JsonSerializer.SerializeToElement(plain);
    }

    /// <summary>How far one NIC has come: the step that is under way, or what keeps it.</summary>
    public static string Now(JsonElement nic) =>
        Text(nic, "nowhere", "code") is { } nowhere ? $"nowhere: {nowhere}"
        : Array(nic, "remaining") is [{ ValueKind: JsonValueKind.Object } step, ..] ? Step(JsonNode.Parse(step.GetRawText())!.AsObject())
        : "waits for the others";

    /// <summary>Steps of the present stage that are left.</summary>
    public static int Left(JsonElement nic) => Array(nic, "remaining").Count;

    public static string? Text(JsonElement at, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (at.ValueKind is not JsonValueKind.Object || !at.TryGetProperty(name, out at))
            {
                return null;
            }
        }
        return at.ValueKind is JsonValueKind.String ? at.GetString() : null;
    }

    public static IReadOnlyList<JsonElement> Array(JsonElement thing, string name) =>
        thing.ValueKind is JsonValueKind.Object && thing.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array
            ? [.. list.EnumerateArray()]
            : [];

    static IEnumerable<JsonObject> Strands(JsonObject migration) =>
        (migration["nics"] as JsonArray ?? []).Append(migration["group"]).OfType<JsonObject>();

    static string Step(JsonObject step) => $"{step["step"]} at the {step["side"]}{(step["validation"] is null ? "" : " (validation port)")}";
}
