using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>A VM with two NICs between two hosts, mode strict (switch.md 4.4, 9.6, migration.md c).</summary>
public sealed class MigrationTests
{
    static readonly EntityId Vm = EntityId.Vm("web");
    static readonly EntityId Migration = EntityId.Migration("web", 1);
    static readonly EntityId From = EntityId.Switch("hv01", "sw");
    static readonly EntityId To = EntityId.Switch("hv02", "sw");
    static readonly EntityId Nic0 = EntityId.Nic("web", "eth0");
    static readonly EntityId Nic1 = EntityId.Nic("web", "eth1");

    readonly World _world = new();

    public MigrationTests()
    {
        foreach (var (host, sw) in (ReadOnlySpan<(string, EntityId)>)[("hv01", From), ("hv02", To)])
        {
            _world.Connect(host);
            _world.DefineSwitch(sw, DriftPolicy.Report, Saving);
        }
        _world.DefineVm("web", "hv01", Nic("eth0", 1), Nic("eth1", 2));
        _world.StartVm("web");
        Assert.Equal("running", Power);
    }

    static ExtensionDefinition Saving => new("test.verdict", ExtensionClass.Filter, true, new ExtensionSettings(Saves: ["flows"]));

    static NicDefinition Nic(string name, int number) => new(name, "sw", NicType.Synthetic, $"00:15:5d:00:00:0{number}", Vlan: 10);

    string Power => _world.State<VmState>(Vm).Name;

    string Host => _world.State<VmState>(Vm).DefinitionOrNull!.Host;

    string Ended => MigrationLifecycle.Name(_world.State<MigrationState>(Migration));

    Refusal? Problem => (_world.State(Migration) as MigrationState.Ended)?.Problem;

    Answer Migrate(GuestMover guest = GuestMover.None) => _world.Do(Vm, new MigrateVm("hv02", Guest: guest));

    /// <summary>At most one host has an open gate for a NIC, at every step.</summary>
    void NeverTwice()
    {
        foreach (var nic in (string[])[Nic0.Text, Nic1.Text])
        {
            Assert.True(_world.Hosts.Values.Count(host => host.Devices.TryGetValue(nic, out var device) && device.Up) <= 1, nic);
        }
    }

    void AsBefore()
    {
        Assert.Equal(("running", "hv01"), (Power, Host));
        Assert.All((EntityId[])[Nic0, Nic1], nic => Assert.Equal("hv01", Assert.IsType<NicState.Connected>(_world.State(nic)).Body.Place.Host));
        Assert.Empty(_world.Switch(To).Ports);
        Assert.Empty(_world.Hosts["hv02"].Devices);
        Assert.Empty(_world.Hosts["hv02"].Ports);
        Assert.Equal("rolledBack", Ended);
    }

    [Fact]
    public void Vm_moves_with_all_its_nics_and_their_data()
    {
        Migrate();
        Assert.True(Ended == "completed", $"{_world.State(Migration)} {Problem?.Detail}");
        Assert.Equal(("running", "hv02"), (Power, Host));
        Assert.All((EntityId[])[Nic0, Nic1], nic => Assert.Equal("hv02", Assert.IsType<NicState.Connected>(_world.State(nic)).Body.Place.Host));
        Assert.Empty(_world.Switch(From).Ports);
        Assert.Empty(_world.Hosts["hv01"].Devices);
        Assert.Equal(2, _world.Events(To).Count(type => type == "RestoreRound"));
        Assert.Equal(2, _world.State<VmState>(Vm).Epoch);
        Assert.All(_world.State<MigrationState>(Migration).RunOrNull!.Legs.Values, leg => Assert.Null(leg.Degraded));
    }

    [Fact]
    public void It_moves_back_and_forth()
    {
        Migrate();
        _world.Do(Vm, new MigrateVm("hv01"));
        Assert.Equal("hv01", Host);
        _world.Do(Vm, new MigrateVm("hv02"));
        Assert.Equal("hv02", Host);
        _world.StopVm("web");
        Assert.Equal("stopped", Power);
        Assert.All(_world.Hosts.Values, host => Assert.Empty(host.Devices));
    }

    [Theory]
    [InlineData(DriverVerb.CreatePort)]
    public void A_refusal_before_the_source_is_touched_leaves_it_as_it_was(DriverVerb verb)
    {
        _world.Hosts["hv02"].Plant(verb, NdisStatus.Resources, 1, skip: 1);
        Migrate();
        AsBefore();
        Assert.DoesNotContain("SaveRound", _world.Events(From));
        Assert.DoesNotContain("NicDisconnectReceived", _world.Events(Nic0));
    }

    [Fact]
    public void A_nic_that_the_destination_refuses_goes_back_to_the_source_with_its_data_under_a_higher_epoch()
    {
        _world.Hosts["hv02"].Plant(DriverVerb.CreateNic, NdisStatus.Resources, 99);
        _world.Ask(Vm, "m", new MigrateVm("hv02"));
        _world.Settle();
        _world.Advance(TimeSpan.FromSeconds(5));
        AsBefore();
        Assert.Equal(3, _world.State<VmState>(Vm).Epoch);
        Assert.Equal(2, _world.Events(From).Count(type => type == "RestoreCompleted"));
    }

    [Fact]
    public void Gates_are_open_at_one_host_at_most_at_every_step()
    {
        _world.Ask(Vm, "m", new MigrateVm("hv02"));
        while (_world.Busy)
        {
            _world.Step();
            NeverTwice();
        }
        _world.Settle();
        Assert.Equal("completed", Ended);
    }

