using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>Moves of VMs: begin, show, cancel, and what is said of the guest.</summary>
sealed class MigrationCommands(GlobalOptions globals, Surroundings world)
{
    const int DeadlineMax = 86_400;

    static readonly string[] Refusal = ["code", "detail", "rule", "state", "field"];

    public Command Migrate()
    {
        var name = Names.Argument("VM");
        var to = new Option<string>("--to") { Description = "The host that it shall run on", HelpName = "HOST", Required = true };
        var watch = new Option<bool>("--watch") { Description = "Follow it to its end, with a bar for each NIC on a terminal" };
        var deadline = new Option<int?>("--deadline") { Description = "Seconds until it must be ready to switch over (the server's default: 300)", HelpName = "S" };
        deadline.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > DeadlineMax)
            {
                result.AddError($"--deadline is from 1 to {DeadlineMax} seconds");
            }
        });
        var blackout = new Option<int?>("--max-blackout") { Description = "Milliseconds without network that can be borne; the certificate says whether it was kept", HelpName = "MS" };
        var guest = new Option<string?>("--guest") { Description = "external: a VM manager moves the guest and says so with: cpctl migration guest" }.AcceptOnlyFromAmong("none", "external");
        var wait = new WaitOptions();
        var change = new ChangeOptions(world);
        var command = globals.Command("migrate", "Move a running VM to another host: every NIC moves, or none does", (session, parsed, stop) =>
        {
            var vm = parsed.GetRequiredValue(name)[0];
            var body = new JsonObject { ["destination"] = parsed.GetRequiredValue(to) };
            Put(body, "deadlineSeconds", parsed.GetValue(deadline));
            Put(body, "maxBlackoutMs", parsed.GetValue(blackout));
            Put(body, "guest", parsed.GetValue(guest));
            var request = change.On(Request.Post("v1", "vms", vm, "migrations") with { Body = body }, parsed);
            return parsed.GetValue(change.DryRun) ? Report(session, request, vm, stop)
                : parsed.GetValue(watch) ? MigrationWatch.Run(session, request, parsed.GetValue(wait.Wait), stop)
                : LongWork.Run(session, request, wait.Of(parsed), $"migrate {vm}", stop);
        }, name, to, watch, deadline, blackout, guest, wait.Wait, wait.NoWait, change.DryRun, change.IfMatch, change.IdempotencyKey);
        wait.Check(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(watch) && (result.GetResult(wait.NoWait) is not null || result.GetResult(change.DryRun) is not null))
            {
                result.AddError("--watch follows it to its end: not together with --no-wait or --dry-run");
            }
        });
        return command;
    }

    public Command Show()
    {
        var name = Names.Argument("ID");
        return globals.Command("show", "One migration: its stages, its NICs and, at the end, its certificate", async (session, parsed, stop) =>
        {
            var answer = await session.Api.Send(Request.Get("v1", "migrations", parsed.GetRequiredValue(name)[0]), stop);
            return answer is Answer.Success success ? Shown(session, success) : session.Printer.Fail(answer);
        }, name);
    }

    public Command Cancel()
    {
        var name = Names.Argument("ID");
        var change = new ChangeOptions(world);
        return globals.Command("cancel", "Give a migration up, before its commit point: the VM stays where it was", (session, parsed, stop) =>
            Change(session, change.On(Request.Post("v1", "migrations", parsed.GetRequiredValue(name)[0], "cancel"), parsed), stop),
            name, change.DryRun, change.IdempotencyKey);
    }

    public Command Guest()
    {
        var name = Names.Argument("ID");
        var happened = new Argument<string>("EVENT") { Description = "What became of the guest" }.AcceptOnlyFromAmong("paused", "resumed", "failed");
        var change = new ChangeOptions(world);
        return globals.Command("guest", "Say of a guest that is moved from outside: paused, resumed or failed", (session, parsed, stop) =>
        {
            var body = new JsonObject { ["event"] = parsed.GetRequiredValue(happened) };
            return Change(session, change.On(Request.Post("v1", "migrations", parsed.GetRequiredValue(name)[0], "guest") with { Body = body }, parsed), stop);
        }, name, happened, change.DryRun, change.IdempotencyKey);
    }

    static async Task<int> Change(Session session, Request request, CancellationToken stop)
    {
        var answer = await session.Api.Send(request, stop);
        return answer is Answer.Success success ? Shown(session, success) : session.Undecided(answer, request);
    }

    /// <summary>Everything that stands against it, one row each; the exit code says whether anything does.</summary>
    static async Task<int> Report(Session session, Request request, string vm, CancellationToken stop)
    {
        var answer = await session.Api.Send(request, stop);
        if (answer is not Answer.Success { Body: { ValueKind: JsonValueKind.Object } body })
        {
            return session.Printer.Fail(answer is Answer.Success ? new Answer.NoAnswer("the server answered without a report") : answer);
        }
        var refusals = body.TryGetProperty("refusals", out var told) && told.ValueKind is JsonValueKind.Array ? told.EnumerateArray().ToList() : [];
        if (session.Printer.Format is not Format.Table)
        {
            session.Printer.Whole(body);
        }
        else if (refusals.Count == 0)
        {
            session.Printer.Say($"nothing that can be seen stands against it: {vm} may be moved");
        }
        else
        {
            session.Printer.Rows(refusals, Refusal);
        }
        return refusals.Count == 0 ? ExitCode.Ok : ExitCode.Refused;
    }

    static int Shown(Session session, Answer.Success success)
    {
        session.Printer.Thing(session.Printer.Format is Format.Table ? MigrationText.Plain(success.Body) : success.Body, success.ETag);
        return ExitCode.Ok;
    }

    static void Put<T>(JsonObject body, string name, T? value)
    {
        if (value is not null)
        {
            body[name] = JsonValue.Create(value);
        }
    }
}
