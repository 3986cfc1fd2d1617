using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ControlPlane.Cli.Http;

namespace ControlPlane.Cli.Commands;

/// <summary>Being the protocol edge by hand: OIDs, references that hold a port or NIC, and what is in flight.</summary>
sealed class EdgeCommands(GlobalOptions globals, Surroundings world)
{
    public Command OidSend()
    {
        var name = Names.Argument("HOST/SWITCH");
        var oid = new Argument<string>("OID") { Description = "A name such as OID_SWITCH_PORT_CREATE, or a code such as 0x00010278" };
        var port = Number("--port-id", "The port it is about", "N");
        var nic = Number("--nic-index", "The NIC it is about; 0 is the one attached to the port itself", "N");
        var parameters = Pairs.Parameters();
        var json = BodyFile.Option("--json");
        json.Description = "The parameters as JSON from a file, or from standard input with -; --param adds to them";
        var requestId = new Option<string?>("--request-id") { Description = "Repeat an earlier request: it gives the recorded answer (default: a fresh id)", HelpName = "ID" };
        var change = new ChangeOptions(world);
        return globals.Command("send", "Send one OID down a switch's stack", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            return BodyFile.Use(session, parsed.GetValue(json), [], read =>
            {
                var body = new JsonObject
                {
                    ["requestId"] = parsed.GetValue(requestId) ?? world.NewId().ToString("D"),
                    ["oid"] = parsed.GetRequiredValue(oid),
                };
                Put(body, "portId", parsed.GetValue(port));
                Put(body, "nicIndex", parsed.GetValue(nic));
                var all = Pairs.Merge([read, .. parsed.GetValue(parameters) ?? []]);
                if (all.Count > 0)
                {
                    body["parameters"] = all;
                }

                return session.Change(change.On(Switch(at, "oids") with { Body = body }, parsed), "sent", stop);
            }, stop);
        }, name, oid, port, nic, parameters, json, requestId, change.DryRun, change.IdempotencyKey);
    }

    public Command OidComplete()
    {
        var name = Names.Argument("HOST/SWITCH");
        var requestId = new Argument<string>("REQUEST-ID") { Description = "The OID that is pending, as its sender named it" };
        var extension = new Option<string>("--extension") { Description = "The extension that has pended it", HelpName = "NAME", Required = true };
        var status = new Option<string>("--status")
        {
            Description = "How it answers: success passes the OID on, an error refuses it",
            HelpName = "NDIS_STATUS_…",
            DefaultValueFactory = _ => "NDIS_STATUS_SUCCESS",
        };
        var change = new ChangeOptions(world);
        return globals.Command("complete", "Answer an OID for the extension that has pended it", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            var id = parsed.GetRequiredValue(requestId);
            var body = new JsonObject { ["extension"] = parsed.GetRequiredValue(extension), ["status"] = parsed.GetRequiredValue(status) };
            var request = Request.Post("v1", "hosts", at[0], "switches", at[1], "oids", id, "completions") with { Body = body };
            return session.Change(change.On(request, parsed), $"{id} is answered", stop);
        }, name, requestId, extension, status, change.DryRun, change.IdempotencyKey);
    }

    public Command OidCancel()
    {
        var name = Names.Argument("HOST/SWITCH");
        var requestId = new Argument<string>("REQUEST-ID") { Description = "The OID that is open, as its sender named it" };
        var change = new ChangeOptions(world);
        return globals.Command("cancel", "Ask for the cancelling of an open OID; it may end as if nobody had asked", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            var id = parsed.GetRequiredValue(requestId);
            var request = Request.Post("v1", "hosts", at[0], "switches", at[1], "oids", id, "cancel");
            return session.Change(change.On(request, parsed), $"the cancelling of {id} is asked for", stop);
        }, name, requestId, change.DryRun, change.IdempotencyKey);
    }

    public Command NicSave()
    {
        var name = Names.Argument("HOST/SWITCH/PORT");
        var nic = NicOnPort();
        var change = new ChangeOptions(world);
        return globals.Command("save", "Save a NIC: what the switch's extensions have to give for it", (session, parsed, stop) =>
            session.Change(change.On(Transfer(parsed.GetRequiredValue(name), parsed.GetValue(nic), "save"), parsed), "saved", stop),
            name, nic, change.DryRun, change.IdempotencyKey);
    }

    public Command NicRestore()
    {
        var name = Names.Argument("HOST/SWITCH/PORT");
        var nic = NicOnPort();
        var file = BodyFile.Option("--file");
        file.Description = "What nic save --output json printed, from a file, or from standard input with -";
        file.Required = true;
        var change = new ChangeOptions(world);
        return globals.Command("restore", "Give a NIC back what was saved of it", (session, parsed, stop) =>
            BodyFile.Use(session, parsed.GetValue(file), [], body => session.Change(
                change.On(Transfer(parsed.GetRequiredValue(name), parsed.GetValue(nic), "restore") with { Body = body }, parsed), "restored", stop), stop),
            name, nic, file, change.DryRun, change.IdempotencyKey);
    }

    public Command HoldAdd()
    {
        var name = Names.Argument("HOST/SWITCH");
        var port = Number("--port-id", "The port to hold", "N");
        port.Required = true;
        var nic = Number("--nic-index", "The NIC on it to hold, instead of the port", "N");
        var holder = new Option<string>("--holder") { Description = "Who holds it", HelpName = "NAME", Required = true };
        var purpose = new Option<string?>("--purpose") { Description = "What for", HelpName = "TEXT" };
        var change = new ChangeOptions(world);
        return globals.Command("add", "Reference a port or NIC: it cannot be deleted before the hold is removed", (session, parsed, stop) =>
        {
            var target = new JsonObject();
            Put(target, "portId", parsed.GetValue(port));
            Put(target, "nicIndex", parsed.GetValue(nic));
            var body = new JsonObject { ["holder"] = parsed.GetRequiredValue(holder), ["target"] = target };
            if (parsed.GetValue(purpose) is { } why)
            {
                body["purpose"] = why;
            }

            return session.Change(change.On(Switch(parsed.GetRequiredValue(name), "holds") with { Body = body }, parsed), "held", stop);
        }, name, port, nic, holder, purpose, change.DryRun, change.IdempotencyKey);
    }

    public Command HoldRemove()
    {
        var name = Names.Argument("HOST/SWITCH");
        var id = new Argument<string>("ID") { Description = "The hold's id, as hold add printed it" };
        var change = new ChangeOptions(world);
        return globals.Command("remove", "Remove a hold", (session, parsed, stop) =>
        {
            var at = parsed.GetRequiredValue(name);
            var hold = parsed.GetRequiredValue(id);
            var request = Request.Delete("v1", "hosts", at[0], "switches", at[1], "holds", hold);
            return session.Change(change.On(request, parsed), $"hold {hold} is removed", stop);
        }, name, id, change.DryRun);
    }

    public Command InflightSet()
    {
        var name = Names.Argument("HOST/SWITCH");
        var port = Number("--port-id", "The port", "N");
        var nic = Number("--nic-index", "The NIC on it", "N");
        var packets = Number("--packets", "Packets in flight", "N");
        var oids = Number("--oids", "OIDs in flight", "N");
        foreach (var option in (ReadOnlySpan<Option<uint?>>)[port, nic, packets, oids])
        {
            option.Required = true;
        }

        var change = new ChangeOptions(world);
        return globals.Command("set", "Set what is in flight at a NIC (simulated hosts only)", (session, parsed, stop) =>
        {
            var body = new JsonObject();
            Put(body, "portId", parsed.GetValue(port));
            Put(body, "nicIndex", parsed.GetValue(nic));
            Put(body, "packets", parsed.GetValue(packets));
            Put(body, "oids", parsed.GetValue(oids));
            return session.Change(change.On(Switch(parsed.GetRequiredValue(name), "inflight") with { Body = body }, parsed), "set", stop);
        }, name, port, nic, packets, oids, change.DryRun, change.IdempotencyKey);
    }

    public Command ActorUnpark()
    {
        var id = new Argument<string>("ID") { Description = "The actor, such as nic/web-1/eth0" };
        var drop = new Option<bool?>("--drop")
        {
            Description = "true: forget the message that parked it; false: try it once more",
            HelpName = "true|false",
            Required = true,
            Arity = ArgumentArity.ExactlyOne,
        };
        var change = new ChangeOptions(world);
        return globals.Command("unpark", "Let an actor go on that stopped at a poison message", (session, parsed, stop) =>
        {
            var actor = parsed.GetRequiredValue(id);
            var request = Request.Post("v1", "actors", actor, "unpark") with { Body = new JsonObject { ["drop"] = parsed.GetValue(drop) } };
            return session.Change(change.On(request, parsed), $"{actor} goes on", stop);
        }, id, drop, change.DryRun, change.IdempotencyKey);
    }

    static Option<uint?> NicOnPort() => Number("--nic-index", "The NIC on the port (default: 0, the one attached to the port itself)", "N");

    static Request Transfer(string[] at, uint? index, string what) => Request.Post(
        "v1", "hosts", at[0], "switches", at[1], "ports", at[2], "nics", (index ?? 0).ToString(CultureInfo.InvariantCulture), what);

    static Request Switch(string[] at, string entry) => Request.Post("v1", "hosts", at[0], "switches", at[1], entry);

    static Option<uint?> Number(string name, string description, string value) => new(name) { Description = description, HelpName = value };

    static void Put(JsonObject body, string name, uint? value)
    {
        if (value is { } number)
        {
            body[name] = number;
        }
    }
}
