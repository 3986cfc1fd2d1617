using System.Text;
using System.Text.Json;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.7 S01 to S16, M08, N02: what the extensions save of a NIC and take back. E2 is the filter, E3 the forwarder.</summary>
public abstract class SaveScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    /// <summary>The structure before the data (switch.md 2.1, SaveDataOffset).</summary>
    const int Structure = 568;

    static readonly string E2 = Id(ExtensionClass.Filter), E3 = Id(ExtensionClass.Forward);

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task S01_Nobody_has_data_one_pass_to_the_edge_then_complete()
    {
        await DefineThree();
        await Connected();
        var (verdict, blobs) = await Target.Save(PortName(P));
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Empty(blobs);
        Assert.Equal((0, 1), (await Times("SaveRound"), await Times("SaveCompleted")));
    }

    [Fact]
    public async Task S02_First_pass_is_completed_by_the_extension_and_the_second_reaches_the_edge()
    {
        await DefineThree(filter: Saves("one"));
        await Connected();
        var first = await Does(OidCode.NicSave);
        Assert.Equal([(0, "Down"), (1, "Down"), (0, "Up")], Trace(first));
        var saved = first.Output!.Value;
        Assert.Equal((E2, 3, Structure), (saved.GetProperty("extensionId").GetString(), saved.GetProperty("saveDataSize").GetInt32(), saved.GetProperty("saveDataOffset").GetInt32()));
        var second = await Does(OidCode.NicSave);
        Assert.Null(second.Output);
        Assert.Contains((-1, "Down"), Trace(second));
        await Does(OidCode.NicSaveComplete);
        await Happened(SwitchId, "SaveRound", "SaveCompleted");
    }

    [Fact]
    public async Task S02_Save_gives_all_blobs_of_all_extensions_from_the_top()
    {
        await DefineThree(filter: Saves("one", "two"), forward: Saves("three"));
        await Connected();
        var blobs = await Save();
        Assert.Equal([(E2, "one"), (E2, "two"), (E3, "three")], blobs.Select(blob => (blob.ExtensionId, Text(blob))));
    }

    [Fact]
    public async Task N02_Restoring_port_that_is_not_restored_in_thirty_seconds_is_a_warning_until_it_is()
    {
        await Does(OidCode.PortCreate, parameters: Port() with { Flags = [PortParameters.RestoringPort] });
        await CreateNic();
        await ConnectNic();
        Assert.Empty(await Target.Alarms(NicId()));
        Assert.True(await Target.Raises(NicId(), "nic.restore.overdue", TimeSpan.FromSeconds(30)));
        await Happened(NicId(), "NicConnected", "NicRestoreOverdue");
        var (verdict, _) = await Target.Restore(PortName(P), []);
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Empty(await Target.Alarms(NicId()));
    }

    [Fact]
    public async Task S04_Buffer_that_is_too_small_is_answered_with_what_is_needed_and_the_blob_is_stored_once()
    {
        await DefineThree(filter: Saves(new string('x', 1000)));
        await Connected();
        var tooShort = (await Try(OidCode.NicSave, parameters: new NicSaveParameters(600))).Outcome!;
        Assert.Equal((NdisStatus.BufferTooShort, Structure + 1000), (tooShort.Status, tooShort.BytesNeeded));
        var enough = await Does(OidCode.NicSave, parameters: new NicSaveParameters(tooShort.BytesNeeded));
        Assert.Equal(1000, enough.Output!.Value.GetProperty("saveDataSize").GetInt32());
        await Does(OidCode.NicSave);
        await Does(OidCode.NicSaveComplete);
        Assert.Equal(1, await Times("SaveRound"));
    }

    [Fact]
    public async Task S04_Save_asks_again_with_the_larger_buffer()
    {
        await DefineThree(filter: Saves(new string('x', 60_000), "small"));
        await Connected();
        Assert.Equal([60_000, 5], (await Save()).Select(blob => Text(blob).Length));
    }

    [Fact]
    public async Task S05_Saves_of_two_nics_interleave_and_their_blobs_are_not_mixed()
    {
        await DefineThree(filter: Saves("one", "two"));
        await Connected();
        await Connected(Q);
        await Does(OidCode.NicSave);
        var whole = await Save(Q);
        Assert.Equal(["one", "two"], whole.Select(Text));
        Assert.Equal("two", Encoding.UTF8.GetString((await Does(OidCode.NicSave)).Output!.Value.GetProperty("data").GetBytesFromBase64()));
        await Does(OidCode.NicSaveComplete);
    }

    [Fact]
    public async Task S05_Saves_of_two_nics_at_once_both_end()
    {
        await DefineThree(filter: Saves("one", "two"));
        await Connected();
        await Connected(Q);
        var both = await Task.WhenAll(Target.Save(PortName(P)), Target.Save(PortName(Q)));
        Assert.All(both, saved => Assert.Equal(["one", "two"], saved.Blobs.Select(Text)));
    }

    [Fact]
    public async Task S07_Failed_save_fails_and_the_nic_stays_connected()
    {
        await DefineThree(filter: Answers(OidCode.NicSave, NdisStatus.Failure));
        await Connected();
        var (verdict, _) = await Target.Save(PortName(P));
        Assert.Equal((409, "nic.save.failed", "S07"), (verdict.Http, verdict.Refusal?.Code, verdict.Refusal?.Rule));
        Assert.Contains("test.verdict", verdict.Refusal!.Detail, StringComparison.Ordinal);
        Assert.Equal((1, 0), (await Times("SaveFailed"), await Times("SaveCompleted")));
        await Does(OidCode.NicUpdated, parameters: Nic()); // legal while connected only
        Assert.Empty(await Save());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task S08_Complete_is_never_answered_by_an_extension(bool restore)
    {
        var oid = restore ? OidCode.NicRestoreComplete : OidCode.NicSaveComplete;
        await DefineThree(filter: Answers(oid, NdisStatus.Failure));
        await Connected();
        if (restore)
        {
            Assert.True((await Target.Restore(PortName(P), [Blob(E2, "x")])).Verdict.Succeeded);
        }
        else
        {
            await Save();
        }
        Assert.Equal(1, await Times("ExtensionFaulted"));
    }

    [Fact]
    public async Task S09_Nic_that_is_not_connected_is_not_saved()
    {
        await CreatePort();
        await CreateNic();
        var (verdict, _) = await Target.Save(PortName(P));
        Assert.Equal((409, "S09", "Created"), (verdict.Http, verdict.Refusal?.Rule, verdict.Refusal?.State));
        await NeverHappened(SwitchId, "NicDataTransferStarted", "SaveRound");
    }

    [Fact]
    public async Task S10_Blob_goes_to_its_owner_on_another_port()
    {
        await DefineThree(filter: Saves("state"));
        await Connected();
        var blobs = await Save();
        await Connected(Q);
        var (verdict, taken) = await Target.Restore(PortName(Q), blobs);
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Equal(new TakenBlob(E2, "test.verdict"), Assert.Single(taken));
        await Happened(SwitchId, "RestoreRound", "RestoreCompleted");
    }

    [Fact]
    public async Task S10_Owner_completes_the_oid_and_nobody_below_sees_it()
    {
        await DefineThree();
        await Connected();
        var outcome = await Does(OidCode.NicRestore, parameters: new NicRestoreParameters(E2, Base64("x")));
        Assert.Equal([(0, "Down"), (1, "Down"), (0, "Up")], Trace(outcome));
        await Does(OidCode.NicRestoreComplete);
    }

    [Fact]
    public async Task S11_Blob_that_nobody_owns_reaches_the_edge_and_is_on_record_as_an_orphan()
    {
        await Connected();
        var (verdict, taken) = await Target.Restore(PortName(P), [Blob(E2, "x")]);
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Equal(new TakenBlob(E2, null), Assert.Single(taken));
        Assert.Equal((1, 1), (await Times("RestoreRound"), await Times("RestoreCompleted")));
    }

    [Fact]
    public async Task S12_Failure_of_one_blob_fails_the_whole_restore()
    {
        await DefineThree(filter: Answers(OidCode.NicRestore, NdisStatus.Failure, times: 2)); // of a foreign blob that is a fault, of its own it counts
        await Connected();
        var (verdict, _) = await Target.Restore(PortName(P), [Blob(E3, "x"), Blob(E2, "y"), Blob(E3, "z")]);
        Assert.Equal((409, "nic.restore.failed", "S12"), (verdict.Http, verdict.Refusal?.Code, verdict.Refusal?.Rule));
        Assert.Equal((1, 1, 0), (await Times("RestoreRound"), await Times("RestoreFailed"), await Times("RestoreCompleted")));
    }

    [Fact]
    public async Task S13_Three_blobs_are_three_restores_and_one_complete()
    {
        await DefineThree();
        await Connected();
        var (verdict, taken) = await Target.Restore(PortName(P), [Blob(E2, "a"), Blob(E3, "b"), Blob(E2, "c")]);
        Assert.True(verdict.Succeeded, $"{verdict}");
        Assert.Equal([E2, E3, E2], taken.Select(blob => blob.ExtensionId));
        Assert.Equal((3, 1), (await Times("RestoreRound"), await Times("RestoreCompleted")));
    }

    [Fact]
    public async Task S14_Foreign_blob_that_is_changed_on_the_way_is_a_fault_and_the_original_goes_on()
    {
        await DefineThree(filter: new ExtensionSettings(ChangesPayload: true));
        await Connected();
        var before = await Times("ExtensionFaulted");
        var outcome = await Does(OidCode.NicRestore, parameters: new NicRestoreParameters(E3, Base64("x")));
        Assert.Equal(("S14", 1), (Assert.Single(outcome.Faults).Rule, outcome.Faults[0].Position));
        Assert.Equal(before + 1, await Times("ExtensionFaulted"));
    }

    [Fact]
    public async Task M08_Restore_before_connect_is_rejected()
    {
        await CreatePort();
        await CreateNic();
        var verdict = (await Target.Restore(PortName(P), [Blob(E2, "x")])).Verdict;
        Assert.Equal((409, "M08"), (verdict.Http, verdict.Refusal?.Rule));
    }

    [Fact]
    public async Task S16_Saving_changes_nothing_and_a_later_save_gives_the_same()
    {
        await DefineThree(filter: Saves("one", "two"));
        await Connected();
        var first = await Save();
        var before = await Live();
        Assert.Equal(first, await Save());
        Assert.Equal(before, await Live());
        await DisconnectNic();
        await DeleteNic();
    }

    [Fact]
    public async Task S16_Save_that_was_begun_and_left_does_not_hide_its_blobs_from_the_next_connection()
    {
        await DefineThree(filter: Saves("one"));
        await Connected();
        await Does(OidCode.NicSave);
        await DisconnectNic();
        await DeleteNic();
        await CreateNic();
        await ConnectNic();
        Assert.Equal("one", Text(Assert.Single(await Save())));
    }

    [Fact]
    public async Task S16_Save_that_ends_on_a_bound_ends_its_series_at_the_nic()
    {
        await DefineThree(filter: Saves([.. Enumerable.Range(0, 65).Select(n => $"{n}")]));
        await Connected();
        Assert.Equal(("nic.save.blobs", "switch.md 4.1"), await Problem(Target.Save(PortName(P))));
        await SeriesEnded();
        await DefineThree(filter: Saves([.. Enumerable.Repeat(new string('x', 60_000), 5)]));
        Assert.Equal(("nic.save.bytes", "switch.md 4.1"), await Problem(Target.Save(PortName(P))));
        await SeriesEnded();
        await DefineThree(filter: Saves(new string('x', 66_000)));
        Assert.Equal(("nic.save.bytes", "S04"), await Problem(Target.Save(PortName(P))));
        await SeriesEnded();
        await DefineThree(filter: Answers(OidCode.NicSave, NdisStatus.BufferTooShort));
        Assert.Equal(("nic.save.failed", "S07"), await Problem(Target.Save(PortName(P))));
        await SeriesEnded();
        Assert.Equal(0, await Times("OidRejected"));
        Assert.True((await Target.Restore(PortName(P), [Blob(E2, "x")])).Verdict.Succeeded); // no series is in its way
    }

    [Fact]
    public async Task S07_Save_that_fails_at_the_nic_has_no_series_to_end()
    {
        await DefineThree(filter: Answers(OidCode.NicSave, NdisStatus.Failure));
        await Connected();
        Assert.Equal(("nic.save.failed", "S07"), await Problem(Target.Save(PortName(P))));
        Assert.Equal((0, 0), (await Times("SaveCompleted"), await Times("OidRejected")));
        await Happened(NicId(), "NicSeriesFailed");
    }

    [Fact]
    public async Task Save_of_more_blobs_than_a_nic_may_have_is_refused_by_name()
    {
        await DefineThree(filter: Saves([.. Enumerable.Range(0, 65).Select(n => $"{n}")]));
        await Connected();
        Assert.Equal("nic.save.blobs", (await Target.Save(PortName(P))).Verdict.Refusal?.Code);
        Assert.Equal("nic.save.blobs", (await Target.Save(PortName(P))).Verdict.Refusal?.Code); // what the first one gave is no hole in the second
        Assert.Equal("nic.restore.blobs", (await Target.Restore(PortName(P), [.. Enumerable.Repeat(Blob(E2, "x"), 65)])).Verdict.Refusal?.Code);
    }

    [Fact]
    public async Task Save_of_more_bytes_than_a_nic_may_have_is_refused_by_name()
    {
        await DefineThree(filter: Saves([.. Enumerable.Repeat(new string('x', 60_000), 5)]));
        await Connected();
        Assert.Equal("nic.save.bytes", (await Target.Save(PortName(P))).Verdict.Refusal?.Code);
        Assert.Equal("nic.save.bytes", (await Target.Save(PortName(P))).Verdict.Refusal?.Code);
    }

    [Fact]
    public async Task Blob_of_more_bytes_than_its_size_can_say_fails_the_save()
    {
        await DefineThree(filter: Saves(new string('x', 66_000)));
        await Connected();
        Assert.Equal(("nic.save.bytes", "S04"), await Problem(Target.Save(PortName(P))));
        Assert.Equal(("nic.absent", null), await Problem(Target.Save(PortName(P), 3)));
        Assert.Equal(("port.absent", null), await Problem(Target.Save("none")));
    }

    [Fact]
    public async Task Learned_addresses_go_with_the_nic_and_a_blob_that_cannot_be_read_fails_the_restore()
    {
        await Target.DefineSwitch(new ExtensionDefinition("forward.learning", ExtensionClass.Forward));
        await Connected();
        var blob = Assert.Single(await Save());
        using var table = JsonDocument.Parse(Convert.FromBase64String(blob.Data));
        Assert.Equal((1, "00:15:5d:00:00:07"), (table.RootElement.GetProperty("version").GetInt32(), table.RootElement.GetProperty("learned")[0].GetString()));
        Assert.Equal("nic.restore.failed", (await Target.Restore(PortName(P), [blob with { Data = Base64("{\"version\":2}") }])).Verdict.Refusal?.Code);
        Assert.Equal("nic.restore.failed", (await Target.Restore(PortName(P), [blob with { Data = Base64("no json") }])).Verdict.Refusal?.Code);
    }

    [Fact]
    public async Task What_two_extensions_take_back_is_what_the_next_save_gives()
    {
        await Target.DefineSwitch(new ExtensionDefinition("filter.acl", ExtensionClass.Filter), new ExtensionDefinition("forward.learning", ExtensionClass.Forward));
        await Connected();
        NicBlob[] blobs =
        [
            Of("filter.acl", ExtensionClass.Filter, "{\"version\":1,\"spoofedDropped\":3,\"aclHits\":[]}"),
            Of("forward.learning", ExtensionClass.Forward, "{\"version\":1,\"learned\":[\"00:15:5d:00:00:07\",\"02:00:00:00:00:01\"]}"),
        ];
        foreach (var order in new[] { blobs, [.. blobs.Reverse()] })
        {
            Assert.True((await Target.Restore(PortName(P), order)).Verdict.Succeeded);
            Assert.Equal(blobs.Select(Text), (await Save()).Select(Text));
        }
    }

    [Fact]
    public async Task S02_Save_that_follows_a_lone_round_gives_everything()
    {
        await DefineThree(filter: Saves("one", "two"));
        await Connected();
        await Does(OidCode.NicSave);
        Assert.Equal(["one", "two"], (await Save()).Select(Text));
    }

    [Fact]
    public async Task Restore_during_the_rounds_of_a_save_is_rejected_and_the_save_goes_on_where_it_was()
    {
        await DefineThree(filter: Saves("one", "two"));
        await Connected();
        await Does(OidCode.NicSave);
        Assert.Equal("nic.restore.other-open", (await Target.Restore(PortName(P), [Blob(E2, "x")])).Verdict.Refusal?.Code);
        Assert.Equal("two", Encoding.UTF8.GetString((await Does(OidCode.NicSave)).Output!.Value.GetProperty("data").GetBytesFromBase64()));
        await Does(OidCode.NicSaveComplete);
    }

    [Fact]
    public async Task Buffer_that_is_larger_than_any_blob_takes_no_larger_blob()
    {
        await DefineThree(filter: Saves(new string('x', 66_000)));
        await Connected();
        var tooShort = (await Try(OidCode.NicSave, parameters: new NicSaveParameters(int.MaxValue))).Outcome!;
        Assert.Equal((NdisStatus.BufferTooShort, Structure + 66_000, 0), (tooShort.Status, tooShort.BytesNeeded, await Times("SaveRound")));
    }

    [Fact]
    public async Task Blob_of_more_bytes_than_its_size_can_say_is_restored_by_nobody()
    {
        await DefineThree();
        await Connected();
        var most = new string('x', ushort.MaxValue);
        await Does(OidCode.NicRestore, parameters: new NicRestoreParameters(E2, Base64(most)));
        await Does(OidCode.NicRestoreComplete);
        var one = await Try(OidCode.NicRestore, parameters: new NicRestoreParameters(E2, Base64(most + "x")));
        Assert.Equal((422, "parameters.data"), (one.Http, one.Refusal?.Field));
        var whole = (await Target.Restore(PortName(P), [Blob(E2, "x"), Blob(E2, most + "x")])).Verdict;
        Assert.Equal((422, "blobs[1].data"), (whole.Http, whole.Refusal?.Field));
        Assert.Equal(1, await Times("RestoreRound"));
    }

    /// <summary>The state without the number of the host's commands: a read is one.</summary>
    async Task<string> Live() => System.Text.RegularExpressions.Regex.Replace(await Target.Picture(), "\"spent\":[0-9]+", "");

    async Task SeriesEnded()
    {
        var series = (await Target.Events(NicId())).Where(type => type.StartsWith("NicSeries", StringComparison.Ordinal)).ToList();
        Assert.Equal(("NicSeriesOpened", "NicSeriesCompleted"), (series[^2], series[^1]));
    }

    async Task<IReadOnlyList<NicBlob>> Save(uint port = P)
    {
        var (verdict, blobs) = await Target.Save(PortName(port));
        Assert.True(verdict.Succeeded, $"{verdict}");
        return blobs;
    }

    static async Task<(string?, string?)> Problem(Task<(Verdict Verdict, IReadOnlyList<NicBlob>)> save)
    {
        var refusal = (await save).Verdict.Refusal;
        return (refusal?.Code, refusal?.Rule);
    }

    static ExtensionSettings Saves(params string[] texts) => new(Saves: texts);

    static NicBlob Blob(string extension, string text) => new(extension, "test.verdict", Base64(text));

    static NicBlob Of(string extension, ExtensionClass extensionClass, string text) =>
        new(ExtensionIds.Guid(new ExtensionDefinition(extension, extensionClass)), extension, Base64(text));

    static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    static string Text(NicBlob blob) => Encoding.UTF8.GetString(Convert.FromBase64String(blob.Data));

    static string Id(ExtensionClass extensionClass) => ExtensionIds.Guid(new ExtensionDefinition("test.verdict", extensionClass));

    static (int, string)[] Trace(OidOutcome outcome) => [.. outcome.Trace.Select(step => (step.Position, step.Direction.ToString()))];
}
