using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The words that the scenarios of switch.md 7 are told in.</summary>
public abstract class Scenario(ITarget target)
{
    /// <summary>The port that most scenarios are about.</summary>
    protected const uint P = 7;

    /// <summary>A second port.</summary>
    protected const uint Q = 8;

    int _requests;

    protected ITarget Target { get; } = target;

    protected EntityId SwitchId => EntityId.Switch(Target.Host, Target.Switch);

    /// <summary>The VM of this scenario's NICs; its name is the switch's, so that no two scenarios share one.</summary>
    protected string Vm => $"vm-{Target.Switch}";

    protected EntityId PortId(uint port = P) => EntityId.Port(Target.Host, Target.Switch, PortName(port));

    protected EntityId NicId(uint port = P) => EntityId.Nic(Vm, NicName(port));

    protected static string PortName(uint port) => string.Create(CultureInfo.InvariantCulture, $"port-{port}");

    protected static string NicName(uint port) => string.Create(CultureInfo.InvariantCulture, $"eth-{port}");

    protected string NextRequest() => string.Create(CultureInfo.InvariantCulture, $"{Target.Switch}-{++_requests}");

    protected Task<Verdict> Try(OidCode oid, uint port = P, int index = 0, OidParameters? parameters = null, string? request = null) =>
        Target.Oid(new OidRequest(request ?? NextRequest(), oid, port, index, parameters));

    /// <summary>The OID is completed with success.</summary>
    protected async Task<OidOutcome> Does(OidCode oid, uint port = P, int index = 0, OidParameters? parameters = null, string? request = null)
    {
        var verdict = await Try(oid, port, index, parameters, request);
        Assert.True(verdict is { Outcome.Status: NdisStatus.Success }, $"{oid} {port}/{index}: {verdict}");
        return verdict.Outcome!;
    }

    protected Task<OidOutcome> CreatePort(
        uint port = P, PortType type = PortType.Synthetic, bool validation = false, string? name = null, string? friendlyName = null) =>
        Does(OidCode.PortCreate, port, parameters: Port(port, type, validation, name, friendlyName));

    protected static PortParameters Port(
        uint port = P, PortType type = PortType.Synthetic, bool validation = false, string? name = null, string? friendlyName = null) =>
        new(name ?? PortName(port), friendlyName ?? PortName(port), type, validation);

    protected NicParameters Nic(uint port = P, NicType type = NicType.Synthetic, string? name = null) => new(
        name ?? $"{Vm}--{NicName(port)}", type, type is NicType.Synthetic or NicType.Emulated ? Vm : null, Mtu: 1500,
        PermanentMacAddress: string.Create(CultureInfo.InvariantCulture, $"00:15:5d:00:00:{port % 256:x2}"));

    /// <summary>A NIC of an external or internal port.</summary>
    protected static NicParameters HostNic(NicType type, string name = "adapter") => new(name, type);

    protected Task<OidOutcome> CreateNic(uint port = P, NicType type = NicType.Synthetic) =>
        Does(OidCode.NicCreate, port, parameters: Nic(port, type));

    protected Task<OidOutcome> ConnectNic(uint port = P) => Does(OidCode.NicConnect, port);

    protected Task<OidOutcome> DisconnectNic(uint port = P) => Does(OidCode.NicDisconnect, port);

    protected Task<OidOutcome> DeleteNic(uint port = P) => Does(OidCode.NicDelete, port);

    protected async Task Connected(uint port = P)
    {
        await CreatePort(port);
        await CreateNic(port);
        await ConnectNic(port);
    }

    protected async Task Disconnected(uint port = P)
    {
        await Connected(port);
        await DisconnectNic(port);
    }

    protected async Task TearingDown(uint port = P)
    {
        await CreatePort(port);
        await Does(OidCode.PortTeardown, port);
    }

    /// <summary>The VM of this scenario, with one NIC for each name.</summary>
    protected Task<Verdict> DefineVm(params string[] nics) => Target.DefineVm(Vm, [.. nics.Select((nic, n) => new NicDefinition(
        nic, Target.Switch, NicType.Synthetic, string.Create(CultureInfo.InvariantCulture, $"00:15:5d:01:00:{n:x2}")))]);

    protected static PropertyParameters Security(string instance = "i1") => new(PropertyType.Security, instance);

    /// <summary>
    /// What every illegal request has in common: a code and a rule, the state of all ports and NICs as before, and one
    /// more rejection in the switch's audit.
    /// </summary>
    protected async Task<Refusal> Rejects(string code, string rule, Func<Task<Verdict>> illegal)
    {
        var (before, audited) = (await Target.Picture(), await Rejections());
        var verdict = await illegal();
        Assert.True(verdict.Refusal is not null, $"not refused but {verdict}");
        Assert.Equal((code, rule), (verdict.Refusal.Code, verdict.Refusal.Rule));
        Assert.Contains(verdict.Http, new[] { 409, 422 });
        Assert.Equal(before, await Target.Picture());
        Assert.Equal(audited + 1, await Rejections());
        return verdict.Refusal;
    }

    /// <summary>How often the switch has recorded an event of this type.</summary>
    protected async Task<int> Times(string type) => (await Target.Events(SwitchId)).Count(known => known == type);

    Task<int> Rejections() => Times("OidRejected");

    /// <summary>These events are in the entity's history in this order, with others between them.</summary>
    protected async Task Happened(EntityId id, params string[] types)
    {
        var history = await Target.Events(id);
        var at = 0;
        foreach (var type in history)
        {
            at += at < types.Length && types[at] == type ? 1 : 0;
        }
        Assert.True(at == types.Length, $"{id}: {types.ElementAtOrDefault(at)} is missing in {string.Join(' ', history)}");
    }

    protected async Task NeverHappened(EntityId id, params string[] types) =>
        Assert.Empty((await Target.Events(id)).Intersect(types));

    /// <summary>Capture, filter and forward, each answering as planned.</summary>
    protected Task<Verdict> DefineThree(ExtensionSettings? capture = null, ExtensionSettings? filter = null, ExtensionSettings? forward = null) =>
        Target.DefineSwitch(
            new ExtensionDefinition("test.verdict", ExtensionClass.Capture, true, capture),
            new ExtensionDefinition("test.verdict", ExtensionClass.Filter, true, filter),
            new ExtensionDefinition("test.verdict", ExtensionClass.Forward, true, forward));

    protected static ExtensionSettings Answers(OidCode oid, NdisStatus status = NdisStatus.DataNotAccepted, int times = 1) =>
        new(Verdicts: [new PlannedVerdict(oid, status, times)]);
}
