using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Messages;

/// <summary>
/// Writes a word of an open family as {"name": its stored name, "body": itself}. Words are always written by
/// <see cref="WordsJson"/>, also inside a state that another context writes.
/// </summary>
public sealed class NamedJson<T> : JsonConverter<T>
    where T : class
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var name = document.RootElement.GetProperty("name").GetString() ?? throw new JsonException("no stored name");
        var type = StoredNames.TypeOf(name) ?? throw new JsonException($"the stored name {name} is not known to this release");
        return document.RootElement.GetProperty("body").Deserialize(WordsJson.Default.Options.GetTypeInfo(type)) as T
            ?? throw new JsonException($"{name} is no {typeof(T).Name}");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("name", StoredNames.Of(value));
        writer.WritePropertyName("body");
        JsonSerializer.Serialize(writer, value, WordsJson.Default.Options.GetTypeInfo(value.GetType()));
        writer.WriteEndObject();
    }
}
