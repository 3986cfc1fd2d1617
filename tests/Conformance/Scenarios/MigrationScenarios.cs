using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// switch.md 7.7 M01 to M16 and S16, 9.6: the move of a VM from the switch of one host to the one of the same name on
/// another, in the order of a Hyper-V host (mode strict). E2 is the filter; it saves one blob for each NIC.
/// </summary>
public abstract class MigrationScenarios(ITwoHosts hosts) : Scenario(hosts), IAsyncLifetime
{
    /// <summary>Steps 2 to 5, as the destination sees them.</summary>
    static readonly string[] Prepared =
    [
        "D PORT_CREATE", "D PORT_PROPERTY_ADD", "D PORT_TEARDOWN", "D PORT_DELETE", "D PORT_CREATE", "D PORT_PROPERTY_ADD",
    ];

    /// <summary>Step 6, as the source sees it: the filter's blob, the pass that reaches the edge, the end.</summary>
    static readonly string[] Saved = ["S NIC_SAVE", "S NIC_SAVE", "S NIC_SAVE_COMPLETE"];

    static readonly string[] Quiesced = ["S NIC_DISCONNECT", "S NIC_DELETE", "S PORT_TEARDOWN", "S PORT_DELETE"];

    static readonly string[] Activated = ["D NIC_CREATE", "D NIC_CONNECT", "D NIC_RESTORE", "D NIC_RESTORE_COMPLETE"];

    /// <summary>What removes the destination's port again.</summary>
    static readonly string[] Removed = ["D PORT_TEARDOWN", "D PORT_DELETE"];

    protected ITwoHosts Hosts { get; } = hosts;

    EntityId Eth0 => EntityId.Nic(Vm, "eth0");

    EntityId Eth1 => EntityId.Nic(Vm, "eth1");

    EntityId To => EntityId.Switch(Hosts.Destination, Target.Switch);

    /// <summary>A second switch of either host.</summary>
    string Other => $"{Target.Switch}b";

