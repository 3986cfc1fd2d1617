using ControlPlane.DriverAbi;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Agent.Tests.Simulated;

/// <summary>Policies and gathered data on a simulated host: told, read back, kept over a restart.</summary>
public sealed class SimulatedPolicyTests : IDisposable
{
    static readonly PortPolicy Vlan = PortPolicy.Default with
    {
        Vlan = new VlanPolicy.Access(10),
        Acls = [new AclRule(AclDirection.Inbound, AclAction.Deny, "10.0.0.0/8")],
    };
    static readonly NicRuntimePart Gathered = new(["00:15:5d:01:02:03"], 3, [5]);

    readonly FakeTimeProvider _time = new();
    readonly string _directory = Directory.CreateTempSubdirectory("simulated").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Policy_is_read_back_from_the_creation_on_and_stays_over_the_gate()
    {
        var host = await Ready();
        Assert.Equal(Vlan.Digest, (await Do(host, Orders.Nic(DriverVerb.CreateNic) with { Policy = Vlan })).Observed!.Policy);
        Assert.Equal(Vlan.Digest, (await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2))).Observed!.Policy);
    }

    [Fact]
    public async Task Policy_is_replaced_under_a_new_revision_and_the_gate_stays()
    {
        var host = await Connected();
        var applied = await Do(host, Orders.Nic(DriverVerb.ApplyPolicy, revision: 3) with { Policy = PortPolicy.Default });
        Assert.Equal((NdisStatus.Success, PortPolicy.Default.Digest, true, 3L),
            (applied.Status, applied.Observed!.Policy, applied.Observed.Up, applied.Observed.Revision));
        var late = await Do(host, Orders.Nic(DriverVerb.ApplyPolicy, revision: 2) with { CommandId = "late", Policy = Vlan });
        Assert.Equal((NdisStatus.InvalidParameter, PortPolicy.Default.Digest), (late.Status, late.Observed!.Policy));
    }

    [Fact]
    public async Task Mtu_and_address_come_with_the_policy_or_with_the_connection_and_what_is_not_said_stays()
    {
        var host = await Ready();
        var created = (await Do(host, Orders.Nic(DriverVerb.CreateNic) with { Policy = Vlan, Mac = "00:15:5d:01:02:03" })).Observed!;
        Assert.Equal((1_500, "00:15:5d:01:02:03"), (created.Mtu, created.Mac));
        var connected = (await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2) with { Mtu = 1_400, Mac = null })).Observed!;
        Assert.Equal((1_400, "00:15:5d:01:02:03"), (connected.Mtu, connected.Mac));
        var updated = (await Do(host, Orders.Nic(DriverVerb.ApplyPolicy, revision: 3) with { Policy = Vlan, Mtu = 9_000, Mac = "00:15:5d:01:02:04" })).Observed!;
        Assert.Equal((9_000, "00:15:5d:01:02:04"), (updated.Mtu, updated.Mac));
        var without = (await Do(host, Orders.Nic(DriverVerb.ApplyPolicy, revision: 4) with { Policy = null, Mac = null })).Observed!;
        Assert.Equal((9_000, null), (without.Mtu, without.Mac));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Policy_that_is_refused_leaves_what_held_before(bool planted)
    {
        var host = await Connected();
        await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 2) with { Runtime = Gathered });
        var before = (await Do(host, Orders.Nic(DriverVerb.ReadNic, revision: 2) with { CommandId = "before" }));
        if (planted)
        {
            await Do(host, new DriverCommand("plant", DriverVerb.PlantFault, "", Fault: new PlantedFault(DriverVerb.ApplyPolicy, NdisStatus.Failure, 1)));
        }
        else
        {
            Directory.Delete(_directory, recursive: true); // it cannot be saved
        }
        var refused = await Do(host, Orders.Nic(DriverVerb.ApplyPolicy, revision: 3) with { Policy = PortPolicy.Default, Mtu = 9_000 });
        Directory.CreateDirectory(_directory);
        Assert.Equal((NdisStatus.Failure, before.Observed), (refused.Status, refused.Observed));
        var after = await Do(host, Orders.Nic(DriverVerb.ReadNic, revision: 2) with { CommandId = "after" });
        Assert.Equal((before.Observed, 3L, 5L), (after.Observed, after.Runtime!.SpoofedDropped, after.Runtime.AclHits.Single()));
    }

    [Fact]
    public async Task Repair_brings_the_policy_back()
    {
        var host = await Connected();
        var repaired = await Do(host, Orders.Nic(DriverVerb.RepairNic, revision: 3, up: true) with { Policy = Vlan });
        Assert.Equal((NdisStatus.Success, Vlan.Digest), (repaired.Status, repaired.Observed!.Policy));
    }

    [Theory]
    [InlineData(DriverVerb.ApplyPolicy)]
    [InlineData(DriverVerb.ReadNic)]
    [InlineData(DriverVerb.RestoreNic)]
    public async Task Nic_that_is_not_there_has_none(DriverVerb verb)
    {
        var host = await Ready();
        Assert.Equal(NdisStatus.Failure, (await Do(host, Orders.Nic(verb) with { Policy = Vlan, Runtime = Gathered })).Status);
    }

    [Fact]
    public async Task What_was_gathered_is_read_restored_and_ends_with_the_nic()
    {
        var host = await Connected();
        Assert.Equal([], (await Do(host, Orders.Nic(DriverVerb.ReadNic, revision: 2))).Runtime!.Learned);
        Assert.Equal(NdisStatus.Success, (await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 2) with { Runtime = Gathered })).Status);
        Assert.Equal(Gathered.Learned, (await Do(host, Orders.Nic(DriverVerb.ReadNic, revision: 2) with { CommandId = "again" })).Runtime!.Learned);
        await Do(host, Orders.Nic(DriverVerb.DeleteNic, revision: 3));
        await Do(host, Orders.Nic(DriverVerb.CreateNic, epoch: 2));
        Assert.Equal([], (await Do(host, Orders.Nic(DriverVerb.ReadNic, epoch: 2))).Runtime!.Learned);
    }

    [Fact]
    public async Task Part_of_what_was_gathered_leaves_the_rest_and_what_nobody_can_have_gathered_is_refused()
    {
        var host = await Connected();
        var parts = new[] { Gathered, new NicRuntimePart(Learned: ["00:15:5d:01:02:04"]), new NicRuntimePart(SpoofedDropped: 7), new NicRuntimePart(AclHits: [6]) };
        foreach (var (number, part) in parts.Index())
        {
            var given = await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 2) with { CommandId = $"{number}", Runtime = part });
            Assert.Equal(NdisStatus.Success, given.Status);
        }
        var hostile = await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 2) with { CommandId = "no", Runtime = new NicRuntimePart(SpoofedDropped: -1) });
        Assert.Equal(NdisStatus.InvalidParameter, hostile.Status);
        var now = (await Do(host, Orders.Nic(DriverVerb.ReadNic, revision: 2) with { CommandId = "read" })).Runtime!;
        Assert.Equal(["00:15:5d:01:02:03", "00:15:5d:01:02:04"], now.Learned);
        Assert.Equal((7, 6), (now.SpoofedDropped, now.AclHits.Single()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Counters_of_another_number_of_access_rules_than_the_nic_has_are_refused(int rules)
    {
        var host = await Connected();
        var counters = new NicRuntimePart(AclHits: [.. Enumerable.Repeat(1L, rules)]);
        var refused = await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 2) with { Runtime = counters });
        Assert.Equal((NdisStatus.InvalidParameter, "what was gathered is not that of this NIC, which has 1 access rules"), (refused.Status, refused.Detail));
        Assert.Equal([0L], (await Do(host, Orders.Nic(DriverVerb.ReadNic, revision: 2) with { CommandId = "read" })).Runtime!.AclHits);
        await Do(host, Orders.Nic(DriverVerb.ApplyPolicy, revision: 3) with { Policy = PortPolicy.Default });
        var none = await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 3) with { CommandId = "none", Runtime = new NicRuntimePart(AclHits: []) });
        Assert.Equal(NdisStatus.Success, none.Status);
    }

    [Fact]
    public async Task Policy_and_what_was_gathered_are_kept_over_a_restart_of_the_process()
    {
        var host = await Connected();
        await Do(host, Orders.Nic(DriverVerb.RestoreNic, revision: 2) with { Runtime = Gathered });
        var again = await Ready();
        Assert.Equal(Vlan.Digest, (await again.Snapshot(CancellationToken.None)).Devices.Single().Policy);
        Assert.Equal(3, (await Do(again, Orders.Nic(DriverVerb.ReadNic, revision: 2))).Runtime!.SpoofedDropped);
    }

    async Task<IDriver> Connected()
    {
        var host = await Ready();
        await Do(host, Orders.Nic(DriverVerb.CreateNic) with { Policy = Vlan });
        await Do(host, Orders.Nic(DriverVerb.ConnectNic, revision: 2));
        return host;
    }

    async Task<IDriver> Ready()
    {
        var host = new SimulatedDriver("hv01", new SimulatedDriverOptions { StateFile = Path.Combine(_directory, "hv01.json") }, _time);
        await host.Resume(CancellationToken.None);
        await host.Fences(new Dictionary<string, long>(), CancellationToken.None);
        await Do(host, Orders.Switch());
        return host;
    }

    static Task<Completion> Do(IDriver host, DriverCommand command) => host.Command(command, CancellationToken.None);
}
