using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Cli.Commands;

/// <summary>
/// Short forms for JSON objects on the command line: <c>name=eth0,switch=vsw0</c> for a NIC or an extension, and
/// <c>key=value</c> once per parameter of an OID. A misspelt word is refused here, with the words that exist.
/// </summary>
static class Pairs
{
    static readonly string[] NicWords = ["name", "switch", "type", "mac", "mtu", "vlan", "attach"];
    static readonly string[] ExtensionWords = ["name", "class", "enabled"];
    const string SettingPrefix = "setting.";

    public static Option<JsonObject[]> Nics() => Repeated("--nic",
        "name=eth0,switch=vsw0[,type=synthetic|emulated][,mac=…][,mtu=…][,vlan=…][,attach=tap|veth]; once per NIC; properties are said with --file", Nic);

    public static Option<JsonObject?> OneNic() => new("--nic")
    {
        Description = "name=eth1,switch=vsw0[,type=synthetic|emulated][,mac=…][,mtu=…][,vlan=…][,attach=tap|veth]",
        HelpName = "key=value",
        CustomParser = result => result.Tokens.Count == 1 ? Nic(result.Tokens[0].Value, result.AddError) : null,
    };

    public static Option<JsonObject[]> Extensions() => Repeated("--extension",
        "name=…,class=capture|filter|forward,enabled=true[,setting.maxPorts=10]; once per extension, top of the stack first", Extension);

    public static Option<JsonObject[]> Parameters() => Repeated("--param",
        "key=value, or key:=JSON; once per parameter", Parameter);

    /// <summary>The parameters of one OID as one object.</summary>
    public static JsonObject Merge(IEnumerable<JsonObject> objects)
    {
        var merged = new JsonObject();
        foreach (var (key, value) in objects.SelectMany(one => one))
        {
            merged[key] = value?.DeepClone();
        }

        return merged;
    }

    static Option<JsonObject[]> Repeated(string name, string description, Func<string, Action<string>, JsonObject> parse) => new(name)
    {
        Description = description,
        HelpName = "key=value",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        CustomParser = result => [.. result.Tokens.Select(token => parse(token.Value, result.AddError))],
    };

    static JsonObject Nic(string text, Action<string> fault)
    {
        var nic = new JsonObject();
        foreach (var (key, value) in Split(text, fault))
        {
            if (!NicWords.Contains(key))
            {
                fault($"--nic has no '{key}'; it has {string.Join(", ", NicWords)}");
            }

            nic[key] = key is "mtu" or "vlan" ? Number(key, value, fault) : value;
        }

        Require(nic, "--nic", ["name", "switch"], fault);
        return nic;
    }

    static JsonObject Extension(string text, Action<string> fault)
    {
        var settings = new JsonObject();
        var extension = new JsonObject { ["enabled"] = true };
        foreach (var (key, value) in Split(text, fault))
        {
            if (key.StartsWith(SettingPrefix, StringComparison.Ordinal))
            {
                settings[key[SettingPrefix.Length..]] = Guessed(value);
            }
            else if (!ExtensionWords.Contains(key))
            {
                fault($"--extension has no '{key}'; it has {string.Join(", ", ExtensionWords)} and {SettingPrefix}…");
            }
            else
            {
                extension[key] = key is "enabled" ? Truth(key, value, fault) : value;
            }
        }

        if (settings.Count > 0)
        {
            extension["settings"] = settings;
        }

        Require(extension, "--extension", ["name", "class"], fault);
        return extension;
    }

    // Parameters of an OID are typed by their names (api.md 4); a value that needs more is written as JSON with ":=".
    static JsonObject Parameter(string text, Action<string> fault)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        if (at < 1)
        {
            fault($"'{text}' is not key=value");
            return [];
        }

        var value = text[(at + 1)..];
        var key = text[..at];
        if (!key.EndsWith(':'))
        {
            return new JsonObject
            {
                [key] = key switch
                {
                    "flags" => new JsonArray([.. value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(flag => JsonValue.Create(flag))]),
                    "isValidationPort" => Truth(key, value, fault),
                    "mtu" or "capacity" or "propertyVersion" or "numaNodeId" or "sourcePortId" or "sourceNicIndex"
                        or "destinationPortId" or "destinationNicIndex" => Number(key, value, fault),
                    _ => value,
                },
            };
        }

        try
        {
            return new JsonObject { [key[..^1]] = JsonNode.Parse(value) };
        }
        catch (JsonException error)
        {
            fault($"'{value}' is not JSON: {error.Message}");
            return [];
        }
    }

    static IEnumerable<(string Key, string Value)> Split(string text, Action<string> fault)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pair in text.Split(','))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at < 1 || at == pair.Length - 1)
            {
                fault($"'{pair}' in '{text}' is not key=value");
            }
            else if (!seen.Add(pair[..at]))
            {
                fault($"'{pair[..at]}' stands twice in '{text}'");
            }
            else
            {
                yield return (pair[..at], pair[(at + 1)..]);
            }
        }
    }

    static void Require(JsonObject made, string option, ReadOnlySpan<string> words, Action<string> fault)
    {
        foreach (var word in words)
        {
            if (!made.ContainsKey(word))
            {
                fault($"{option} needs {word}=…");
            }
        }
    }

    static JsonValue? Number(string key, string value, Action<string> fault)
    {
        if (uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return JsonValue.Create(number);
        }

        fault($"{key} is a whole number, not '{value}'");
        return null;
    }

    static JsonValue? Truth(string key, string value, Action<string> fault)
    {
        if (value is "true" or "false")
        {
            return JsonValue.Create(value is "true");
        }

        fault($"{key} is true or false, not '{value}'");
        return null;
    }

    // Settings are the extension's own: what reads as a number or a truth is sent as one.
    static JsonValue Guessed(string value) =>
        value is "true" or "false" ? JsonValue.Create(value is "true")
        : int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number)
        : JsonValue.Create(value);
}
