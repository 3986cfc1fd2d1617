using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Two hosts of their own at the agent socket of a running control plane. Before every command both are looked at.</summary>
sealed class HttpTwoHosts : HttpTarget, ITwoHosts
{
    static int _pairs;

    readonly RunningControlPlane _running;
    readonly RemoteHost _source;
    readonly RemoteHost _destination;
    readonly ConcurrentDictionary<string, int> _most = new();

    public HttpTwoHosts(RunningControlPlane running)
        : this(running, string.Create(CultureInfo.InvariantCulture, $"mig{Interlocked.Increment(ref _pairs)}"))
    {
    }

    HttpTwoHosts(RunningControlPlane running, string name)
        : base(running, $"{name}a")
    {
        _running = running;
        (_source, _destination) = (new RemoteHost(running, $"{name}a"), new RemoteHost(running, $"{name}b"));
        _source.Looked = _destination.Looked = Look;
    }

    public string Destination => _destination.Name;

    public async Task Begin()
    {
        await _source.Comes();
        await _destination.Comes();
    }

    public async Task End()
    {
        await _source.DisposeAsync();
        await _destination.DisposeAsync();
    }

    public Task<Verdict> DefineAt(string host, string name, params ExtensionDefinition[] extensions) =>
        Define($"/v1/hosts/{host}/switches/{name}", extensions);

    public Task<Verdict> OidAt(string host, OidRequest request) => Send($"/v1/hosts/{host}/switches/{Switch}", request, null);

    public async Task PlantAt(string host, DriverVerb verb, NdisStatus status, int times = 1) =>
        Done(await Send(HttpMethod.Post, $"/v1/hosts/{host}/faults", new { verb = $"{verb}", status, times }));

    public async Task<Verdict> Migrate(string vm)
    {
        var verdict = WithProblem(await Send(HttpMethod.Post, $"/v1/vms/{vm}/migrations?wait=60s", new { destination = Destination }));
        if (verdict.Http == 200)
        {
            // The VM knows where it stays before the rest is tidied up.
            await RunningControlPlane.Until(async () => (await Migration(vm))?["ended"] is not null, $"{vm}~1 has ended");
        }
        return verdict;
    }

    public async Task<Verdict> BeginMigration(string vm, GuestMover guest = GuestMover.None) =>
        (await Send(HttpMethod.Post, $"/v1/vms/{vm}/migrations", new { destination = Destination, guest = guest == GuestMover.External ? "external" : "none" })).Verdict;

    public async Task<Verdict> Report(string vm, GuestEvent happened) =>
        (await Send(HttpMethod.Post, $"/v1/migrations/{vm}~1/guest", new { @event = $"{happened}".ToLowerInvariant() })).Verdict;

    public async Task<Verdict> CancelMigration(string vm) => (await Send(HttpMethod.Post, $"/v1/migrations/{vm}~1/cancel", null)).Verdict;

    public Task Reaches(string vm, string state) =>
        RunningControlPlane.Until(async () => (string?)(await Migration(vm))?["state"] == state, $"{vm}~1 is {state}");

    public async Task SourceFallsSilentAfterTheSave(string vm)
    {
        _source.LoseCommand(DriverVerb.DisconnectNic);
        await BeginMigration(vm);
        await RunningControlPlane.Until(() => Task.FromResult(!_source.CommandsLost.IsEmpty), "the source was told to close its gate");
        await _source.Goes();
    }

    public async Task Returns(string host, bool rebooted)
    {
        var remote = host == Host ? _source : _destination;
        if (rebooted)
        {
            remote.Reboot();
        }
        await remote.Comes();
    }

    public async Task GivesUp(string host)
    {
        (host == Host ? _source : _destination).Reboot(); // it is off: that is what the operator says
        Done(await Send(HttpMethod.Delete, $"/v1/hosts/{host}?force=true", null));
    }

    public async Task<IReadOnlyList<string>> Story(string vm)
    {
        var switches = new[] { Host, Destination }.SelectMany(host => new[] { Switch, $"{Switch}b" }.Select(name => $"switch/{host}/{name}"));
        var all = new List<JsonNode>();
        foreach (var actor in switches.Append($"vm/{vm}"))
        {
            all.AddRange((await Items($"/v1/events?actor={Uri.EscapeDataString(actor)}&limit=1000"))!);
        }
        return [.. all.OrderBy(item => long.Parse((string)item["ordering"]!, CultureInfo.InvariantCulture))
            .SkipWhile(item => (string)item["type"]! != nameof(VmMigrationStarted)).Select(Line).OfType<string>()];
    }

    static string? Line(JsonNode item)
    {
        var actor = ((string)item["actor"]!).Split('/');
        return (actor[0], (string)item["type"]!) switch
        {
            ("vm", var type) => $"vm/{actor[1]} {type}",
            (_, nameof(OidCompleted)) => $"{actor[1]} {item["oid"]}{(item["body"]!["outcome"]!["status"]!.ToString() == NdisStatus.Success.Name() ? "" : "!")}",
            _ => null,
        };
    }

    public int GatesOpenAtOnce(EntityId nic)
    {
        Look();
        return _most.GetValueOrDefault(nic.Text);
    }

    public bool IsOpenAt(string host, EntityId nic) => (host == Host ? _source : _destination).OpenGates.Contains(nic.Text);

    public async Task<bool?> LastVf(string host) => (bool?)(await Items($"/v1/events?actor={Uri.EscapeDataString($"switch/{host}/{Switch}")}&type=OidQueued&limit=1000"))
        .Select(item => item!["body"]!["request"]!).Last(request => (string?)request["oid"] == "OID_SWITCH_NIC_UPDATED")["parameters"]!["vfAssigned"];

    public async Task<uint> PortNumber(EntityId port) => (uint)(await Get($"/v1/ports/{port.Text["port/".Length..]}"))!["portId"]!;

    public Task<int> Announced(EntityId nic) => Task.FromResult(_destination.Announced(nic.Text));

    async Task<JsonNode?> Migration(string vm)
    {
        using var answer = await _running.Client.GetAsync(new Uri($"/v1/migrations/{vm}~1", UriKind.Relative));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonNode>() : null;
    }

    void Look()
    {
        foreach (var (nic, open) in _source.OpenGates.Concat(_destination.OpenGates).CountBy(nic => nic))
        {
            _most.AddOrUpdate(nic, open, (_, most) => Math.Max(most, open));
        }
    }
}