    public async Task InitializeAsync()
    {
        await Hosts.Begin();
        await Hosts.DefineSwitch(Filter());
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter());
    }

    public Task DisposeAsync() => Hosts.End();

    [Fact]
    public async Task M01_Both_switches_see_the_exact_order_and_at_no_time_are_two_connected()
    {
        await Runs(Nic("eth0"));
        await Moves();
        Assert.Equal([.. Prepared, .. Saved, .. Quiesced, "VmOwnerChanged", .. Activated, "VmMigrated"], await Story());
        await Happened(Eth0, "NicConnected", "NicDisconnectReceived", "NicDisconnected", "NicDeleted", "NicCreated", "NicConnected");
        Assert.Equal(1, Hosts.GatesOpenAtOnce(Eth0));
        Assert.True(Hosts.IsOpenAt(Hosts.Destination, Eth0));
        Assert.True(await Target.DataPathIsClean());
    }

    [Fact]
    public async Task M02_Refused_validation_port_ends_it_and_the_source_is_untouched()
    {
        await Runs(Nic("eth0"));
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter(Refusal(OidCode.PortCreate)));
        await IsRefused("oid.refused");
        Assert.Equal(["D PORT_CREATE!", "VmMigrationFailed"], await Story());
        await StaysUntouched();
    }

    [Fact]
    public async Task M03_Refused_policy_on_the_validation_port_ends_it_and_the_port_is_removed()
    {
        await Runs(Nic("eth0"));
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter(Refusal(OidCode.PortPropertyAdd)));
        await IsRefused("oid.refused");
        Assert.Equal(["D PORT_CREATE", "D PORT_PROPERTY_ADD!", .. Removed], await Oids());
        await StaysUntouched();
    }

    [Fact]
    public async Task M04_Refused_operational_port_ends_it_before_any_save()
    {
        await Runs(Nic("eth0"));
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter(Refusal(OidCode.PortCreate, after: 1)));
        await IsRefused("oid.refused");
        Assert.Equal([.. Prepared[..4], "D PORT_CREATE!"], await Oids());
        await StaysUntouched();
    }

    [Fact]
    public async Task M05_Refused_policy_on_the_operational_port_ends_it_before_any_save_and_the_port_is_torn_down()
    {
        await Runs(Nic("eth0"));
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter(Refusal(OidCode.PortPropertyAdd, after: 1)));
        await IsRefused("oid.refused");
        Assert.Equal([.. Prepared[..5], "D PORT_PROPERTY_ADD!", .. Removed], await Oids());
        await StaysUntouched();
    }

    [Fact]
    public async Task M06_Failed_save_ends_it_and_the_source_is_not_torn_down()
    {
        await Runs(Nic("eth0"));
        await Hosts.DefineSwitch(Filter(Refusal(OidCode.NicSave)));
        await IsRefused("nic.save.failed");
        Assert.Equal(Removed, (await Oids()).Where(line => line[0] == 'D').Skip(Prepared.Length));
        Assert.Equal(["S NIC_SAVE!"], (await Oids()).Where(line => line[0] == 'S'));
        await NeverHappened(Eth0, "NicDisconnectReceived");
        Assert.True(Hosts.IsOpenAt(Hosts.Host, Eth0));
        await Hosts.DefineSwitch(Filter());
        await SavesAgain("eth0");
    }

    [Fact]
    public async Task M10_Two_nics_move_on_their_own_and_both_are_done_before_the_vm_is_online()
    {
        await Runs(Nic("eth0"), Nic("eth1"));
        var hold = await Target.Hold("e3", 1, 0);
        Assert.Equal(202, Accepted(await Hosts.BeginMigration(Vm)));
        await Hosts.Reaches(Vm, "sourceSaved");
        await Until(async () => (await Oids()).Count(line => line == "S PORT_DELETE") == 1); // eth1 is through, eth0 waits
        Assert.DoesNotContain("D NIC_CREATE", await Oids());
        Assert.False(Hosts.IsOpenAt(Hosts.Destination, Eth1));
        await Target.Release(hold.Id!);
        await Hosts.Reaches(Vm, "completed");
        var story = await Story();
        Assert.Equal([2, 2], new[] { "S PORT_DELETE", "D NIC_RESTORE_COMPLETE" }.Select(step => story.Count(line => line == step)));
        Assert.True(story.LastIndexOf("S PORT_DELETE") < story.IndexOf("VmOwnerChanged"));
        Assert.True(story.IndexOf("VmOwnerChanged") < story.IndexOf("D NIC_CREATE"));
        Assert.True(story.LastIndexOf("D NIC_RESTORE_COMPLETE") < story.IndexOf("VmMigrated"));
        Assert.All((EntityId[])[Eth0, Eth1], nic => Assert.Equal(1, Hosts.GatesOpenAtOnce(nic)));
    }

    [Fact]
    public async Task M11_Destination_without_a_switch_of_that_name_is_refused_before_anything_is_asked_of_it()
    {
        await Hosts.DefineAt(Hosts.Host, Other, Filter());
        await Runs(Nic("eth0"), Nic("eth1") with { Switch = Other });
        await IsRefused("migration.switch.absent");
        Assert.Equal(["VmMigrationFailed"], await Story());
        await NeverHappened(To, "OidQueued");
        await StaysUntouched();
    }

    [Fact]
    public async Task M12_Required_feature_whose_extension_is_disabled_is_refused()
    {
        await Runs(Nic("eth0") with { RequiredFeatures = ["filter.acl"] });
        var acl = new ExtensionDefinition("filter.acl", ExtensionClass.Filter, Enabled: false);
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter(), acl);
        await IsRefused("migration.feature.absent");
        Assert.Equal(["VmMigrationFailed"], await Story());
        await StaysUntouched();
        await Hosts.DefineAt(Hosts.Destination, Target.Switch, Filter(), acl with { Enabled = true });
        await Moves();
    }

    [Fact]
    public async Task M14_Virtual_function_is_given_up_before_the_disconnect_and_may_come_again_at_the_destination()
    {
        await Runs(Nic("eth0"));
        Assert.True((await Target.Oid(new OidRequest(NextRequest(), OidCode.NicUpdated, 1, 0, Vf(true)))).Succeeded);
        await Moves();
        var oids = await Oids();
        Assert.Equal([.. Saved, "S NIC_UPDATED", .. Quiesced], oids.Where(line => line[0] == 'S'));
        Assert.False(await Hosts.LastVf(Hosts.Host));
        var port = await Hosts.PortNumber(EntityId.Port(Hosts.Destination, Target.Switch, $"{Vm}--eth0"));
        var later = await Hosts.OidAt(Hosts.Destination, new OidRequest(NextRequest(), OidCode.NicUpdated, port, 0, Vf(true)));
        Assert.True(later.Succeeded, $"{later}");
        Assert.True(await Hosts.LastVf(Hosts.Destination));
    }

    [Fact]
    public async Task M15_Address_is_announced_after_the_connect_at_the_destination_more_than_once()
    {
        await Runs(Nic("eth0"));
        await Moves();
        var history = await Target.Events(Eth0);
        Assert.True(history.ToList().LastIndexOf("NicConnected") < history.ToList().IndexOf("NicAnnounceStarted"), string.Join(' ', history));
        Assert.Contains("NicAnnounced", history);
        Assert.True(await Hosts.Announced(Eth0) > 1);
    }

    [Fact]
    public async Task M15_Announcement_that_fails_does_not_fail_the_migration()
    {
        await Runs(Nic("eth0"));
        await Hosts.PlantAt(Hosts.Destination, DriverVerb.AnnounceNic, NdisStatus.Failure, times: 99);
        await Moves();
        Assert.Equal(0, await Hosts.Announced(Eth0));
        Assert.True(Hosts.IsOpenAt(Hosts.Destination, Eth0));
    }

    /// <summary>The gate of a source that died unheard may be open still: nothing opens at the destination before it is known to be off.</summary>
    [Theory]
    [InlineData("rebooted")]
    [InlineData("removed")]
    [InlineData("drained")]
    public async Task M16_Source_that_dies_after_the_save_keeps_the_destination_closed_until_it_is_fenced(string proof)
    {
        await Runs(Nic("eth0"));
        await Hosts.SourceFallsSilentAfterTheSave(Vm);
        await Target.Passes(TimeSpan.FromSeconds(1));
        await Hosts.Reaches(Vm, "sourceSaved");
        Assert.Equal((true, false), (Hosts.IsOpenAt(Hosts.Host, Eth0), Hosts.IsOpenAt(Hosts.Destination, Eth0)));
        Assert.DoesNotContain("D NIC_CREATE", await Oids());
        switch (proof)
        {
            case "removed":
                await Hosts.GivesUp(Hosts.Host);
                break;
            default:
                await Hosts.Returns(Hosts.Host, rebooted: proof == "rebooted");
                break;
        }
        await Hosts.Reaches(Vm, "completed");
        Assert.Equal("running", await Target.Power(Vm));
        Assert.Equal(1, Hosts.GatesOpenAtOnce(Eth0));
        Assert.Equal((false, true), (Hosts.IsOpenAt(Hosts.Host, Eth0), Hosts.IsOpenAt(Hosts.Destination, Eth0)));
        await Happened(Eth0, proof == "drained" ? ["NicDisconnected", "NicDeleted", "NicCreated"] : ["NicConnected", "NicLost", "NicCreated", "NicConnected"]);
    }

    [Fact]
    public async Task S16_Save_of_a_migration_that_is_aborted_leaves_the_source_as_it_was_and_a_later_save_works()
    {
        await Hosts.DefineAt(Hosts.Host, Other, Filter());
        await Hosts.DefineAt(Hosts.Destination, Other, Filter());
        await Runs(Nic("eth0"), Nic("eth1") with { Switch = Other });
        await Hosts.DefineAt(Hosts.Host, Other, Filter(Refusal(OidCode.NicSave)));
        await IsRefused("nic.save.failed");
        Assert.Contains("SaveCompleted", await Target.Events(SwitchId)); // eth0's
        await NeverHappened(Eth0, "NicDisconnectReceived");
        await NeverHappened(Eth1, "NicDisconnectReceived");
        Assert.True(Hosts.IsOpenAt(Hosts.Host, Eth0) && Hosts.IsOpenAt(Hosts.Host, Eth1));
        await SavesAgain("eth0");
        await Hosts.DefineAt(Hosts.Host, Other, Filter());
        Assert.True((await Hosts.Migrate(Vm)).Succeeded);
    }

    [Fact]
    public async Task Cancelled_before_the_save_the_vm_stays_where_it_was()
    {
        await Runs(Nic("eth0"));
        await Hosts.BeginMigration(Vm, GuestMover.External);
        await Hosts.Reaches(Vm, "copying");
        Assert.True((await Hosts.CancelMigration(Vm)).Succeeded);
        await Hosts.Reaches(Vm, "rolledBack");
        Assert.Equal([.. Prepared, .. Removed], await Oids());
        await StaysUntouched();
    }

    [Fact]
    public async Task Guest_from_outside_pauses_before_the_save_and_resumes_after_the_restore()
    {
        await Runs(Nic("eth0"));
        await Hosts.BeginMigration(Vm, GuestMover.External);
        await Hosts.Reaches(Vm, "copying");
        Assert.Equal(Prepared, await Oids());
        Assert.True((await Hosts.Report(Vm, GuestEvent.Paused)).Succeeded);
        await Hosts.Reaches(Vm, "destActivated");
        Assert.Equal(Activated[^1], (await Oids())[^1]);
        Assert.True((await Hosts.Report(Vm, GuestEvent.Resumed)).Succeeded);
        await Hosts.Reaches(Vm, "completed");
    }

    /// <summary>A filter that saves one blob for each NIC and answers as planned.</summary>
    static ExtensionDefinition Filter(params PlannedVerdict[] verdicts) =>
        new("test.verdict", ExtensionClass.Filter, true, new ExtensionSettings(Verdicts: verdicts.Length == 0 ? null : verdicts, Saves: ["flows"]));

    /// <summary>The first ones pass: a filter that completes a create with success is at fault, and the OID goes on.</summary>
    static PlannedVerdict[] Refusal(OidCode oid, int after = 0) =>
        [.. after == 0 ? [] : new[] { new PlannedVerdict(oid, NdisStatus.Success, after) }, new PlannedVerdict(oid, NdisStatus.DataNotAccepted, 1)];

    NicDefinition Nic(string name) => new(name, Target.Switch, NicType.Synthetic, name == "eth0" ? "00:15:5d:07:00:00" : "00:15:5d:07:00:01", Vlan: 10);

    NicParameters Vf(bool assigned) => new($"{Vm}--eth0", NicType.Synthetic, Vm, VfAssigned: assigned);

    async Task Runs(params NicDefinition[] nics)
    {
        Assert.True((await Target.DefineVm(Vm, nics)).Succeeded);
        var started = await Target.StartVm(Vm);
        Assert.True(started.Succeeded, $"{started}");
    }

    async Task Moves()
    {
        var verdict = await Hosts.Migrate(Vm);
        Assert.True(verdict.Succeeded, $"{verdict}");
    }

    async Task IsRefused(string code)
    {
        var verdict = await Hosts.Migrate(Vm);
        Assert.True(verdict.Refusal?.Code == code, $"{verdict}");
        await Hosts.Reaches(Vm, "rolledBack");
        Assert.Equal("running", await Target.Power(Vm));
    }

    /// <summary>Nothing was asked of the source but whether it is there, and nothing is left at the destination.</summary>
    async Task StaysUntouched()
    {
        Assert.DoesNotContain(await Oids(), line => line[0] == 'S');
        await NeverHappened(SwitchId, "SaveRound", "SaveCompleted");
        await NeverHappened(Eth0, "NicDisconnectReceived", "NicUpdated");
        Assert.Equal((true, false), (Hosts.IsOpenAt(Hosts.Host, Eth0), Hosts.IsOpenAt(Hosts.Destination, Eth0)));
        Assert.Equal("running", await Target.Power(Vm));
    }

    async Task SavesAgain(string nic)
    {
        var (verdict, blobs) = await Target.Save($"{Vm}--{nic}");
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Single(blobs);
    }

    /// <summary>S and D for the hosts, the OIDs without what they all begin with, the VM's events by their names.</summary>
    async Task<List<string>> Story() =>
    [
        .. (await Hosts.Story(Vm)).Skip(1).Select(line => line
            .Replace($"{Hosts.Host} OID_SWITCH_", "S ", StringComparison.Ordinal)
            .Replace($"{Hosts.Destination} OID_SWITCH_", "D ", StringComparison.Ordinal)
            .Replace($"vm/{Vm} ", "", StringComparison.Ordinal)),
    ];

    async Task<List<string>> Oids() => [.. (await Story()).Where(line => line[1] == ' ')];

    static int Accepted(Verdict verdict) => verdict.Refusal is null ? 202 : verdict.Http;

    static async Task Until(Func<Task<bool>> condition) => await RunningControlPlane.Until(condition, "the story goes on");
}
