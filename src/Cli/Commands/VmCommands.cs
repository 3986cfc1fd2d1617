using System.CommandLine;
using System.Text.Json.Nodes;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Commands;

/// <summary>Changes of VMs: define, start, stop, delete.</summary>
sealed class VmCommands(GlobalOptions globals, Surroundings world)
{
    public Command Set()
    {
        var name = Names.Argument("VM");
        var host = new Option<string?>("--host") { Description = "Where the VM lives", HelpName = "HOST" };
        var nics = Pairs.Nics();
        var file = BodyFile.Option("--file");
        var change = new ChangeOptions(world);
        var command = globals.Command("set", "Define a VM and its NICs, or define it anew", (session, parsed, stop) =>
        {
            var given = new JsonObject
            {
                ["host"] = parsed.GetValue(host),
                ["nics"] = new JsonArray([.. parsed.GetValue(nics) ?? []]),
            };
            var vm = parsed.GetRequiredValue(name)[0];
            return BodyFile.Use(session, parsed.GetValue(file), given, body => session.Change(
                change.On(Request.Put("v1", "vms", vm) with { Body = body }, parsed), $"VM {vm} is defined", stop), stop);
        }, name, host, nics, file, change.IfMatch, change.DryRun);
        command.Validators.Add(result =>
        {
            var given = result.GetResult(file) is not null;
            if (given && (result.GetResult(host) is not null || result.GetResult(nics) is not null))
            {
                result.AddError("--file is the whole definition: not together with --host or --nic");
            }
            else if (!given && (result.GetResult(host) is null || result.GetResult(nics) is null))
            {
                result.AddError("a VM needs --host and at least one --nic, or --file");
            }
        });
        return command;
    }

    public Command NicAdd()
    {
        var name = Names.Argument("VM");
        var nic = Pairs.OneNic();
        var file = BodyFile.Option("--file");
        var wait = new WaitOptions();
        var change = new ChangeOptions(world);
        var command = globals.Command("add", "Add a NIC to a VM, also while it runs", (session, parsed, stop) =>
        {
            var vm = parsed.GetRequiredValue(name)[0];
            return BodyFile.Use(session, parsed.GetValue(file), parsed.GetValue(nic)?.DeepClone().AsObject() ?? [], body => LongWork.Run(
                session, change.On(Request.Post("v1", "vms", vm, "nics") with { Body = body }, parsed), wait.Of(parsed), $"add a NIC to {vm}", stop), stop);
        }, name, nic, file, wait.Wait, wait.NoWait, change.DryRun, change.IfMatch, change.IdempotencyKey);
        wait.Check(command);
        command.Validators.Add(result =>
        {
            if ((result.GetResult(file) is null) == (result.GetResult(nic) is null))
            {
                result.AddError("one of --nic and --file says what the NIC is");
            }
        });
        return command;
    }

    public Command NicRemove()
    {
        var name = Names.Argument("VM/NIC");
        var wait = new WaitOptions();
        var change = new ChangeOptions(world);
        var command = globals.Command("remove", "Take a NIC away from a VM, also while it runs: disconnect, let traffic drain, delete", (session, parsed, stop) =>
        {
            var (vm, nic) = (parsed.GetRequiredValue(name)[0], parsed.GetRequiredValue(name)[1]);
            return LongWork.Run(
                session, change.On(Request.Delete("v1", "vms", vm, "nics", nic), parsed), wait.Of(parsed), $"remove {vm}/{nic}", stop);
        }, name, wait.Wait, wait.NoWait, change.DryRun, change.IfMatch);
        wait.Check(command);
        return command;
    }

    public Command Start() => Verb("start", "Start a VM: every NIC is connected, or none is");

    public Command Stop() => Verb("stop", "Stop a VM: disconnect, let traffic drain, delete its NICs and ports");

    public Command Delete()
    {
        var name = Names.Argument("VM");
        var change = new ChangeOptions(world);
        return globals.Command("delete", "Forget a stopped VM", (session, parsed, stop) =>
        {
            var vm = parsed.GetRequiredValue(name)[0];
            return session.Change(change.On(Request.Delete("v1", "vms", vm), parsed), $"VM {vm} is deleted", stop);
        }, name, change.IfMatch, change.DryRun);
    }

    Command Verb(string verb, string description)
    {
        var name = Names.Argument("VM");
        var wait = new WaitOptions();
        var change = new ChangeOptions(world);
        var command = globals.Command(verb, description, (session, parsed, stop) =>
        {
            var vm = parsed.GetRequiredValue(name)[0];
            return LongWork.Run(session, change.On(Request.Post("v1", "vms", vm, verb), parsed), wait.Of(parsed), $"{verb} {vm}", stop);
        }, name, wait.Wait, wait.NoWait, change.DryRun, change.IfMatch, change.IdempotencyKey);
        wait.Check(command);
        return command;
    }
}
