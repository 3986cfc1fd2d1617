using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>One look at everything: is the server well, which hosts does it have, what is on them, what is wrong.</summary>
static class StatusCommand
{
    static readonly string[] HostColumns = ["name", "host", "state", "driver", "lastSeen", "counts", "drift"];

    public static Command Of(GlobalOptions globals) =>
        globals.Command("status", "The server's health, its hosts, what they carry, and the open alarms", (session, _, stop) => Run(session, stop));

    static async Task<int> Run(Session session, CancellationToken stop)
    {
        var health = await session.Api.Send(Request.Get("healthz"), stop);
        if (health is Answer.Unreachable or Answer.NoAnswer)
        {
            return session.Printer.Fail(health);
        }

        var ready = await session.Api.Send(Request.Get("readyz"), stop);
        var (hosts, hostsFailed) = await ListOptions.Collect(session, Request.Get("v1", "hosts"), stop);
        var (alarms, alarmsFailed) = await ListOptions.Collect(session, Request.Get("v1", "alarms"), stop);
        if (session.Printer.Format is Format.Table)
        {
            Print(session, health, ready, hosts, alarms, complete: hostsFailed is null && alarmsFailed is null);
        }
        else
        {
            session.Printer.Whole(JsonSerializer.SerializeToElement(new JsonObject
            {
                ["server"] = session.Server.OriginalString,
                ["healthy"] = health is Answer.Success,
                ["ready"] = ready is Answer.Success,
                ["hosts"] = Nodes(hosts),
                ["alarms"] = Nodes(alarms),
            }));
        }

        return (new[] { health, ready, hostsFailed, alarmsFailed }.FirstOrDefault(answer => answer is not (null or Answer.Success))) is { } failed
            ? session.Printer.Fail(failed)
            : ExitCode.Ok;
    }

    static void Print(
        Session session, Answer health, Answer ready, IReadOnlyList<JsonElement> hosts, IReadOnlyList<JsonElement> alarms, bool complete)
    {
        var lines = new JsonObject
        {
            ["server"] = session.Server.OriginalString,
            ["health"] = (health is Answer.Success ? "healthy" : "not healthy") + (ready is Answer.Success ? ", ready" : ", not ready"),
        };
        if (complete)
        {
            lines["hosts"] = Counted(hosts);
            foreach (var (name, sum) in Sums(hosts))
            {
                lines[name] = sum;
            }

            lines["alarms"] = alarms.Count;
        }

        session.Printer.Fields(JsonSerializer.SerializeToElement(lines));
        Section(session, hosts, HostColumns);
        Section(session, alarms, ReadCommands.AlarmColumns);
    }

    static void Section(Session session, IReadOnlyList<JsonElement> rows, string[] columns)
    {
        if (rows.Count > 0)
        {
            session.World.Out.WriteLine();
            session.Printer.Rows(rows, columns);
        }
    }

    // "3 (2 online, 1 draining)"
    static string Counted(IReadOnlyList<JsonElement> hosts)
    {
        var states = hosts
            .Where(host => host.TryGetProperty("state", out var state) && state.ValueKind is JsonValueKind.String)
            .CountBy(host => host.GetProperty("state").GetString()!)
            .Select(pair => $"{pair.Value} {pair.Key}")
            .ToArray();
        return states.Length > 0 ? $"{hosts.Count} ({string.Join(", ", states)})" : $"{hosts.Count}";
    }

    // Whatever the server counts per host is added up, so that a new count needs no new cpctl.
    static SortedDictionary<string, long> Sums(IReadOnlyList<JsonElement> hosts)
    {
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var host in hosts.Where(host => host.TryGetProperty("counts", out var counts) && counts.ValueKind is JsonValueKind.Object))
        {
            foreach (var count in host.GetProperty("counts").EnumerateObject())
            {
                if (count.Value.ValueKind is JsonValueKind.Number && count.Value.TryGetInt64(out var value))
                {
                    sums[count.Name] = sums.GetValueOrDefault(count.Name) + value;
                }
            }
        }

        return sums;
    }

    static JsonArray Nodes(IReadOnlyList<JsonElement> items) => [.. items.Select(item => JsonNode.Parse(item.GetRawText()))];
}
