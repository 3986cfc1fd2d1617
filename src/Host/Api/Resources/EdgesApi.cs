using ControlPlane.Actors.Vms;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Ports and NICs: what they are, and were.</summary>
static class EdgesApi
{
    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapGet("/ports/{host}/{name}/{port}", Port).Produces<PortDocument>().WithSummary("One port, now or at a time");
        v1.MapGet("/ports/{host}/{name}/{port}/history", (HttpContext http, string host, string name, string port, EventLog log, PageTokens tokens) =>
            EventsApi.History(http, PortId(host, name, port), log, tokens)).Produces<Page<EventDocument>>().WithSummary("The port's events");
        v1.MapGet("/nics/{vm}/{nic}", VmNic).Produces<NicDocument>().WithSummary("One NIC of a VM, now or at a time");
        v1.MapGet("/nics/{vm}/{nic}/history", (HttpContext http, string vm, string nic, EventLog log, PageTokens tokens) =>
            EventsApi.History(http, NicId(vm, nic), log, tokens)).Produces<Page<EventDocument>>().WithSummary("The NIC's events");
        v1.MapGet("/nics/{host}/{name}/{port}/{index:int}", HostNic).Produces<NicDocument>().WithSummary("One NIC of a host, now or at a time");
    }

    static EntityId PortId(string host, string name, string port) =>
        EntityId.Port(ApiNames.Host(host), ApiNames.Switch(name), ApiNames.Port(port));

    static EntityId NicId(string vm, string nic) => EntityId.Nic(ApiNames.Vm(vm), ApiNames.Nic(nic));

    static IResult Port(HttpContext http, string host, string name, string port, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var id = PortId(host, name, port);
        return Replies.Find(query, tables, past, id) is { } view
            ? Replies.Shown(http, view, Render.Port(view, nic => query.Time("at") is { } time ? past.At(nic, time) : tables.View(nic)))
            : Replies.Absent("port", id);
    }

    /// <summary>A VM's NIC is a thing of its own, also while it is on no port: it keeps its epoch and its address.</summary>
    static IResult VmNic(HttpContext http, string vm, string nic, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var id = NicId(vm, nic);
        var view = query.Time("at") is { } time ? past.At(id, time) : tables.View(id);
        if (view is not null)
        {
            return Replies.Shown(http, view, Render.Nic(view));
        }
        var owner = Replies.Find(query, tables, past, EntityId.Vm(vm))?.State as VmState;
        return owner?.DefinitionOrNull?.Nics.FirstOrDefault(known => known.Name == nic) is { } defined
            ? Replies.Json(Render.NicOf(id, defined))
            : Replies.Absent("nic", id);
    }

    static IResult HostNic(HttpContext http, string host, string name, string port, int index, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var id = EntityId.HostNic(ApiNames.Host(host), ApiNames.Switch(name), ApiNames.Port(port), index);
        return Replies.Find(query, tables, past, id) is { } view ? Replies.Shown(http, view, Render.Nic(view)) : Replies.Absent("nic", id);
    }
}
