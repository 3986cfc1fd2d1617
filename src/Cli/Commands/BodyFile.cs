using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Cli.Commands;

/// <summary>A JSON object from a file, or from standard input as "-".</summary>
static class BodyFile
{
    // The API refuses duplicate keys; the reader here does it first, where the file is at hand.
    static readonly JsonDocumentOptions Reading = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    public static Option<string?> Option(string name) => new(name)
    {
        Description = "The whole body as JSON from a file, or from standard input with -",
        HelpName = "FILE|-",
    };

    /// <summary>Goes on with the object from the file, or with the other one if no file was named.</summary>
    public static async Task<int> Use(Session session, string? path, JsonObject otherwise, Func<JsonObject, Task<int>> then, CancellationToken stop)
    {
        if (path is null)
        {
            return await then(otherwise);
        }

        var (body, fault) = await Read(session.World, path, stop);
        if (body is not null)
        {
            return await then(body);
        }

        session.Printer.Note(fault!);
        return ExitCode.Usage;
    }

    static async Task<(JsonObject? Body, string? Fault)> Read(Surroundings world, string path, CancellationToken stop)
    {
        try
        {
            var text = path is "-"
                ? await world.In.ReadToEndAsync(stop)
                : await File.ReadAllTextAsync(Path.GetFullPath(path, world.WorkingDirectory), stop);
            return JsonNode.Parse(text, documentOptions: Reading) is JsonObject body
                ? (body, null)
                : (null, $"{path} does not hold a JSON object");
        }
        catch (JsonException error)
        {
            return (null, $"{path} is not JSON: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (null, $"{path} cannot be read: {error.Message}");
        }
    }
}
