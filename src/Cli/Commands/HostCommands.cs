using System.CommandLine;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Commands;

/// <summary>Hosts that join, that never return, and that come back all the same.</summary>
sealed class HostCommands(GlobalOptions globals, Surroundings world)
{
    public Command Delete()
    {
        var name = Names.Argument("HOST");
        var force = new Option<bool>("--force") { Description = "Also with switches, ports and VMs: they end as lost, the VMs are stopped" };
        var change = new ChangeOptions(world);
        return globals.Command("delete", "Give up a host that never returns", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            var request = Request.Delete("v1", "hosts", at[0]).With("force", parsed.GetValue(force) ? "true" : null);
            return session.Change(change.On(request, parsed), $"host {at[0]} is given up", stop);
        }, name, force, change.IfMatch, change.DryRun);
    }

    public Command JoinToken()
    {
        var name = Names.Argument("HOST");
        var change = new ChangeOptions(world);
        return globals.Command("join-token", "A token, good once and for 10 minutes, with which the host's agent gets its certificate", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            return session.Change(change.On(Request.Post("v1", "hosts", at[0], "join-token"), parsed), $"host {at[0]} may join", stop);
        }, name, change.DryRun, change.IdempotencyKey);
    }

    public Command Readmit()
    {
        var name = Names.Argument("HOST");
        var change = new ChangeOptions(world);
        return globals.Command("readmit", "Let a host that was given up come back, with nothing on it", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            return session.Change(change.On(Request.Post("v1", "hosts", at[0], "readmit"), parsed), $"host {at[0]} may come back", stop);
        }, name, change.DryRun, change.IdempotencyKey);
    }
}
