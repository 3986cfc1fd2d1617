using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The OID entry of a running control plane (api.md 4); each target has a switch of its own on its host.</summary>
public class HttpTarget(RunningControlPlane running, string host = RunningControlPlane.Host) : ITarget
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    static int _switches;

    readonly Dictionary<string, string> _operations = [];

    public string Host => host;

    public string Switch { get; } = string.Create(CultureInfo.InvariantCulture, $"s{Interlocked.Increment(ref _switches)}");

    public bool PlantsLater => false;

    string SwitchPath => $"/v1/hosts/{Host}/switches/{Switch}";

    public Task<Verdict> DefineSwitch(params ExtensionDefinition[] extensions) => Define(SwitchPath, extensions);

    protected async Task<Verdict> Define(string switchPath, ExtensionDefinition[] extensions) =>
        (await Send(HttpMethod.Put, switchPath, new { kind = "external", drift = "report", extensions })).Verdict;

    public Task<Verdict> Oid(OidRequest request) => Send(SwitchPath, request, null);

    public Task<Verdict> Oid(OidRequest request, PayloadHeader header) => Send(SwitchPath, request, header);

    public async Task<Pending> Begin(OidRequest request)
    {
        var verdict = Oid(request);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var open = await Get(SwitchPath); open!["slot"]?["pendingAt"] is null || (string?)open["slot"]!["requestId"] != request.RequestId && (int)open["queue"]! == 0; open = await Get(SwitchPath))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{request.Oid} is not pending: {open}");
            await Task.Delay(20);
        }
        return new Pending(() => verdict);
    }

    public async Task Passes(TimeSpan time)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < time || (await Get(SwitchPath))!["slot"] is { } && !(await Events(EntityId.Switch(Host, Switch))).Contains("OidSlow") && clock.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(50);
        }
    }

    public async Task<Verdict> Complete(string requestId, string extension, NdisStatus status) =>
        (await Send(HttpMethod.Post, $"{SwitchPath}/oids/{requestId}/completions", new { extension, status })).Verdict;

    public async Task<Verdict> Cancel(string requestId) =>
        (await Send(HttpMethod.Post, $"{SwitchPath}/oids/{Uri.EscapeDataString(requestId)}/cancel", null)).Verdict;

    public async Task<(Verdict, IReadOnlyList<NicBlob>)> Save(string port, int nicIndex = 0)
    {
        var (verdict, answer) = await Send(HttpMethod.Post, $"{SwitchPath}/ports/{port}/nics/{nicIndex}/save", null);
        return (verdict, verdict.Refusal is null ? answer!["blobs"].Deserialize<List<NicBlob>>(Json)! : []);
    }

    public async Task<(Verdict, IReadOnlyList<TakenBlob>)> Restore(string port, IReadOnlyList<NicBlob> blobs, int nicIndex = 0)
    {
        var (verdict, answer) = await Send(HttpMethod.Post, $"{SwitchPath}/ports/{port}/nics/{nicIndex}/restore", new { blobs });
        return (verdict, verdict.Refusal is null ? answer!["blobs"].Deserialize<List<TakenBlob>>(Json)! : []);
    }

    protected async Task<Verdict> Send(string switchPath, OidRequest request, PayloadHeader? header)
    {
        var body = new JsonObject
        {
            ["requestId"] = request.RequestId,
            ["oid"] = request.Oid.ToString(),
            ["portId"] = request.PortId,
            ["nicIndex"] = request.NicIndex,
        };
        if (request.Parameters is { } parameters)
        {
            var fields = JsonSerializer.SerializeToNode(parameters, parameters.GetType(), Json)!.AsObject();
            fields.Remove("attach"); // ours alone
            fields.Remove("epoch");
            body["parameters"] = fields;
        }
        if (header is not null)
        {
            var fields = (JsonObject)(body["parameters"] ??= new JsonObject());
            fields["revision"] = header.Revision;
            fields["size"] = header.Size;
        }
        var (verdict, answer) = await Send(HttpMethod.Post, $"{switchPath}/oids", body);
        return verdict.Refusal is null ? verdict with { Outcome = Outcome(request.Oid, answer!) } : verdict;
    }

    public async Task<IReadOnlyList<Verdict>> OidsAtOnce(IEnumerable<OidRequest> requests) => await Task.WhenAll(requests.Select(Oid));

    public async Task<Verdict> Hold(string holder, uint portId, int? nicIndex)
    {
        var (verdict, answer) = await Send(HttpMethod.Post, $"{SwitchPath}/holds", new { holder, target = new { portId, nicIndex }, purpose = "test" });
        return verdict with { Id = (string?)answer?["id"] };
    }

    public async Task<Verdict> Release(string holdId) => (await Send(HttpMethod.Delete, $"{SwitchPath}/holds/{holdId}", null)).Verdict;

    public async Task InFlight(uint portId, int nicIndex, int packets, int oids) =>
        Done(await Send(HttpMethod.Post, $"{SwitchPath}/inflight", new { portId, nicIndex, packets, oids }));

    public async Task Plant(DriverVerb verb, NdisStatus status, int times = 1, int skip = 0)
    {
        Assert.Equal(0, skip);
        Done(await Send(HttpMethod.Post, $"/v1/hosts/{Host}/faults", new { verb = $"{verb}", status, times }));
    }

    public async Task<Verdict> DefineVm(string vm, params NicDefinition[] nics) => (await Send(HttpMethod.Put, $"/v1/vms/{vm}", new
    {
        host = Host,
        nics = nics.Select(Nic),
    })).Verdict;

    static object Nic(NicDefinition nic) => new
    {
        nic.Name,
        nic.Switch,
        type = nic.Type == NicType.Emulated ? "emulated" : "synthetic",
        nic.Mac,
        nic.Mtu,
        nic.Vlan,
        nic.RequiredFeatures,
        properties = nic.Properties?.Select(property => new
        {
            propertyType = $"{property.PropertyType}",
            property.PropertyInstanceId,
            property.PropertyId,
            property.PropertyVersion,
            property.Value,
        }),
    };

    public async Task<Verdict> AddNic(string vm, NicDefinition nic) =>
        WithProblem(await Send(HttpMethod.Post, $"/v1/vms/{vm}/nics?wait=30s", Nic(nic)));

    public async Task<Verdict> RemoveNic(string vm, string nic)
    {
        var sent = await Send(HttpMethod.Delete, $"/v1/vms/{vm}/nics/{nic}?wait=1s", null);
        Follow(vm, sent.Answer);
        return WithProblem(sent);
    }

    /// <summary>What goes on at the VM, for whoever waits until nothing does.</summary>
    void Follow(string vm, JsonNode? operation)
    {
        if ((string?)operation?["id"] is { } id)
        {
            _operations[vm] = id;
        }
    }

    public async Task<PortSeen> Port(EntityId port)
    {
        var seen = (await Get($"/v1/ports/{port.Text["port/".Length..]}"))!;
        return new PortSeen(
            [.. seen["properties"]!.AsArray().Select(item => $"{item!["propertyType"]} {item["propertyInstanceId"]} {(item.AsObject()["enforcedBy"] is { } by ? by : "nobody")}")],
            (string)seen["policy"]!["wanted"]!, (string?)seen["policy"]!["observed"], (bool)seen["ready"]!);
    }

    public async Task<IReadOnlyList<string>> Alarms(EntityId id) => [.. (await Items("/v1/alarms?limit=1000"))
        .Where(alarm => (string)alarm!["actor"]! == id.Text).Select(alarm => (string)alarm!["code"]!)];

    public async Task<bool> Raises(EntityId id, string code, TimeSpan after)
    {
        await RunningControlPlane.Until(async () => (await Alarms(id)).Contains(code), $"{id} raises {code} after {after}");
        return true;
    }

    public async Task<Verdict> StartVm(string vm) => WithProblem(await Send(HttpMethod.Post, $"/v1/vms/{vm}/start?wait=30s", null));

    protected static Verdict WithProblem((Verdict Verdict, JsonNode? Answer) sent) =>
        sent.Verdict.Refusal is null && sent.Answer?["problem"] is { } problem ? sent.Verdict with { Refusal = RefusalOf(problem) } : sent.Verdict;

    public async Task<Verdict> StopVm(string vm)
    {
        var (verdict, answer) = await Send(HttpMethod.Post, $"/v1/vms/{vm}/stop?wait=1s", null);
        Follow(vm, answer);
        return verdict;
    }

    public async Task<string> Power(string vm)
    {
        if (_operations.TryGetValue(vm, out var operation))
        {
            await Get($"/v1/operations/{operation}?wait=1s");
        }
        return (string)(await Get($"/v1/vms/{vm}"))!["state"]!;
    }

    public async Task<IReadOnlyList<string>> Events(EntityId id) =>
        [.. (await Items($"/v1/events?actor={Uri.EscapeDataString(id.Text)}")).Select(item => (string)item!["type"]!)];

    public async Task<int?> Mtu(EntityId nic) => (int?)(await Get($"/v1/nics/{nic.Text["nic/".Length..]}"))!["mtu"];

    public async Task<string> Picture()
    {
        var all = (await Items($"{SwitchPath}/ports?limit=1000")).Concat(await Items($"{SwitchPath}/nics?limit=1000")).ToList();
        foreach (var item in all)
        {
            item!.AsObject().Remove("revision"); // an attempt that ended as it began counts, too
            item.AsObject().Remove("updated");
        }
        return string.Join('\n', all.Select(item => item!.ToJsonString()));
    }

    public async Task<bool> DataPathIsClean()
    {
        var counts = (await Get(SwitchPath))!["counts"]!;
        return (int)counts["ports"]! == 0 && (int)counts["nics"]! == 0;
    }

    protected async Task<(Verdict Verdict, JsonNode? Answer)> Send(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Add("Idempotency-Key", $"{Guid.CreateVersion7():D}");
        request.Content = body is null ? null : JsonContent.Create(body, body.GetType(), options: Json);
        using var response = await running.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var answer = text.Length == 0 ? null : JsonNode.Parse(text);
        return (new Verdict((int)response.StatusCode, null, response.IsSuccessStatusCode ? null : RefusalOf(answer!)), answer);
    }

    protected async Task<JsonNode?> Get(string path) => await running.Client.GetFromJsonAsync<JsonNode>(new Uri(path, UriKind.Relative));

    /// <summary>All pages.</summary>
    protected async Task<List<JsonNode?>> Items(string path)
    {
        var items = new List<JsonNode?>();
        for (var next = path; next is not null;)
        {
            var page = (await Get(next))!;
            items.AddRange(page["items"]!.AsArray());
            var token = (string?)page["nextPageToken"];
            next = token is null ? null : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}pageToken={Uri.EscapeDataString(token)}";
        }
        return items;
    }

    protected static void Done((Verdict Verdict, JsonNode?) sent) => Assert.True(sent.Verdict.Succeeded, $"{sent.Verdict}");

    static OidOutcome Outcome(OidCode oid, JsonNode answer) => new(
        (string)answer["requestId"]!, oid, Status(answer["status"]), (uint)answer["portId"]!, (int)answer["nicIndex"]!,
        answer["refusedBy"] is { } by
            ? new RefusedBy((int)by["position"]!, (string)by["extension"]!, Status(by["status"]), (string?)by["field"], (string?)by["rule"], (string?)by["detail"])
            : null,
        answer["faults"].Deserialize<List<ExtensionFault>>(Json)!,
        Trace(answer["trace"]),
        (string)answer["portState"]!, (string)answer["nicState"]!, answer["output"].Deserialize<JsonElement?>(Json))
    {
        BytesNeeded = (int?)answer["bytesNeeded"],
        UplinkUsable = (bool?)answer["uplinkUsable"],
        OutputNotKept = (int?)answer["outputNotKept"],
        Indicated = answer["indicated"].Deserialize<List<OriginatedStatus>>(Json),
        Originated = answer["originated"]?.AsArray().Select(own => new OriginatedOid(
            (string)own!["parent"]!, (string)own["requestId"]!, (int)own["position"]!, (string)own["extension"]!,
            OidCode.Parse((string)own["oid"]!)!.Value, Status(own["status"]), Trace(own["trace"]))).ToList(),
    };

    static IReadOnlyList<TraceStep> Trace(JsonNode? steps) => [.. steps!.AsArray().Select(step => new TraceStep(
        (int)step!["position"]!, (string)step["extension"]!, Enum.Parse<TraceDirection>((string)step["direction"]!, ignoreCase: true), Status(step["status"])))];

    static NdisStatus Status(JsonNode? name) => NdisStatusNames.Parse((string)name!)!.Value;

    /// <summary>The problem, as the refusal that it was made from.</summary>
    static Refusal RefusalOf(JsonNode problem) => new(
        RefusalKind.Conflict, (string)problem["code"]!, (string)problem["detail"]!, (string?)problem["rule"], (string?)problem["state"],
        (string?)problem["field"], problem["holds"].Deserialize<DrainReport>(Json));
}
