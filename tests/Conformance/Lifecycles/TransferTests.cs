using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Save and restore as a NIC sees them, and what its data path gathered (switch.md 4.1, 4.2, 11).</summary>
public sealed class TransferTests
{
    const uint P = 7;
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "p7");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");
    static readonly NicRuntime Gathered = new(["00:15:5d:00:00:07"], 3, [5, 0]);

    readonly World _world = new World().Connect("hv01");
    int _requests;

    public TransferTests() => _world.DefineSwitch(Sw, DriftPolicy.Report);

    [Fact]
    public void S09_Nic_that_is_not_connected_is_not_saved()
    {
        Create();
        Assert.Equal(("nic.save.not-connected", "S09"), Refused(OidCode.NicSave));
        Assert.Equal(("nic.save.not-connected", "S09"), Refused(OidCode.NicSaveComplete));
        Assert.Equal("S09", _world.Do(Nic, new ReadRuntime()).Refusal?.Rule);
        Does(OidCode.NicConnect);
        Does(OidCode.NicDisconnect);
        Assert.Equal(("nic.save.not-connected", "S09"), Refused(OidCode.NicSave));
    }

    [Fact]
    public void M08_Restore_before_connect_is_rejected()
    {
        Create();
        Assert.Equal(("nic.restore.not-connected", "M08"), Refused(OidCode.NicRestore));
        Assert.Equal("M08", _world.Do(Nic, new RestoreRuntime("r", new NicRuntimePart(Gathered.Learned))).Refusal?.Rule);
        Does(OidCode.NicConnect);
        Accepted(OidCode.NicRestore);
    }

    [Fact]
    public void Series_has_any_number_of_rounds_and_one_complete()
    {
        Connected();
        Assert.Equal(("nic.save.no-series", "switch.md 11"), Refused(OidCode.NicSaveComplete));
        Accepted(OidCode.NicSave);
        Accepted(OidCode.NicSave);
        Assert.Equal(NicSeries.Save, Transfer?.Open);
        Accepted(OidCode.NicSaveComplete);
        Assert.Null(Transfer?.Open);
        Assert.Equal(("nic.save.no-series", "switch.md 11"), Refused(OidCode.NicSaveComplete));
        Accepted(OidCode.NicSave); // a later save works again (S16)
    }

    [Fact]
    public void One_series_is_open_at_a_time()
    {
        Connected();
        Accepted(OidCode.NicSave);
        Assert.Equal(("nic.restore.other-open", "switch.md 11"), Refused(OidCode.NicRestore));
        Assert.Equal(("nic.restore.other-open", "switch.md 11"), Refused(OidCode.NicRestoreComplete));
        Accepted(OidCode.NicSaveComplete);
        Accepted(OidCode.NicRestore);
        Assert.Equal(("nic.save.other-open", "switch.md 11"), Refused(OidCode.NicSave));
        Accepted(OidCode.NicRestoreComplete);
        Assert.True(Transfer?.Restored);
    }

    [Theory]
    [InlineData(NdisStatus.Failure, false)]
    [InlineData(NdisStatus.BufferTooShort, true)]
    public void Round_that_fails_ends_the_series_unless_it_comes_again_with_more_room(NdisStatus status, bool open)
    {
        Connected();
        var by = new RefusedBy(1, "test.verdict", status);
        var settled = (OidSettled)Arrive(OidCode.NicSave, by).Reply!;
        Assert.Equal((status, "Connected"), (settled.Status, settled.NicState)); // S07: the source stays connected
        Assert.Equal(open, Transfer?.Open is not null);
        Accepted(OidCode.NicSave);
    }

    [Theory]
    [InlineData(NdisStatus.Failure)]
    [InlineData(NdisStatus.BufferTooShort)]
    public void S12_Restore_that_an_extension_fails_is_no_restore(NdisStatus status)
    {
        Connected();
        Accepted(OidCode.NicRestore);
        Arrive(OidCode.NicRestore, new RefusedBy(1, "test.verdict", status));
        Assert.Equal((null, false), (Transfer?.Open, Transfer?.Restored));
        Assert.Contains("NicSeriesFailed", _world.Events(Nic));
    }

    [Fact]
    public void Disconnect_ends_an_open_series()
    {
        Connected();
        Accepted(OidCode.NicSave);
        Does(OidCode.NicDisconnect);
        Assert.Null(Transfer?.Open);
    }

    [Fact]
    public void N02_Restoring_port_without_a_restore_raises_a_warning_after_thirty_seconds()
    {
        Connected(restoring: true);
        _world.Advance(TimeSpan.FromSeconds(29));
        Assert.Empty(Alarms);
        _world.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["nic.restore.overdue"], Alarms);
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Single(_world.Events(Nic), "NicRestoreOverdue");
        Accepted(OidCode.NicRestore);
        Accepted(OidCode.NicRestoreComplete);
        Assert.Empty(Alarms);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void N02_Restore_that_is_completed_in_time_raises_nothing(bool anything)
    {
        Connected(restoring: true);
        if (anything)
        {
            Accepted(OidCode.NicRestore);
        }
        Accepted(OidCode.NicRestoreComplete);
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Empty(Alarms);
        Assert.True(Transfer?.Restored);
        Assert.Equal(("nic.restore.no-series", "switch.md 11"), Refused(OidCode.NicRestoreComplete));
    }

    [Fact]
    public void N02_Warning_survives_the_loss_of_all_memory()
    {
        Connected(restoring: true);
        _world.CrashAll();
        _world.Settle().Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["nic.restore.overdue"], Alarms);
    }

    [Fact]
    public void What_the_data_path_gathered_is_read_and_given_back()
    {
        Connected();
        _world.Hosts["hv01"].Runtimes[Nic.Text] = Gathered;
        var read = (RuntimeRead)_world.Do(Nic, new ReadRuntime()).Reply!;
        Assert.Equal(Gathered, read.Runtime);
        Assert.IsType<Done>(_world.Do(Nic, new RestoreRuntime("r1", new NicRuntimePart(Learned: ["00:15:5d:00:00:09"]))).Reply);
        Assert.IsType<Done>(_world.Do(Nic, new RestoreRuntime("r2", new NicRuntimePart(SpoofedDropped: 1))).Reply);
        var now = _world.Hosts["hv01"].Runtimes[Nic.Text];
        Assert.Equal(["00:15:5d:00:00:07", "00:15:5d:00:00:09"], now.Learned);
        Assert.Equal(1, now.SpoofedDropped);
        Assert.Equal(Gathered.AclHits, now.AclHits);
        Assert.True(_world.State<NicState>(Nic).IsReady());
    }

    [Theory]
    [InlineData(DriverVerb.ReadNic)]
    [InlineData(DriverVerb.RestoreNic)]
    public void Host_that_fails_it_is_named(DriverVerb verb)
    {
        Connected();
        _world.Hosts["hv01"].Plant(verb, NdisStatus.Resources);
        Command command = verb == DriverVerb.ReadNic ? new ReadRuntime() : new RestoreRuntime("r", new NicRuntimePart(Gathered.Learned));
        var refusal = _world.Do(Nic, command).Refusal!;
        Assert.Equal("nic.runtime.host", refusal.Code);
        Assert.Contains("hv01", refusal.Detail, StringComparison.Ordinal);
        Assert.Null(_world.Do(Nic, command).Refusal); // and the next is another try
    }

    [Fact]
    public void Disconnect_waits_for_a_read_that_is_open()
    {
        Connected();
        _world.Disconnect("hv01");
        var read = _world.Ask(Nic, "read", new ReadRuntime());
        var disconnect = _world.Ask(Sw, "disconnect", new SubmitOid(new OidRequest("disconnect", OidCode.NicDisconnect, P), FromPeer: true));
        _world.Settle();
        Assert.Null(disconnect.Answer);
        _world.Connect("hv01");
        Assert.IsType<RuntimeRead>(read.Answer?.Reply);
        Assert.Equal("Disconnected", _world.State<NicState>(Nic).Name);
    }

    [Fact]
    public void L12_Internal_nic_has_a_device_of_the_host()
    {
        Oid(OidCode.PortCreate, new PortParameters("p7", PortType: PortType.Internal));
        Oid(OidCode.NicCreate, new NicParameters("host", NicType.Internal, PermanentMacAddress: "00:15:5d:00:00:01"));
        Does(OidCode.NicConnect);
        var id = EntityId.HostNic("hv01", "sw", "p7", 0);
        var made = _world.Hosts["hv01"].Carried.Single(command => command.Verb == DriverVerb.CreateNic);
        Assert.Equal((NicAttach.Host, "", id.Text, PortPolicy.Default), (made.Attach, made.Vm, made.NicKey, made.Policy));
        Assert.True(_world.Hosts["hv01"].Devices[id.Text].Up);
        Assert.True(_world.State<NicState>(id).IsReady());
        Does(OidCode.NicDisconnect);
        Does(OidCode.NicDelete);
        Assert.Empty(_world.Hosts["hv01"].Devices);
    }

    NicTransfer? Transfer => _world.State<NicState>(Nic).BodyOrNull!.Transfer;

    string[] Alarms => [.. ControlPlane.Actors.Projections.Alarms.Of(
        _world.Rows(Nic).Aggregate(EntityView.New(Nic), (view, row) => view.After(row))).Select(alarm => alarm.Code)];

    void Create(bool restoring = false)
    {
        Oid(OidCode.PortCreate, new PortParameters("p7", Flags: restoring ? [PortParameters.RestoringPort] : null));
        Oid(OidCode.NicCreate, new NicParameters("eth0", VmName: "web", PermanentMacAddress: "00:15:5d:00:00:07"));
    }

    void Connected(bool restoring = false)
    {
        Create(restoring);
        Does(OidCode.NicConnect);
    }

    void Does(OidCode oid) => Oid(oid, null);

    void Oid(OidCode oid, OidParameters? parameters) =>
        Assert.Equal(NdisStatus.Success, ((OidOutcome)_world.Oid(Sw, new OidRequest($"r{++_requests}", oid, P, 0, parameters)).Reply!).Status);

    /// <summary>As the switch hands it on, when the extensions have seen it.</summary>
    Answer Arrive(OidCode oid, RefusedBy? by = null) =>
        _world.Do(Nic, new ArriveOid(new OidRequest($"r{++_requests}", oid, P), Sw, Port, Nic, by));

    void Accepted(OidCode oid) => Assert.Equal(NdisStatus.Success, ((OidSettled)Arrive(oid).Reply!).Status);

    (string, string?) Refused(OidCode oid)
    {
        var refusal = Arrive(oid).Refusal!;
        return (refusal.Code, refusal.Rule);
    }
}
