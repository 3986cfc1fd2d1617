using System.Collections;
using System.Text.Json;

namespace ControlPlane.Host.Composition;

/// <summary>
/// Reads the settings: appsettings.json (section "ControlPlane"), then the environment (CONTROLPLANE__NAME), then the
/// command line, each over the one before. What is not known is refused by name.
/// </summary>
static class Settings
{
    const string Section = "ControlPlane";
    const string Prefix = "CONTROLPLANE__";

    public const string Usage = "usage: controlplane [all|node|agent] [--port N] [--data DIR] [--driver linux|simulated] [--hosts NAME,NAME] [--listen ADDRESS] [--postgres CONNECTION] [--cluster ADDRESS:PORT] [--certificates DIR] [--seeds ADDRESS:PORT,…] [--agents ADDRESS:PORT] [--issuer DIR] [--nodes SOCKET|https://HOST:PORT,…]; certificates: controlplane pki, controlplane agent join";

    public static NodeOptions Read(IReadOnlyList<string> args, string file, IDictionary environment, string defaultDriver)
    {
        var options = new NodeOptions { Driver = defaultDriver };
        options = FromFile(options, file);
        options = FromEnvironment(options, environment);
        options = FromArguments(options, args);
        return options.Whole() with { Data = Path.GetFullPath(options.Data) };
    }

    static NodeOptions FromFile(NodeOptions options, string file)
    {
        if (!File.Exists(file))
        {
            return options;
        }
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var section in document.RootElement.EnumerateObject())
            {
                // "Logging" is the platform's own.
                options = section.Name switch
                {
                    Section => section.Value.EnumerateObject().Aggregate(
                        options, (known, setting) => known.With(setting.Name, setting.Value.ToString(), Path.GetFileName(file))),
                    "Logging" => options,
                    _ => throw new SettingException($"{Path.GetFileName(file)}: there is no section \"{section.Name}\"."),
                };
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new SettingException($"{Path.GetFileName(file)}: {broken.Message}");
        }
        return options;
    }

    static NodeOptions FromEnvironment(NodeOptions options, IDictionary environment)
    {
        foreach (DictionaryEntry variable in environment)
        {
            if (variable.Key is string name && name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                options = options.With(name[Prefix.Length..], variable.Value as string ?? "", name);
            }
        }
        return options;
    }

    static NodeOptions FromArguments(NodeOptions options, IReadOnlyList<string> args)
    {
        var at = 0;
        if (args.Count > 0 && !args[0].StartsWith('-'))
        {
            options = options with
            {
                Role = args[0] switch
                {
                    "all" => NodeRole.All,
                    "node" => NodeRole.Node,
                    "agent" => NodeRole.Agent,
                    "database" => NodeRole.Database,
                    _ => throw new SettingException($"there is no \"{args[0]}\". {Usage}"),
                },
            };
            at = 1;
            if (options.Role == NodeRole.Database)
            {
                options = options with { DatabaseVerb = args.Count > 1 && DatabaseVerbs.All.Contains(args[1]) ? args[1] : throw new SettingException(DatabaseVerbs.Usage) };
                at = 2;
            }
        }
        while (at < args.Count)
        {
            var (name, value) = args[at].Split('=', 2) is [var left, var right] ? (left, right) : (args[at], at + 1 < args.Count ? args[++at] : null);
            at++;
            if (!name.StartsWith("--", StringComparison.Ordinal))
            {
                throw new SettingException($"\"{name}\" is no option. {Usage}");
            }
            options = options.With(name[2..], value ?? throw new SettingException($"{name} needs a value. {Usage}"), name);
        }
        return options;
    }
}
