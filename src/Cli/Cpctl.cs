using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ControlPlane.Cli.Commands;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli;

/// <summary>
/// The command line of the control plane: every command is a request or two to the HTTP API, and cpctl knows nothing that
/// another client could not know. Commands are in Commands/, HTTP in Http/, what is printed in Output/.
/// </summary>
public static class Cpctl
{
    public static async Task<int> Run(string[] args, Surroundings world, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(world);

        // No response files: a value that starts with @ is a value.
        var parsed = Tree(world).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or CommandLineAction { ClearsParseErrors: true }))
        {
            return Usage(parsed, world);
        }

        try
        {
            var console = new InvocationConfiguration
            {
                Output = world.Out,
                Error = world.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(console, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    static RootCommand Tree(Surroundings world)
    {
        var globals = new GlobalOptions(world);
        var read = new ReadCommands(globals);
        var hosts = new HostCommands(globals, world);
        var vm = new VmCommands(globals, world);
        var migrations = new MigrationCommands(globals, world);
        var switches = new SwitchCommands(globals, world);
        var edge = new EdgeCommands(globals, world);
        var root = new RootCommand("Speaks to a switch control plane: hosts, switches, ports, NICs, VMs and their history.")
        {
            StatusCommand.Of(globals),
            WatchCommand.Of(globals),
            read.Events(),
            Group("cluster", "The nodes behind the server", ClusterCommand.Of(globals)),
            Group("host", "Hosts", read.HostList(), read.HostShow(), hosts.JoinToken(), hosts.Delete(), hosts.Readmit()),
            Group("switch", "Switches", read.SwitchList(), read.SwitchShow(), switches.Set(), switches.Delete()),
            Group("port", "Ports", read.PortList(), read.PortShow(), read.PortHistory()),
            Group("nic", "NICs", read.NicList(), read.NicShow(), read.NicHistory(), edge.NicSave(), edge.NicRestore()),
            Group("vm", "VMs", read.VmList(), read.VmShow(), vm.Set(), vm.Start(), vm.Stop(), migrations.Migrate(), vm.Delete(),
                read.VmHistory(),
                Group("nic", "NICs of a VM", vm.NicAdd(), vm.NicRemove())),
            Group("migration", "Moves of VMs from host to host", read.MigrationList(), migrations.Show(), migrations.Cancel(), migrations.Guest(),
                read.MigrationHistory()),
            Group("operation", "Long work", read.OperationShow()),
            Group("alarm", "Alarms", read.AlarmList()),
            Group("actor", "Actors", edge.ActorUnpark()),
            Group("oid", "The OID entry of a switch", edge.OidSend(), edge.OidComplete(), edge.OidCancel()),
            Group("hold", "References that defer a delete", edge.HoldAdd(), edge.HoldRemove()),
            Group("inflight", "What is in flight on a simulated host", edge.InflightSet()),
            CompletionCommand.Of(world),
        };
        globals.AddTo(root);
        return root;
    }

    static Command Group(string name, string description, params ReadOnlySpan<Command> commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands)
        {
            group.Add(command);
        }

        return group;
    }

    static int Usage(ParseResult parsed, Surroundings world)
    {
        foreach (var error in parsed.Errors.Select(error => error.Message).Distinct())
        {
            world.Error.WriteLine($"cpctl: {Visible.Of(error)}");
        }

        var path = new List<string>();
        for (var at = parsed.CommandResult; at?.Parent is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
        {
            path.Insert(0, at.Command.Name);
        }

        world.Error.WriteLine($"cpctl: see {string.Join(' ', ["cpctl", .. path, "--help"])}");
        return ExitCode.Usage;
    }
}
