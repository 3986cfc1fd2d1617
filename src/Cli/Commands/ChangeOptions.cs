using System.CommandLine;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Commands;

/// <summary>What can be said with any change: only try it, only if nothing moved, and under which key it may be repeated.</summary>
sealed class ChangeOptions(Surroundings world)
{
    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Show what would happen and change nothing" };

    public Option<string?> IfMatch { get; } = new("--if-match")
    {
        Description = "Only if the resource still has this ETag (show prints it)",
        HelpName = "ETAG",
    };

    public Option<Guid?> IdempotencyKey { get; } = new("--idempotency-key")
    {
        Description = "Repeat an earlier request under its key: it is never done twice (default: a fresh key)",
        HelpName = "UUID",
    };

    /// <summary>Puts them on a request. Every POST carries a key, whether or not one was given.</summary>
    public Request On(Request request, ParseResult parsed) => request.With("dryRun", parsed.GetValue(DryRun) ? "true" : null) with
    {
        IfMatch = Quoted(parsed.GetValue(IfMatch)),
        IdempotencyKey = request.Method == HttpMethod.Post ? parsed.GetValue(IdempotencyKey) ?? world.NewId() : null,
    };

    // An entity tag is quoted on the wire; a shell takes the quotes away.
    static string? Quoted(string? tag) =>
        tag is null or "*" || tag.StartsWith('"') || tag.StartsWith("W/", StringComparison.Ordinal) ? tag : $"\"{tag}\"";
}
