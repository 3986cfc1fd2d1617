using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Switches: define, look, delete; and the lists of what is on one.</summary>
static class SwitchesApi
{
    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapGet("/hosts/{host}/switches", List).Produces<Page<SwitchDocument>>().WithSummary("The switches of a host");
        v1.MapGet("/hosts/{host}/switches/{name}", Get).Produces<SwitchDocument>().WithSummary("One switch, now or at a time");
        v1.MapPut("/hosts/{host}/switches/{name}", Put).Accepts<SwitchDefinition>("application/json").Produces<SwitchDocument>()
            .WithSummary("Defines a switch and its extensions, or defines it anew");
        v1.MapDelete("/hosts/{host}/switches/{name}", Delete).Produces(StatusCodes.Status204NoContent).WithSummary("Deletes a switch without ports");
        v1.MapGet("/hosts/{host}/switches/{name}/history", (HttpContext http, string host, string name, EventLog log, PageTokens tokens) =>
            EventsApi.History(http, Id(host, name), log, tokens)).Produces<Page<EventDocument>>().WithSummary("The switch's events");
        v1.MapGet("/hosts/{host}/switches/{name}/ports", Ports).Produces<Page<PortDocument>>().WithSummary("The ports of a switch");
        v1.MapGet("/hosts/{host}/switches/{name}/nics", Nics).Produces<Page<NicDocument>>().WithSummary("The NICs on a switch");
    }

    public static EntityId Id(string host, string name) => EntityId.Switch(ApiNames.Host(host), ApiNames.Switch(name));

    static IResult List(HttpContext http, string host, ReadTables tables, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        return tables.Present(EntityId.Bridge(ApiNames.Host(host))) is null && tables.List("switch", host, null, null, 1).Count == 0
            ? Problem.NotFound("host.unknown", $"There is no host {host}.").Result()
            : Replies.Page(http, query, tokens, (after, limit) => tables.List("switch", host, null, after, limit), view => view.Id.Text, Render.Switch);
    }

    static IResult Get(HttpContext http, string host, string name, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var id = Id(host, name);
        return Replies.Find(query, tables, past, id) is { } view
            ? Replies.Shown(http, view, Render.Switch(view))
            : Replies.Absent("switch", id);
    }

    static async Task<IResult> Put(HttpContext http, string host, string name, ReadTables tables, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = Id(host, name);
        var body = await Body.Read(http);
        var definition = SwitchBody.Read(body);
        var key = RequestKey.Optional(http, body);
        var before = tables.Present(id);
        if (before is null && !door.Settled(query, key) && tables.Present(EntityId.Bridge(host)) is null)
        {
            return Problem.NotFound("host.unknown", $"There is no host {host}.").Result();
        }
        var answer = await door.Change(http, query, id, new DefineSwitch(definition), key);
        return answer.Early(query) ?? Replies.Defined(http, answer, before, tables.Present(id), Render.Switch);
    }

    static async Task<IResult> Delete(HttpContext http, string host, string name, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = Id(host, name);
        var body = await Body.ReadOptional(http);
        body?.Done();
        var answer = await door.Change(http, query, id, new DeleteSwitch(), RequestKey.Optional(http, body));
        return answer.Early(query) ?? Results.NoContent();
    }

    static IResult Ports(HttpContext http, string host, string name, ReadTables tables, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        var id = Id(host, name);
        return tables.Present(id) is null
            ? Replies.Absent("switch", id)
            : Replies.Page(http, query, tokens, (after, limit) => tables.List("port", null, id, after, limit), view => view.Id.Text,
                view => Render.Port(view, tables.View));
    }

    static IResult Nics(HttpContext http, string host, string name, ReadTables tables, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        var id = Id(host, name);
        return tables.Present(id) is null
            ? Replies.Absent("switch", id)
            : Replies.Page(http, query, tokens, (after, limit) => tables.List("nic", null, id, after, limit), view => view.Id.Text, Render.Nic);
    }
}

/// <summary>Reads the body of a switch.</summary>
static class SwitchBody
{
    const int TextMax = 128;

    // The bound is the switch's own: more are let through, so that it refuses with its own words.
    const int ExtensionsTaken = 1_000;

    public static SwitchDefinition Read(Body body)
    {
        var kind = body.ChoiceOrNull("kind",
            ("external", SwitchKind.External), ("internal", SwitchKind.Internal), ("private", SwitchKind.Private)) ?? throw body.Missing("kind");
        var uplink = body.TextOrNull("uplink", TextMax);
        if (uplink is not null && (uplink.Length == 0 || uplink.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '/')))
        {
            throw body.Wrong("switch.uplink", "uplink is the name of a device of the host.", "uplink");
        }
        var drift = body.ChoiceOrNull("drift", ("report", DriftPolicy.Report), ("repair", DriftPolicy.Repair)) ?? DriftPolicy.Report;
        var extensions = body.ObjectsOrNull("extensions", ExtensionsTaken)?.Select(Extension).ToList() ?? [];
        body.Done();
        return new SwitchDefinition(kind, uplink, drift, extensions);
    }

    static ExtensionDefinition Extension(Body body)
    {
        var extension = new ExtensionDefinition(
            body.Text("name", TextMax),
            body.ChoiceOrNull("class",
                ("capture", ExtensionClass.Capture), ("filter", ExtensionClass.Filter), ("forward", ExtensionClass.Forward)) ?? throw body.Missing("class"),
            body.TruthOrNull("enabled") ?? true,
            body.ObjectOrNull("settings") is { } settings ? ExtensionSettingsBody.Read(settings) : null);
        body.Done();
        return extension;
    }
}