    [Fact]
    public void A_crash_of_everybody_on_the_way_changes_nothing_of_the_outcome()
    {
        for (var crash = 0; ; crash += 7)
        {
            var story = new MigrationTests();
            story._world.Ask(Vm, "m", new MigrateVm("hv02"));
            var steps = 0;
            for (; story._world.Busy && steps < crash; steps++)
            {
                story._world.Step();
                story.NeverTwice();
            }
            if (!story._world.Busy)
            {
                Assert.True(crash > 100, "it was over too soon");
                return;
            }
            story._world.CrashAll(withSnapshot: crash % 2 == 0);
            story._world.Settle();
            story.NeverTwice();
            Assert.Equal("completed", story.Ended);
            Assert.Equal(("running", "hv02"), (story.Power, story.Host));
            Assert.Empty(story._world.Hosts["hv01"].Devices);
        }
    }

    [Fact]
    public void Cancel_before_the_source_is_touched_leaves_it_as_it_was_and_later_it_is_refused()
    {
        Migrate(GuestMover.External);
        Assert.Equal("copying", Ended);
        Assert.Equal("vm.stop.migrating", _world.StopVm("web").Refusal?.Code);
        Assert.IsType<Done>(_world.Do(Migration, new CancelMigration()).Reply);
        AsBefore();
        Assert.Equal("migration.cancelled", Problem?.Code);
        Assert.Equal("migration.cancel.rolledBack", _world.Do(Migration, new CancelMigration()).Refusal?.Code);
    }

    [Fact]
    public void A_guest_that_is_paused_and_resumed_orders_the_gates()
    {
        Migrate(GuestMover.External);
        Assert.Equal("migration.guest.copying", _world.Do(Migration, new ReportGuest(GuestEvent.Resumed)).Refusal?.Code);
        _world.Do(Migration, new ReportGuest(GuestEvent.Paused));
        Assert.Equal("destActivated", Ended);
        Assert.True(_world.Hosts["hv02"].Devices[Nic0.Text].Up);
        Assert.Equal("migration.cancel.destActivated", _world.Do(Migration, new CancelMigration()).Refusal?.Code);
        _world.Do(Migration, new ReportGuest(GuestEvent.Resumed));
        Assert.Equal(("completed", "hv02"), (Ended, Host));
    }

    [Fact]
    public void A_guest_that_does_not_resume_goes_back_with_its_nics()
    {
        Migrate(GuestMover.External);
        _world.Do(Migration, new ReportGuest(GuestEvent.Paused));
        _world.Advance(TimeSpan.FromSeconds(6));
        AsBefore();
        Assert.Equal("migration.deadline", Problem?.Code);
    }

    [Fact]
    public void A_migration_that_is_not_ready_in_time_is_given_up()
    {
        Migrate(GuestMover.External);
        _world.Advance(TimeSpan.FromSeconds(MigrateVm.DeadlineSecondsDefault + 1));
        AsBefore();
    }

    [Fact]
    public void A_stuck_drain_waits_and_a_cancel_brings_the_nics_back_when_it_ends()
    {
        _world.Do(From, new TakeHoldAt("h1", "e3", 1, 0, "test"));
        Migrate();
        Assert.Equal("sourceSaved", Ended);
        Assert.DoesNotContain("NicCreateProposed", _world.Events(Nic0).Skip(_world.Events(Nic0).ToList().LastIndexOf("NicDisconnected")));
        _world.Do(Migration, new CancelMigration());
        Assert.Equal("returning", Ended);
        _world.Do(From, new ReleaseHoldAt("h1"));
        AsBefore();
    }

    [Fact]
    public void A_second_migration_of_the_vm_is_refused_and_leaves_nothing()
    {
        Migrate(GuestMover.External);
        Assert.Equal("vm.migrate.migrating", Migrate().Refusal?.Code);
        Assert.Null(_world.State(EntityId.Migration("web", 2)));
    }

    [Fact]
    public void A_source_that_is_silent_after_the_save_keeps_the_destination_closed_until_it_is_known_to_be_off()
    {
        _world.Ask(Vm, "m", new MigrateVm("hv02"));
        while (!_world.Events(Migration).Contains("MigrationStageReached") || _world.State<MigrationState>(Migration).RunOrNull!.Stage < MigrationStage.SourceSaved)
        {
            _world.Step();
        }
        _world.Disconnect("hv01");
        _world.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("sourceSaved", Ended);
        Assert.Empty(_world.Hosts["hv02"].Devices);
        Assert.Contains("MigrationSlow", _world.Events(Migration));
        _world.Hosts["hv01"].Reboot();
        _world.Connect("hv01");
        _world.Advance(TimeSpan.FromSeconds(5));
        NeverTwice();
        Assert.Equal("completed", Ended);
        Assert.Equal(("running", "hv02"), (Power, Host));
    }

    [Fact]
    public void A_source_that_is_lost_before_it_is_touched_ends_the_migration_and_the_vm()
    {
        Migrate(GuestMover.External);
        _world.Disconnect("hv01");
        _world.Hosts["hv01"].Reboot();
        _world.Connect("hv01");
        Assert.Equal(("rolledBack", "stopped"), (Ended, Power));
        Assert.Empty(_world.Switch(To).Ports);
        Assert.Empty(_world.Switch(From).Ports);
    }

    [Fact]
    public void A_destination_that_is_lost_before_the_guest_runs_there_brings_it_back()
    {
        Migrate(GuestMover.External);
        _world.Do(Migration, new ReportGuest(GuestEvent.Paused));
        _world.Disconnect("hv02");
        _world.Hosts["hv02"].Reboot();
        _world.Connect("hv02");
        _world.Advance(TimeSpan.FromSeconds(6));
        AsBefore();
    }
}
