using System.Collections.Immutable;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>What a person is told of a migration that does not go on by itself, and that the alarm ends with its cause.</summary>
public sealed class MigrationAlarmTests
{
    static readonly EntityId Vm = EntityId.Vm("web");
    static readonly EntityId Migration = EntityId.Migration("web", 1);
    static readonly EntityId From = EntityId.Switch("hv01", "sw");

    readonly World _world = new();

    public MigrationAlarmTests()
    {
        foreach (var host in (string[])["hv01", "hv02"])
        {
            _world.Connect(host);
            _world.DefineSwitch(EntityId.Switch(host, "sw"), DriftPolicy.Report);
        }
        _world.DefineVm("web", "hv01", new NicDefinition("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01"));
        _world.StartVm("web");
    }

    ImmutableArray<Alarm> Alarms => Of(Migration);

    ImmutableArray<Alarm> Of(EntityId id) =>
        ControlPlane.Actors.Projections.Alarms.Of(_world.Rows(id).Aggregate(EntityView.New(id), (view, row) => view.After(row)));

    string State => MigrationLifecycle.Name(_world.State<MigrationState>(Migration));

    [Fact]
    public void A_migration_that_waits_for_a_held_nic_is_slow_names_what_it_waits_for_and_may_be_cancelled()
    {
        _world.Do(From, new TakeHoldAt("h1", "e3", 1, 0, "test"));
        _world.Do(Vm, new MigrateVm("hv02"));
        Assert.Empty(Alarms);
        _world.Advance(TimeSpan.FromSeconds(31));
        var slow = Assert.Single(Alarms);
        Assert.Equal(("migration.slow", AlarmSeverity.Warning, "sourceSaved"), (slow.Code, slow.Severity, State));
        Assert.Contains("eth0 waits for NicDrain at hv01", slow.Reason, StringComparison.Ordinal);
        Assert.Contains("/v1/migrations/web~1/cancel", slow.Action, StringComparison.Ordinal);
        _world.Do(From, new ReleaseHoldAt("h1"));
        Assert.Equal("completed", State);
        Assert.Empty(Alarms);
    }

    [Fact]
    public void A_way_back_that_takes_long_is_slow_too_and_is_not_cancelled()
    {
        _world.Do(From, new TakeHoldAt("h1", "e3", 1, 0, "test"));
        _world.Do(Vm, new MigrateVm("hv02"));
        _world.Do(Migration, new CancelMigration());
        _world.Advance(TimeSpan.FromSeconds(31));
        var slow = Assert.Single(Alarms);
        Assert.StartsWith("The way back of VM web", slow.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("cancel", slow.Action, StringComparison.Ordinal);
        _world.Do(From, new ReleaseHoldAt("h1"));
        Assert.Equal("rolledBack", State);
        Assert.Empty(Alarms);
    }

    [Fact]
    public void A_nic_that_neither_host_takes_is_nowhere_until_the_source_takes_it()
    {
        _world.Hosts["hv02"].Plant(DriverVerb.CreateNic, NdisStatus.Resources, 99);
        _world.Hosts["hv01"].Plant(DriverVerb.CreateNic, NdisStatus.Resources, 2);
        _world.Do(Vm, new MigrateVm("hv02"));
        _world.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("needsOperator", State);
        var nowhere = Assert.Single(Alarms);
        Assert.Equal(("migration.nic-nowhere", AlarmSeverity.Critical), (nowhere.Code, nowhere.Severity));
        Assert.Contains("NIC eth0 of VM web is on no host: hv01 does not take it back.", nowhere.Reason, StringComparison.Ordinal);
        Assert.Contains("every 10 s", nowhere.Action, StringComparison.Ordinal);
        _world.Advance(TimeSpan.FromSeconds(25));
        Assert.Equal("rolledBack", State);
        Assert.Empty(Alarms);
    }

    [Fact]
    public void A_nic_that_stays_nowhere_is_an_alarm_of_its_vm_until_it_is_taken_away()
    {
        foreach (var host in (string[])["hv01", "hv02"])
        {
            _world.Hosts[host].Plant(DriverVerb.CreateNic, NdisStatus.Resources, 99);
        }
        _world.Do(Vm, new MigrateVm("hv02"));
        _world.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("rolledBack", State);
        Assert.Empty(Alarms);
        var nowhere = Assert.Single(Of(Vm));
        Assert.Equal(("vm.nic-nowhere", AlarmSeverity.Critical), (nowhere.Code, nowhere.Severity));
        Assert.Contains("runs without eth0", nowhere.Reason, StringComparison.Ordinal);
        _world.Do(Vm, new RemoveNic("eth0"));
        Assert.Empty(Of(Vm));
    }
}
