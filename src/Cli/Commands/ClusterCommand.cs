using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>Who is in the cluster and who does what.</summary>
static class ClusterCommand
{
    static readonly string[] MemberColumns = ["address", "status", "reachable", "oldest", "leader"];
    static readonly string[] RegionColumns = ["region", "address", "shards", "entities"];

    public static Command Of(GlobalOptions globals) => globals.Command(
        "show", "Members, the supervisor, the lease, what is where, and how far behind the feed is", (session, _, stop) => Run(session, stop));

    static async Task<int> Run(Session session, CancellationToken stop)
    {
        var answer = await session.Api.Send(Request.Get("v1", "cluster"), stop);
        if (answer is not Answer.Success { Body: { } cluster })
        {
            return session.Printer.Fail(answer);
        }
        if (session.Printer.Format is not Format.Table)
        {
            session.Printer.Whole(cluster);
            return ExitCode.Ok;
        }
        var lines = new JsonObject();
        foreach (var part in cluster.EnumerateObject().Where(part => part.Name is not ("members" or "regions")))
        {
            lines[part.Name] = JsonNode.Parse(part.Value.GetRawText());
        }
        session.Printer.Fields(JsonSerializer.SerializeToElement(lines));
        Section(session, Items(cluster, "members"), MemberColumns);
        Section(session, [.. Items(cluster, "regions").SelectMany(PerNode)], RegionColumns);
        return ExitCode.Ok;
    }

    static void Section(Session session, IReadOnlyList<JsonElement> rows, string[] columns)
    {
        session.World.Out.WriteLine();
        session.Printer.Rows(rows, columns);
    }

    static IEnumerable<JsonElement> PerNode(JsonElement region) => Items(region, "nodes").Select(node =>
    {
        var row = JsonNode.Parse(node.GetRawText())!.AsObject();
        row["region"] = region.GetProperty("region").GetString();
        row["shards"] = Items(node, "shards").Count;
        return JsonSerializer.SerializeToElement(row);
    });

    static IReadOnlyList<JsonElement> Items(JsonElement thing, string name) =>
        thing.TryGetProperty(name, out var items) && items.ValueKind is JsonValueKind.Array ? [.. items.EnumerateArray()] : [];
}
