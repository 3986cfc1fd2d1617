using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Net.Http.Headers;

namespace ControlPlane.Host.Api.Requests;

/// <summary>
/// One JSON object of a request, read strictly: a field is of its type or it is refused, and <see cref="Done"/> refuses
/// what nobody asked for, by name. A field that is null counts as not given.
/// </summary>
sealed class Body
{
    public const int BytesMax = 1024 * 1024;

    /// <summary>A body that comes slower than this is not waited for.</summary>
    public const int BytesPerSecondMin = 240;

    const int DepthMax = 32;

    static readonly JsonDocumentOptions Strict = new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };

    public static readonly Problem WrongType = new(
        StatusCodes.Status415UnsupportedMediaType, "body.type", "The media type is not known here.", "The body is application/json in UTF-8.");

    readonly JsonElement _object;
    readonly string _path;
    readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    Body(JsonElement @object, string path)
    {
        _object = @object;
        _path = path;
    }

    public JsonElement Json => _object;

    public static async Task<Body> Read(HttpContext http)
    {
        var element = await Parse(http) ?? throw Malformed("body.missing", "A JSON object is needed as the body.");
        return element.ValueKind == JsonValueKind.Object
            ? new Body(element, "")
            : throw Malformed("body.object", "The body is a JSON object.");
    }

    /// <summary>For requests that need no body: none, or an empty object.</summary>
    public static async Task<Body?> ReadOptional(HttpContext http)
    {
        var request = http.Request;
        return request.ContentLength is null or 0 && request.Headers.TransferEncoding.Count == 0 ? null : await Read(http);
    }

    public string Text(string name, int max) => TextOrNull(name, max) ?? throw Missing(name);

    public string? TextOrNull(string name, int max)
    {
        if (Find(name, JsonValueKind.String) is not { } value)
        {
            return null;
        }
        var text = value.GetString()!;
        return text.Length <= max ? text : throw Wrong("field.long", $"{Path(name)} has at most {max} characters.", name);
    }

    /// <summary>A name of ours, by the rule for names.</summary>
    public string Name(string name, string kind) => ApiNames.Check(Text(name, int.MaxValue), kind, Path(name));

    /// <summary>A name that a peer brings: any string, bounded, without control characters.</summary>
    public string? PeerNameOrNull(string name) => TextOrNull(name, ApiNames.PeerNameMax) is { } text
        ? text.Any(char.IsControl) ? throw Malformed("name.control", $"{Path(name)} has a control character.", Path(name)) : text
        : null;

    public long? NumberOrNull(string name, long min, long max)
    {
        if (Find(name, JsonValueKind.Number) is not { } value)
        {
            return null;
        }
        var text = value.GetRawText();
        if (text.AsSpan().TrimStart('-').ContainsAnyExceptInRange('0', '9'))
        {
            throw Malformed("field.type", $"{Path(name)} is a whole number.", Path(name));
        }
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw Wrong("field.range", $"{Path(name)} is from {min} to {max}.", name);
    }

    public long Number(string name, long min, long max) => NumberOrNull(name, min, max) ?? throw Missing(name);

    public bool? TruthOrNull(string name) => Find(name, JsonValueKind.True, JsonValueKind.False) is { } value ? value.ValueKind == JsonValueKind.True : null;

    public Body? ObjectOrNull(string name) => Find(name, JsonValueKind.Object) is { } value ? new Body(value, Path(name)) : null;

    public IReadOnlyList<Body>? ObjectsOrNull(string name, int max)
    {
        if (Find(name, JsonValueKind.Array) is not { } array)
        {
            return null;
        }
        if (array.GetArrayLength() > max)
        {
            throw Wrong("field.many", $"{Path(name)} has at most {max} items.", name);
        }
        return [.. array.EnumerateArray().Select((item, at) => item.ValueKind == JsonValueKind.Object
            ? new Body(item, $"{Path(name)}[{at}]")
            : throw Malformed("field.type", $"{Path(name)}[{at}] is an object.", $"{Path(name)}[{at}]"))];
    }

    public IReadOnlyList<string>? TextsOrNull(string name, int itemsMax, int max)
    {
        if (Find(name, JsonValueKind.Array) is not { } array)
        {
            return null;
        }
        return array.GetArrayLength() > itemsMax
            ? throw Wrong("field.many", $"{Path(name)} has at most {itemsMax} items.", name)
            : [.. array.EnumerateArray().Select(item => item.ValueKind != JsonValueKind.String
                ? throw Malformed("field.type", $"{Path(name)} is an array of strings.", Path(name))
                : item.GetString() is { } text && text.Length <= max ? text : throw Wrong("field.long", $"An item of {Path(name)} is too long.", name))];
    }

    /// <summary>One of some words; another word is well formed but wrong.</summary>
    public T? ChoiceOrNull<T>(string name, params ReadOnlySpan<(string Word, T Value)> choices)
        where T : struct
    {
        if (Find(name, JsonValueKind.String) is not { } value)
        {
            return null;
        }
        var word = value.GetString();
        var words = new List<string>();
        foreach (var choice in choices)
        {
            if (choice.Word == word)
            {
                return choice.Value;
            }
            words.Add(choice.Word);
        }
        throw Wrong("field.choice", $"{Path(name)} is one of {string.Join(", ", words)}.", name);
    }

    /// <summary>Any JSON value, as it is.</summary>
    public JsonElement? AnyOrNull(string name)
    {
        _asked.Add(name);
        return _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Fields that nobody asked for are refused.</summary>
    public void Done()
    {
        foreach (var field in _object.EnumerateObject().Where(field => !_asked.Contains(field.Name)))
        {
            throw Malformed("field.unknown", $"There is no field {Path(field.Name)} here.", Path(field.Name));
        }
    }

    public BadInputException Missing(string name) => Malformed("field.missing", $"{Path(name)} is needed.", Path(name));

    public BadInputException Wrong(string code, string detail, string name) => new(Problem.Wrong(code, detail, Path(name)));

    public string Path(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    JsonElement? Find(string name, params ReadOnlySpan<JsonValueKind> kinds)
    {
        if (AnyOrNull(name) is not { } value)
        {
            return null;
        }
        return kinds.Contains(value.ValueKind)
            ? value
            : throw Malformed("field.type", $"{Path(name)} is of type {Word(kinds[0])}.", Path(name));
    }

    static string Word(JsonValueKind kind) => kind switch
    {
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.Array => "array",
        _ => "object",
    };

    static async Task<JsonElement?> Parse(HttpContext http)
    {
        var request = http.Request;
        if (request.Headers.ContentEncoding.Count > 0)
        {
            throw new BadInputException(new Problem(StatusCodes.Status415UnsupportedMediaType, "body.encoding", "The body is encoded.", "A compressed body is not taken."));
        }
        if (request.ContentLength is null or 0 && request.Headers.TransferEncoding.Count == 0)
        {
            return null;
        }
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            throw new BadInputException(WrongType);
        }
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, http.RequestAborted);
        return Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    static JsonElement? Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return null;
        }
        if (!Utf8.IsValid(bytes.Span) || bytes.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            throw Malformed("json.utf8", "The body is UTF-8 without a byte order mark.");
        }
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            Check(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (JsonException broken)
        {
            throw Malformed("json.broken", $"The JSON breaks at byte {Offset(bytes.Span, broken)}: {FirstSentence(broken.Message)}");
        }
        catch (InvalidOperationException)
        {
            throw Malformed("json.surrogate", "A string has half of a surrogate pair.");
        }
    }

    /// <summary>What the parser lets through and nobody should send.</summary>
    static void Check(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    Check(property.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Check(item);
                }
                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Number when element.GetDouble() is var number && (!double.IsFinite(number) || (number == 0 && double.IsNegative(number))):
                throw Malformed("json.number", $"{element.GetRawText()} is no number to work with.");
        }
    }

    static long Offset(ReadOnlySpan<byte> bytes, JsonException broken)
    {
        var line = broken.LineNumber ?? 0;
        var start = 0;
        while (line-- > 0 && bytes[start..].IndexOf((byte)'\n') is >= 0 and var end)
        {
            start += end + 1;
        }
        return start + (broken.BytePositionInLine ?? 0);
    }

    static string FirstSentence(string message) =>
        message.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? message[..(end + 1)] : message;

    static BadInputException Malformed(string code, string detail, string? field = null) => new(Problem.Malformed(code, detail, field));
}
