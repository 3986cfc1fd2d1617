using System.CommandLine;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Commands;

/// <summary>The commands that only look: list, show and history of each kind of resource.</summary>
sealed class ReadCommands(GlobalOptions globals)
{
    static readonly string[] Event = ["at", "actor", "sequence", "type", "oid", "who", "correlation"];

    public Command HostList() => List("list", "The hosts", [], _ => Request.Get("v1", "hosts"),
        ["name", "host", "state", "driver", "lastSeen", "counts", "drift", "bootId"]);

    public Command HostShow() => Show("One host", "HOST", at => Request.Get("v1", "hosts", at[0]));

    public Command SwitchList() => List("list", "The switches of a host", "HOST", at => Request.Get("v1", "hosts", at[0], "switches"),
        ["name", "switch", "kind", "state", "uplink", "drift", "counts", "ports", "extensions"]);

    public Command SwitchShow() => Show("One switch", "HOST/SWITCH", at => Request.Get("v1", "hosts", at[0], "switches", at[1]));

    public Command PortList() => List("list", "The ports of a switch", "HOST/SWITCH",
        at => Request.Get("v1", "hosts", at[0], "switches", at[1], "ports"),
        ["name", "port", "portName", "portId", "incarnation", "type", "portType", "state", "ready", "holds", "nics"]);

    public Command PortShow() => Show("One port", "HOST/SWITCH/PORT", at => Request.Get("v1", "ports", at[0], at[1], at[2]));

    public Command PortHistory() => History("port", "HOST/SWITCH/PORT", at => Request.Get("v1", "ports", at[0], at[1], at[2], "history"));

    public Command NicList() => List("list", "The NICs of a switch", "HOST/SWITCH",
        at => Request.Get("v1", "hosts", at[0], "switches", at[1], "nics"),
        ["name", "vm", "nic", "nicName", "portId", "nicIndex", "type", "nicType", "state", "ready", "epoch", "mac", "mtu"]);

    public Command NicShow() => Show("One NIC of a VM", "VM/NIC", at => Request.Get("v1", "nics", at[0], at[1]));

    public Command NicHistory() => History("NIC", "VM/NIC", at => Request.Get("v1", "nics", at[0], at[1], "history"));

    public Command VmList() => List("list", "The VMs", [], _ => Request.Get("v1", "vms"),
        ["name", "vm", "host", "state", "powerState", "power", "epoch", "nics", "migration"]);

    public Command VmShow() => Show("One VM", "VM", at => Request.Get("v1", "vms", at[0]));

    public Command VmHistory() => History("VM", "VM", at => Request.Get("v1", "vms", at[0], "history"));

    public Command MigrationList() => List("list", "The migrations, also those that have ended", [], _ => Request.Get("v1", "migrations"),
        ["id", "state", "stage", "source", "destination", "host", "started", "ended", "blackoutMs"]);

    public Command MigrationHistory() => History("migration", "ID", at => Request.Get("v1", "migrations", at[0], "history"));

    public Command OperationShow() => Show("What a long work came to", "ID", at => Request.Get("v1", "operations", at[0]));

    public Command AlarmList() => List("list", "The open alarms, each with what to do", [], _ => Request.Get("v1", "alarms"), AlarmColumns);

    public static readonly string[] AlarmColumns = ["since", "at", "severity", "code", "actor", "subject", "reason", "action", "whatToDo"];

    public Command Events()
    {
        var filters = new[]
        {
            Filter("--actor", "Events of one actor, such as nic/web-1/eth0", "ID"),
            Filter("--type", "Events of one type, such as NicConnected", "TYPE"),
            Filter("--who", "Events caused by one person or program", "WHO"),
            Filter("--from", "Events at or after this time (RFC 3339)", "TIME"),
            Filter("--to", "Events before this time (RFC 3339)", "TIME"),
            Filter("--correlation", "Everything that followed from one request", "ID"),
        };
        return ListOf("events", "Search the recorded history", [.. filters], Event,
            parsed => filters.Aggregate(Request.Get("v1", "events"), (request, filter) => request.With(filter.Name[2..], parsed.GetValue(filter))));
    }

    Command History(string kind, string shape, Func<string[], Request> request)
    {
        var name = Names.Argument(shape);
        var from = Filter("--from", "Events at or after this time (RFC 3339)", "TIME");
        var to = Filter("--to", "Events before this time (RFC 3339)", "TIME");
        return ListOf("history", $"The events of one {kind}, oldest first", [name, from, to], Event,
            parsed => request(parsed.GetRequiredValue(name)).With("from", parsed.GetValue(from)).With("to", parsed.GetValue(to)));
    }

    Command List(string name, string description, string shape, Func<string[], Request> request, string[] columns)
    {
        var argument = Names.Argument(shape);
        return ListOf(name, description, [argument], columns, parsed => request(parsed.GetRequiredValue(argument)));
    }

    Command List(string name, string description, Symbol[] none, Func<string[], Request> request, string[] columns) =>
        ListOf(name, description, none, columns, _ => request([]));

    Command ListOf(string name, string description, Symbol[] symbols, string[] columns, Func<ParseResult, Request> request)
    {
        var list = new ListOptions();
        return globals.Command(name, description,
            (session, parsed, stop) => list.Show(session, parsed, request(parsed), columns, stop),
            [.. symbols, list.Limit, list.PageToken, list.All]);
    }

    Command Show(string description, string shape, Func<string[], Request> request)
    {
        var name = Names.Argument(shape);
        return globals.Command("show", description,
            (session, parsed, stop) => session.Show(request(parsed.GetRequiredValue(name)), stop), name);
    }

    static Option<string?> Filter(string name, string description, string value) => new(name) { Description = description, HelpName = value };
}
