using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>The OID entry: being the protocol edge (api.md 4).</summary>
static class OidsApi
{
    const int RequestIdMax = 128;

    // The bound is the switch's own: more are let through, so that it refuses with its own words.
    const int BlobsTaken = 1_000;

    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapPost("/hosts/{host}/switches/{name}/oids", Send)
            .Accepts<object>("application/json").Produces<OidDocument>().WithSummary("Sends one OID down the switch's stack");
        v1.MapPost("/hosts/{host}/switches/{name}/oids/{requestId}/completions", Complete)
            .Accepts<object>("application/json").Produces<CompletionDocument>().WithSummary("Answers an OID for the extension that has pended it");
        v1.MapPost("/hosts/{host}/switches/{name}/oids/{requestId}/cancel", Cancel)
            .Produces<CancellationDocument>().WithSummary("Asks for the cancelling of an open OID; best effort: it may end as if nobody had asked");
        v1.MapPost("/hosts/{host}/switches/{name}/ports/{port}/nics/{index:int}/save", Save)
            .Produces<SavedNicDocument>().WithSummary("Saves a NIC: what the switch's extensions have to give for it");
        v1.MapPost("/hosts/{host}/switches/{name}/ports/{port}/nics/{index:int}/restore", Restore)
            .Accepts<object>("application/json").Produces<RestoredNicDocument>().WithSummary("Gives a NIC back what was saved of it");
    }

    static async Task<IResult> Send(HttpContext http, string host, string name, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var requestId = body.Text("requestId", RequestIdMax);
        if (requestId.Length == 0 || requestId.Any(c => c is <= ' ' or > '~'))
        {
            throw body.Wrong("oid.requestId", "requestId is 1 to 128 printable characters of ASCII.", "requestId");
        }
        var oid = OidCode.Parse(body.Text("oid", RequestIdMax))
            ?? throw body.Wrong("oid.unknown", "oid is a name of the table, or 0x and eight digits.", "oid");
        var portId = (uint)(body.NumberOrNull("portId", 0, uint.MaxValue) ?? 0);
        var nicIndex = (int)(body.NumberOrNull("nicIndex", 0, ushort.MaxValue) ?? 0);
        var (parameters, header) = OidParametersBody.Read(oid, body);
        body.Done();
        var key = new RequestKey($"{RequestIds.Oid}{host}/{name}:{requestId}", requestId, RequestKey.Hash(http, body));
        var answer = await door.Change(http, query, id, new SubmitOid(new OidRequest(requestId, oid, portId, nicIndex, parameters), FromPeer: true, header), key);
        return answer.Early(query) ?? (answer.Reply is OidOutcome outcome
            ? Replies.Json(Render.Oid(outcome, answer.Sequence))
            : AnotherWord());
    }

    static async Task<IResult> Complete(HttpContext http, string host, string name, string requestId, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var extension = body.Text("extension", RequestIdMax);
        var status = NdisStatusNames.Parse(body.Text("status", RequestIdMax))
            ?? throw body.Wrong("oid.status", "status is the name of an NDIS status.", "status");
        body.Done();
        var answer = await door.Change(http, query, id, new CompleteOid(Whole(requestId), extension, status), RequestKey.Required(http, body));
        return answer.Early(query) ?? Replies.Json(new CompletionDocument(requestId, extension, status.Name()));
    }

    static async Task<IResult> Cancel(HttpContext http, string host, string name, string requestId, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.ReadOptional(http);
        body?.Done();
        var answer = await door.Change(http, query, id, new CancelOid(Whole(requestId)), RequestKey.Required(http, body));
        return answer.Early(query) ?? Replies.Json(new CancellationDocument(requestId));
    }

    static async Task<IResult> Save(HttpContext http, string host, string name, string port, int index, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.ReadOptional(http);
        body?.Done();
        var answer = await door.Change(http, query, id, new SaveNicData(ApiNames.Port(port), index), RequestKey.Required(http, body));
        return answer.Early(query) ?? (answer.Reply is NicDataSaved saved ? Replies.Json(new SavedNicDocument(saved.Blobs)) : AnotherWord());
    }

    static async Task<IResult> Restore(HttpContext http, string host, string name, string port, int index, Door door)
    {
        var query = new Query(http, "dryRun");
        var id = SwitchesApi.Id(host, name);
        var body = await Body.Read(http);
        var blobs = body.ObjectsOrNull("blobs", BlobsTaken)?.Select(OidParametersBody.Blob).ToList() ?? throw body.Missing("blobs");
        body.Done();
        var answer = await door.Change(http, query, id, new RestoreNicData(ApiNames.Port(port), index, blobs), RequestKey.Required(http, body));
        return answer.Early(query) ?? (answer.Reply is NicDataRestored restored ? Replies.Json(new RestoredNicDocument(restored.Blobs)) : AnotherWord());
    }

    /// <summary>A route value is decoded but for its slashes.</summary>
    static string Whole(string requestId) => requestId.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    static IResult AnotherWord() => Problem.Of(new Refusal(RefusalKind.Defect, "oid.answer", "The switch answered with another word.")).Result();
}
