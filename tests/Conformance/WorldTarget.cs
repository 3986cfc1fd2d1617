using System.Globalization;
using System.Text;
using ControlPlane.Actors;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Actors.Projections;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The lifecycles alone, in a world of their own.</summary>
public class WorldTarget : ITarget
{
    int _holds;

    public WorldTarget() => World.Connect(Host);

    public World World { get; } = new();

    public string Host => "hv01";

    public string Switch => "sw";

    public bool PlantsLater => true;

    public EntityId SwitchId => EntityId.Switch(Host, Switch);

    public Task<Verdict> DefineSwitch(params ExtensionDefinition[] extensions) => Of(World.DefineSwitch(SwitchId, DriftPolicy.Report, extensions));

    public Task<Verdict> Oid(OidRequest request) => Of(World.Oid(SwitchId, request));

    public Task<Verdict> Oid(OidRequest request, PayloadHeader header) =>
        Of(World.Do(SwitchId, new SubmitOid(request, FromPeer: true, header), request.RequestId));

    public Task<Pending> Begin(OidRequest request)
    {
        var question = World.Ask(SwitchId, request.RequestId, new SubmitOid(request, FromPeer: true));
        World.Settle();
        return Task.FromResult(new Pending(() =>
        {
            World.Settle();
            return Of(question.Answer ?? throw new InvalidOperationException($"{request.Oid} was not answered"));
        }));
    }

    public Task Passes(TimeSpan time)
    {
        World.Advance(time);
        return Task.CompletedTask;
    }

    public Task<Verdict> Complete(string requestId, string extension, NdisStatus status) => Of(World.Do(SwitchId, new CompleteOid(requestId, extension, status)));

    public Task<Verdict> Cancel(string requestId) => Of(World.Do(SwitchId, new CancelOid(requestId)));

    public async Task<(Verdict, IReadOnlyList<NicBlob>)> Save(string port, int nicIndex = 0)
    {
        var answer = World.Do(SwitchId, new SaveNicData(port, nicIndex));
        return (await Of(answer), (answer.Reply as NicDataSaved)?.Blobs ?? []);
    }

    public async Task<(Verdict, IReadOnlyList<TakenBlob>)> Restore(string port, IReadOnlyList<NicBlob> blobs, int nicIndex = 0)
    {
        var answer = World.Do(SwitchId, new RestoreNicData(port, nicIndex, blobs));
        return (await Of(answer), (answer.Reply as NicDataRestored)?.Blobs ?? []);
    }

    public async Task<IReadOnlyList<Verdict>> OidsAtOnce(IEnumerable<OidRequest> requests)
    {
        Question[] asked = [.. requests.Select(request => World.Ask(SwitchId, request.RequestId, new SubmitOid(request, FromPeer: true)))];
        World.Settle();
        return await Task.WhenAll(asked.Select(question => Of(question.Answer!)));
    }

    public Task<Verdict> Hold(string holder, uint portId, int? nicIndex)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"hold-{++_holds}");
        return Of(World.Do(SwitchId, new TakeHoldAt(id, holder, portId, nicIndex, "test")), id);
    }

    public Task<Verdict> Release(string holdId) => Of(World.Do(SwitchId, new ReleaseHoldAt(holdId)));

    public Task InFlight(uint portId, int nicIndex, int packets, int oids) =>
        Of(World.Do(SwitchId, new SetInFlightAt(portId, nicIndex, packets, oids)));

    public Task Plant(DriverVerb verb, NdisStatus status, int times = 1, int skip = 0)
    {
        World.Hosts[Host].Plant(verb, status, times, skip);
        return Task.CompletedTask;
    }

    public Task<Verdict> DefineVm(string vm, params NicDefinition[] nics) => Of(World.DefineVm(vm, Host, nics));

    public Task<Verdict> AddNic(string vm, NicDefinition nic) => Operation(vm, World.Do(EntityId.Vm(vm), new AddNic(nic)));

    public Task<Verdict> RemoveNic(string vm, string nic) => Operation(vm, World.Do(EntityId.Vm(vm), new RemoveNic(nic)));

    public Task<PortSeen> Port(EntityId port)
    {
        var body = World.State<PortState>(port).BodyOrNull!;
        var nic = body.Nics.Count > 0 ? World.State<NicState>(body.Nics[0]) : null;
        return Task.FromResult(new PortSeen(
            [.. body.Properties.Values.Select(property => $"{property.Parameters.PropertyType} {property.Parameters.PropertyInstanceId} {property.EnforcedBy ?? "nobody"}")],
            PortPolicies.Of(body.Properties.Values).Digest, nic is null ? null : World.Hosts[Host].Devices.GetValueOrDefault(nic.Id.Text)?.Policy,
            nic?.IsReady() != false));
    }

    public Task<IReadOnlyList<string>> Alarms(EntityId id) => Task.FromResult<IReadOnlyList<string>>(
        [.. ControlPlane.Actors.Projections.Alarms.Of(World.Rows(id).Aggregate(EntityView.New(id), (view, row) => view.After(row))).Select(alarm => alarm.Code)]);

    public async Task<bool> Raises(EntityId id, string code, TimeSpan after)
    {
        World.Advance(after);
        return (await Alarms(id)).Contains(code);
    }

    public Task<Verdict> StartVm(string vm) => Operation(vm, World.StartVm(vm));

    Task<Verdict> Operation(string vm, Answer answer)
    {
        var problem = answer.Refusal ?? World.State<VmState>(EntityId.Vm(vm)).Operations[^1].Problem;
        return Of(answer with { Refusal = problem });
    }

    public Task<Verdict> StopVm(string vm) => Of(World.StopVm(vm));

    public Task<string> Power(string vm) => Task.FromResult(World.State<VmState>(EntityId.Vm(vm)).Name);

    public Task<IReadOnlyList<string>> Events(EntityId id) => Task.FromResult(World.Events(id));

    public Task<int?> Mtu(EntityId nic) => Task.FromResult(World.State<NicState>(nic).BodyOrNull?.Parameters.Mtu);

    public Task<string> Picture() => Task.FromResult(string.Join('\n', World.Entities
        .Where(id => id.Kind is "port" or "nic")
        .Select(id => $"{id} {Encoding.UTF8.GetString(StateNames.Encode(id, World.State(id)!))}")
        .Concat(World.Switch(SwitchId).Ports.Values.Select(port => $"{port.PortId} {port.Name} {string.Join(',', port.Nics)}"))));

    public Task<bool> DataPathIsClean()
    {
        var path = World.Hosts[Host];
        return Task.FromResult(path.Devices.Count == 0 && path.Ports.Count == 0);
    }

    protected static Task<Verdict> Of(Answer answer, string? id = null) => Task.FromResult(new Verdict(
        answer.Refusal is { } refusal ? Http(refusal.Kind) : 200, answer.Refusal is null ? answer.Reply as OidOutcome : null, answer.Refusal, id));

    static int Http(RefusalKind kind) => kind switch
    {
        RefusalKind.NotFound => 404,
        RefusalKind.Unprocessable => 422,
        RefusalKind.Offline => 503,
        _ => 409,
    };
}
