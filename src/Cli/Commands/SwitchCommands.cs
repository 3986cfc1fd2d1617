using System.CommandLine;
using System.Text.Json.Nodes;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Commands;

/// <summary>Changes of switches: define, delete.</summary>
sealed class SwitchCommands(GlobalOptions globals, Surroundings world)
{
    public Command Set()
    {
        var name = Names.Argument("HOST/SWITCH");
        var kind = new Option<string?>("--kind") { Description = "external, internal or private" }.AcceptOnlyFromAmong("external", "internal", "private");
        var uplink = new Option<string?>("--uplink") { Description = "The host's adapter of an external switch", HelpName = "DEVICE" };
        var drift = new Option<string?>("--drift") { Description = "What to do about foreign changes: report or repair" }.AcceptOnlyFromAmong("report", "repair");
        var extensions = Pairs.Extensions();
        var file = BodyFile.Option("--file");
        var change = new ChangeOptions(world);
        var command = globals.Command("set", "Define a switch and its extensions, or define it anew", (session, parsed, stop) =>
        {
            var given = Body(parsed.GetValue(kind), parsed.GetValue(uplink), parsed.GetValue(drift), parsed.GetValue(extensions));
            var at = parsed.GetRequiredValue(name);
            var request = Request.Put("v1", "hosts", at[0], "switches", at[1]);
            return BodyFile.Use(session, parsed.GetValue(file), given, body => session.Change(
                change.On(request with { Body = body }, parsed), $"switch {at[0]}/{at[1]} is defined", stop), stop);
        }, name, kind, uplink, drift, extensions, file, change.IfMatch, change.DryRun);
        command.Validators.Add(result =>
        {
            if ((result.GetResult(file) is null) == (result.GetResult(kind) is null))
            {
                result.AddError("a switch needs either --kind or --file");
            }
        });
        return command;
    }

    public Command Delete()
    {
        var name = Names.Argument("HOST/SWITCH");
        var change = new ChangeOptions(world);
        return globals.Command("delete", "Delete a switch that has no ports", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            var request = Request.Delete("v1", "hosts", at[0], "switches", at[1]);
            return session.Change(change.On(request, parsed), $"switch {at[0]}/{at[1]} is deleted", stop);
        }, name, change.IfMatch, change.DryRun);
    }

    // What was not given is not sent: the server's defaults are the server's.
    static JsonObject Body(string? kind, string? uplink, string? drift, JsonObject[]? extensions)
    {
        var body = new JsonObject { ["kind"] = kind };
        if (uplink is not null)
        {
            body["uplink"] = uplink;
        }

        if (drift is not null)
        {
            body["drift"] = drift;
        }

        if (extensions is { Length: > 0 })
        {
            body["extensions"] = new JsonArray([.. extensions]);
        }

        return body;
    }
}
