using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Two hosts on the lifecycles alone: every step of the world is looked at.</summary>
public sealed class WorldTwoHosts : WorldTarget, ITwoHosts
{
    readonly Dictionary<string, int> _most = [];

    public WorldTwoHosts() => World.Stepped = Look;

    public string Destination => "hv02";

    public Task Begin()
    {
        World.Connect(Destination);
        return Task.CompletedTask;
    }

    public Task End() => Task.CompletedTask;

    public Task<Verdict> DefineAt(string host, string name, params ExtensionDefinition[] extensions) =>
        Of(World.DefineSwitch(EntityId.Switch(host, name), DriftPolicy.Report, extensions));

    public Task<Verdict> OidAt(string host, OidRequest request) => Of(World.Oid(EntityId.Switch(host, Switch), request));

    public Task PlantAt(string host, DriverVerb verb, NdisStatus status, int times = 1)
    {
        World.Hosts[host].Plant(verb, status, times);
        return Task.CompletedTask;
    }

    public async Task<Verdict> Migrate(string vm)
    {
        var verdict = await BeginMigration(vm);
        for (var waited = 0; World.State(EntityId.Vm(vm)) is VmState.Migrating && waited < 60; waited++)
        {
            World.Advance(TimeSpan.FromSeconds(1)); // a refused step is tried again
        }
        return verdict.Refusal is null
            ? verdict with { Refusal = World.State<VmState>(EntityId.Vm(vm)).Operations[^1].Problem }
            : verdict;
    }

    public Task<Verdict> BeginMigration(string vm, GuestMover guest = GuestMover.None) =>
        Of(World.Do(EntityId.Vm(vm), new MigrateVm(Destination, Guest: guest)));

    public Task<Verdict> Report(string vm, GuestEvent happened) => Of(World.Do(EntityId.Migration(vm, 1), new ReportGuest(happened)));

    public Task<Verdict> CancelMigration(string vm) => Of(World.Do(EntityId.Migration(vm, 1), new CancelMigration()));

    public Task Reaches(string vm, string state)
    {
        Assert.Equal(state, MigrationLifecycle.Name(World.State<MigrationState>(EntityId.Migration(vm, 1))));
        return Task.CompletedTask;
    }

    public Task SourceFallsSilentAfterTheSave(string vm)
    {
        World.Ask(EntityId.Vm(vm), "migrate", new MigrateVm(Destination));
        while ((World.State(EntityId.Migration(vm, 1)) as MigrationState)?.RunOrNull is not { Stage: >= MigrationStage.SourceSaved })
        {
            Assert.True(World.Busy, "the migration came to rest before its save");
            World.Step();
        }
        World.Disconnect(Host);
        return Task.CompletedTask;
    }

    public Task Returns(string host, bool rebooted)
    {
        if (rebooted)
        {
            World.Hosts[host].Reboot();
        }
        World.Connect(host);
        return Task.CompletedTask;
    }

    public Task GivesUp(string host)
    {
        World.Hosts[host].Reboot(); // it is off: that is what the operator says
        Assert.Null(World.Do(EntityId.Bridge(host), new RemoveHost(Force: true)).Refusal);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> Story(string vm)
    {
        var all = World.Log.SkipWhile(row => row.Event is not VmMigrationStarted);
        return Task.FromResult<IReadOnlyList<string>>([.. all.Where(row => row.Entity.Kind == "switch" || row.Entity == EntityId.Vm(vm)).Select(Line).OfType<string>()]);
    }

    static string? Line(Actors.Entities.StoredEvent row) => row.Event switch
    {
        OidCompleted done => $"{row.Entity.Parts[0]} {done.Oid}{(done.Outcome.Status == NdisStatus.Success ? "" : "!")}",
        VmEvent => $"{row.Entity} {StoredNames.Kind(row.Name)}",
        _ => null,
    };

    public int GatesOpenAtOnce(EntityId nic) => _most.GetValueOrDefault(nic.Text);

    public bool IsOpenAt(string host, EntityId nic) => World.Hosts[host].Devices.TryGetValue(nic.Text, out var device) && device.Up;

    public Task<bool?> LastVf(string host) => Task.FromResult(World.Rows(EntityId.Switch(host, Switch)).Select(row => row.Event).OfType<OidQueued>()
        .Last(queued => queued.Request.Oid == OidCode.NicUpdated).Request.Parameters is NicParameters nic ? nic.VfAssigned : null);

    public Task<uint> PortNumber(EntityId port) => Task.FromResult(World.State<PortState>(port).BodyOrNull!.PortId);

    public Task<int> Announced(EntityId nic) => Task.FromResult(World.Hosts[Destination].Announced.GetValueOrDefault(nic.Text));

    void Look()
    {
        foreach (var open in World.Hosts.Values.SelectMany(host => host.Devices.Values).Where(device => device.Up && device.NicKey.Length > 0).CountBy(device => device.NicKey))
        {
            _most[open.Key] = Math.Max(_most.GetValueOrDefault(open.Key), open.Value);
        }
    }
}
