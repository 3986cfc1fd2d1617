using System.Globalization;
using System.Text.Json;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>
/// One JSON object of a property's value, read strictly. The first thing that is wrong is kept as the fault, and every
/// later question answers null, so that a reader asks for its fields in one go and looks at <see cref="Fault"/> once.
/// </summary>
sealed class ValueFields
{
    readonly JsonElement _object;
    readonly string _path;
    readonly string _rule;
    readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    public ValueFields(JsonElement? value, string path, string rule)
    {
        (_path, _rule) = (path, rule);
        if (value is not { ValueKind: JsonValueKind.Object } given)
        {
            Wrong("", "is an object");
            return;
        }
        _object = given;
    }

    public PropertyFault? Fault { get; private set; }

    public int? Number(string name, int min, int max) => (int?)Long(name, min, max);

    public long? Long(string name, long min, long max)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= min && number <= max)
        {
            return number;
        }
        Wrong(name, string.Create(CultureInfo.InvariantCulture, $"is a whole number from {min} to {max}"));
        return null;
    }

    public bool? Truth(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }
        Wrong(name, "is true or false");
        return null;
    }

    public string? Text(string name, int max)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= max)
        {
            return text;
        }
        Wrong(name, $"is a text of at most {max} characters");
        return null;
    }

    /// <summary>One of some words, whatever their case.</summary>
    public T? Word<T>(string name, params ReadOnlySpan<(string Word, T Value)> words)
        where T : struct
    {
        if (Find(name) is not { } value)
        {
            return null;
        }
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var known = new List<string>();
        foreach (var (word, meaning) in words)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                return meaning;
            }
            known.Add(word);
        }
        Wrong(name, $"is one of {string.Join(", ", known)}");
        return null;
    }

    /// <summary>The field as it is; null when it is not given.</summary>
    public JsonElement? Find(string name)
    {
        _asked.Add(name);
        return Fault is null && _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public void Require(bool there, string name, string what = "is needed")
    {
        if (!there)
        {
            Wrong(name, what);
        }
    }

    /// <summary>Fields that nobody asked for are refused.</summary>
    public PropertyFault? Done()
    {
        foreach (var field in Fault is null ? [.. _object.EnumerateObject()] : Array.Empty<JsonProperty>())
        {
            if (!_asked.Contains(field.Name))
            {
                Wrong(field.Name, "is no field of this property here");
            }
        }
        return Fault;
    }

    public void Wrong(string name, string what)
    {
        var field = name.Length == 0 ? _path : $"{_path}.{name}";
        Fault ??= PropertyFault.Wrong(field, _rule, $"{field} {what}.");
    }
}
