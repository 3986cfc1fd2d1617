using ControlPlane.Actors.Vms;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>VMs: define, start, stop, delete.</summary>
static class VmsApi
{
    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapGet("/vms", List).Produces<Page<VmDocument>>().WithSummary("The VMs");
        v1.MapGet("/vms/{vm}", Get).Produces<VmDocument>().WithSummary("One VM, now or at a time");
        v1.MapPut("/vms/{vm}", Put).Accepts<VmDefinition>("application/json").Produces<VmDocument>().WithSummary("Defines a VM and its NICs, or defines it anew");
        v1.MapDelete("/vms/{vm}", Delete).Produces(StatusCodes.Status204NoContent).WithSummary("Forgets a stopped VM");
        v1.MapGet("/vms/{vm}/history", (HttpContext http, string vm, EventLog log, PageTokens tokens) =>
            EventsApi.History(http, Id(vm), log, tokens)).Produces<Page<EventDocument>>().WithSummary("The VM's events");
        v1.MapPost("/vms/{vm}/start", Start).Produces<OperationDocument>().Produces<OperationDocument>(StatusCodes.Status202Accepted)
            .WithSummary("Starts a VM: every NIC is connected, or none is");
        v1.MapPost("/vms/{vm}/stop", Stop).Produces<OperationDocument>().Produces<OperationDocument>(StatusCodes.Status202Accepted)
            .WithSummary("Stops a VM: disconnect, drain, delete its NICs and ports");
        v1.MapPost("/vms/{vm}/nics", AddNic).Accepts<NicDefinition>("application/json").Produces<OperationDocument>()
            .Produces<OperationDocument>(StatusCodes.Status202Accepted).WithSummary("Adds a NIC, also to a running VM");
        v1.MapDelete("/vms/{vm}/nics/{nic}", RemoveNic).Produces<OperationDocument>().Produces<OperationDocument>(StatusCodes.Status202Accepted)
            .WithSummary("Takes a NIC away, also from a running VM");
    }

    static EntityId Id(string vm) => EntityId.Vm(ApiNames.Vm(vm));

    static IResult List(HttpContext http, ReadTables tables, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        return Replies.Page(http, query, tokens, (after, limit) => tables.List("vm", null, null, after, limit), view => view.Id.Text, Render.Vm);
    }

    static IResult Get(HttpContext http, string vm, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var id = Id(vm);
        return Replies.Find(query, tables, past, id) is { } view ? Replies.Shown(http, view, Render.Vm(view)) : Replies.Absent("vm", id);
    }

    static async Task<IResult> Put(HttpContext http, string vm, ReadTables tables, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = Id(vm);
        var body = await Body.Read(http);
        var definition = VmBody.Read(vm, body);
        var key = RequestKey.Optional(http, body);
        if (!door.Settled(query, key) && tables.Present(EntityId.Bridge(definition.Host)) is null)
        {
            return Problem.Wrong("host.unknown", $"There is no host {definition.Host}.", "host").Result();
        }
        var before = tables.Present(id);
        var answer = await door.Change(http, query, id, new DefineVm(definition), key);
        return answer.Early(query) ?? Replies.Defined(http, answer, before, tables.Present(id), Render.Vm);
    }

    static async Task<IResult> Delete(HttpContext http, string vm, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = Id(vm);
        var body = await Body.ReadOptional(http);
        body?.Done();
        var answer = await door.Change(http, query, id, new DeleteVm(), RequestKey.Optional(http, body));
        return answer.Early(query) ?? Results.NoContent();
    }

    static Task<IResult> Start(HttpContext http, string vm, ReadTables tables, Door door, Operations operations) =>
        Run(http, vm, new StartVm(), tables, door, operations);

    static Task<IResult> Stop(HttpContext http, string vm, ReadTables tables, Door door, Operations operations) =>
        Run(http, vm, new StopVm(), tables, door, operations);

    static async Task<IResult> AddNic(HttpContext http, string vm, ReadTables tables, Door door, Operations operations)
    {
        var query = new Query(http, "dryRun", "wait");
        var (id, wait) = (Id(vm), query.Wait);
        var body = await Body.Read(http);
        var nic = VmBody.Nic(vm, body);
        var key = RequestKey.Required(http, body);
        if (!door.Settled(query, key) && tables.Present(id)?.State is VmState.Running { Definition.Host: var host }
            && tables.Present(EntityId.Switch(host, nic.Switch)) is null)
        {
            return Problem.Wrong("vm.switch.unknown", $"There is no {EntityId.Switch(host, nic.Switch)}; define it first.", "switch").Result();
        }
        var answer = await door.Change(http, query, id, new AddNic(nic), key, operation: true);
        return answer.Early(query) ?? await operations.Answer(http, key.Id, wait);
    }

    static async Task<IResult> RemoveNic(HttpContext http, string vm, string nic, Door door, Operations operations)
    {
        var query = new Query(http, "dryRun", "wait");
        var (id, wait) = (Id(vm), query.Wait);
        var body = await Body.ReadOptional(http);
        body?.Done();
        var key = RequestKey.Optional(http, body);
        var answer = await door.Change(http, query, id, new RemoveNic(ApiNames.Nic(nic)), key, operation: true);
        return answer.Early(query) ?? await operations.Answer(http, key.Id, wait);
    }

    static async Task<IResult> Run(HttpContext http, string vm, Command command, ReadTables tables, Door door, Operations operations)
    {
        var query = new Query(http, "dryRun", "wait");
        var (id, wait) = (Id(vm), query.Wait);
        var body = await Body.ReadOptional(http);
        body?.Done();
        var key = RequestKey.Required(http, body);
        if (command is StartVm && !door.Settled(query, key) && Unswitched(tables, id) is { } missing)
        {
            return Problem.Wrong("vm.switch.unknown", $"There is no {missing}; define it first.").Result();
        }
        var answer = await door.Change(http, query, id, command, key, operation: true);
        return answer.Early(query) ?? await operations.Answer(http, key.Id, wait);
    }

    /// <summary>A switch that a NIC of the VM needs and that nobody has defined.</summary>
    static EntityId? Unswitched(ReadTables tables, EntityId id)
    {
        if (tables.Present(id)?.State is not VmState { DefinitionOrNull: { } definition })
        {
            return null;
        }
        foreach (var name in definition.Nics.Select(nic => nic.Switch).Distinct(StringComparer.Ordinal))
        {
            var needed = EntityId.Switch(definition.Host, name);
            if (tables.Present(needed) is null)
            {
                return needed;
            }
        }
        return null;
    }
}

/// <summary>Reads the body of a VM.</summary>
static class VmBody
{
    public const int MtuMin = 68;
    public const int MtuMax = 65_535;
    const int MtuDefault = 1_500;

    // The VM's own bound refuses with its own words; this one only keeps the list in memory.
    const int NicsTaken = 1_000;
    const int PropertiesTaken = 1_000;

    const int FeaturesMax = 32;
    const int FeatureMax = 128;

    public static VmDefinition Read(string vm, Body body)
    {
        var host = body.Name("host", "host");
        var nics = (body.ObjectsOrNull("nics", NicsTaken) ?? []).Select(nic => Nic(vm, nic)).ToList();
        body.Done();
        return new VmDefinition(host, nics);
    }

    public static NicDefinition Nic(string vm, Body body)
    {
        var name = body.Name("name", "NIC");
        var mac = body.TextOrNull("mac", 64) is { } text ? Mac(body, "mac", text) : MacAddress.ForNic(vm, name);
        var nic = new NicDefinition(
            name, body.Name("switch", "switch"),
            body.ChoiceOrNull("type", ("synthetic", NicType.Synthetic), ("emulated", NicType.Emulated)) ?? NicType.Synthetic,
            mac, (int)(body.NumberOrNull("mtu", MtuMin, MtuMax) ?? MtuDefault),
            (int?)body.NumberOrNull("vlan", OidParametersBody.VlanMin, OidParametersBody.VlanMax),
            Attach: body.ChoiceOrNull("attach", ("veth", NicAttach.Veth), ("tap", NicAttach.Tap)) ?? NicAttach.Veth,
            Properties: body.ObjectsOrNull("properties", PropertiesTaken)?.Select(OidParametersBody.PropertyOfNic).ToList(),
            RequiredFeatures: Features(body));
        body.Done();
        return nic;
    }

    /// <summary>None and an empty list are the same.</summary>
    static IReadOnlyList<string>? Features(Body body)
    {
        const string field = "requiredFeatures";
        var features = body.TextsOrNull(field, FeaturesMax, FeatureMax);
        return features?.Any(text => text.Length == 0 || text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) == true
            ? throw body.Wrong("nic.feature", $"An item of {body.Path(field)} is the name or the id of an extension, or of a feature that one owns.", field)
            : features is { Count: > 0 } ? features : null;
    }

    /// <summary>An Ethernet address in its canonical form.</summary>
    public static string Mac(Body body, string field, string text) => MacAddress.Canonical(text)
        ?? throw body.Wrong("field.mac", $"{body.Path(field)} is an address such as 00-15-5d-01-02-03.", field);
}
