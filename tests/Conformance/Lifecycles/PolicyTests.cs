using System.Text.Json;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>From a property of the port to what the host enforces for the NIC, and back: nothing holds before it was read back.</summary>
public sealed class PolicyTests
{
    const uint P = 7;
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Port = EntityId.Port("hv01", "sw", "p7");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");
    static readonly PortPolicy Vlan10 = PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) };

    readonly World _world = new World().Connect("hv01");
    int _requests;

    public PolicyTests() => _world.DefineSwitch(Sw, DriftPolicy.Report);

    [Fact]
    public void Vlan_of_a_port_is_enforced_for_the_nic_that_is_made_on_it()
    {
        CreatePort();
        Assert.Equal(NdisStatus.Success, Add(Access(10)).Status);
        Connect();
        Assert.Equal(Vlan10, Commands(DriverVerb.CreateNic).Single().Policy);
        Assert.Equal(Vlan10.Digest, Device.Policy);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Nic_without_any_property_is_guarded_by_the_default()
    {
        CreatePort();
        Connect();
        Assert.Equal(PortPolicy.Default, Commands(DriverVerb.CreateNic).Single().Policy);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Nic_without_an_address_has_nothing_that_the_default_could_guard()
    {
        CreatePort();
        Connect(mac: null);
        Assert.Null(Commands(DriverVerb.CreateNic).Single().Policy);
        Assert.True(State.IsReady());
        Does(OidCode.NicUpdated, Parameters(null) with { CurrentMacAddress = "00:15:5d:00:00:09" });
        Assert.Equal(PortPolicy.Default.Digest, Device.Policy); // now there is an address to guard
    }

    [Fact]
    public void Property_that_comes_to_a_connected_nic_holds_when_the_host_has_read_it_back()
    {
        CreatePort();
        Connect();
        var before = Body.Revision;
        Assert.Equal(NdisStatus.Success, Add(Access(10)).Status);
        Assert.Equal(Vlan10.Digest, Device.Policy);
        Assert.True(Body.Applied > before);
        Assert.True(State.IsReady());
        Assert.Equal(["PortPropertyProposed", "PortPropertyChanged"], _world.Events(Port).TakeLast(2));
        Assert.Equal(["NicPolicyProposed", "NicPolicyApplied"], _world.Events(Nic).TakeLast(2));
    }

    [Fact]
    public void Property_that_the_host_refuses_is_not_there_and_the_old_policy_stays_wanted()
    {
        CreatePort();
        Add(Access(10));
        Connect();
        _world.Hosts["hv01"].Plant(DriverVerb.ApplyPolicy, NdisStatus.Resources);
        var refused = Update(Access(20));
        Assert.Equal((NdisStatus.Resources, RefusedBy.EdgePosition), (refused.Status, refused.RefusedBy!.Position));
        Assert.Equal((Vlan10.Digest, Vlan10), (Device.Policy, Body.Policy));
        Assert.Equal(10, Value().GetProperty("accessVlanId").GetInt32());
        Assert.True(State.IsReady());
        Assert.Equal(NdisStatus.Success, Update(Access(20)).Status); // under another revision
        Assert.Equal(2, Commands(DriverVerb.ApplyPolicy).Select(command => command.Revision).Distinct().Count());
        Assert.True(State.IsReady());
    }

    [Theory]
    [InlineData(DriftPolicy.Report)]
    [InlineData(DriftPolicy.Repair)]
    public void Policy_that_a_host_refused_and_did_not_put_back_is_built_again_from_the_former_one(DriftPolicy drift)
    {
        _world.DefineSwitch(Sw, drift);
        CreatePort();
        Add(Access(10));
        Connect();
        _world.Hosts["hv01"].Breaks = true;
        Assert.Equal(NdisStatus.Resources, Update(Access(20)).Status);
        Assert.Equal((Vlan10, Vlan10.Digest), (Commands(DriverVerb.RepairNic).Single().Policy, Device.Policy));
        Assert.Equal(10, Value().GetProperty("accessVlanId").GetInt32());
        Assert.True(State.IsReady());
        Assert.DoesNotContain("DriftSeen", _world.Events(Sw)); // it was no other hand's
        Assert.Equal(["NicPolicyRefused", "NicRepairStarted", "NicRepaired"], _world.Events(Nic).TakeLast(3));
    }

    [Fact]
    public void Policy_that_cannot_be_built_again_either_is_an_alarm_and_tried_again_with_the_next_session()
    {
        CreatePort();
        Add(Access(10));
        Connect();
        _world.Hosts["hv01"].Breaks = true;
        _world.Hosts["hv01"].Plant(DriverVerb.RepairNic, NdisStatus.Failure);
        Update(Access(20));
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Single(Commands(DriverVerb.RepairNic));
        Assert.Equal((DriftStage.Reported, Vlan10), (Body.Drift?.Stage, Body.Policy));
        Assert.False(State.IsReady());
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Equal(Vlan10.Digest, Device.Policy);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Extensions_that_had_agreed_to_a_property_that_the_host_refuses_undo_it_nearest_first()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report,
            new ExtensionDefinition("capture.mirror", ExtensionClass.Capture), new ExtensionDefinition("filter.acl", ExtensionClass.Filter));
        CreatePort();
        Add(Access(10));
        Connect();
        _world.Hosts["hv01"].Plant(DriverVerb.ApplyPolicy, NdisStatus.Resources);
        Update(Access(20));
        Assert.Equal(["filter.acl", "capture.mirror"], _world.Rows(Sw).Select(row => row.Event).OfType<OidUndone>().Select(undone => undone.Extension));
        Assert.Equal(["PortPropertyProposed", "PortPropertyRefused"], _world.Events(Port).TakeLast(2));
        Assert.Equal(["NicPolicyProposed", "NicPolicyRefused"], _world.Events(Nic).TakeLast(2));
    }

    [Fact]
    public void Property_that_the_host_says_it_applied_and_does_not_enforce_is_refused()
    {
        CreatePort();
        Connect();
        _world.Hosts["hv01"].Deaf = true;
        Assert.Equal(NdisStatus.Failure, Add(Access(10)).Status);
        Assert.Empty(_world.State<PortState>(Port).BodyOrNull!.Properties);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Nic_whose_policy_is_not_read_back_is_not_created_and_its_device_is_removed()
    {
        CreatePort();
        _world.Hosts["hv01"].Deaf = true;
        var outcome = (OidOutcome)_world.Oid(Sw, Request(OidCode.NicCreate, Parameters("00:15:5d:00:00:07"))).Reply!;
        Assert.Equal((NdisStatus.Failure, "Created", "Absent"), (outcome.Status, outcome.PortState, outcome.NicState));
        Assert.Contains("NicCreateUndoing", _world.Events(Nic));
        Assert.Empty(_world.Hosts["hv01"].Devices);
        _world.Hosts["hv01"].Deaf = false;
        Connect();
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Policy_that_is_lost_on_the_host_is_drift_and_under_repair_comes_back()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        CreatePort();
        Add(Access(10));
        Connect();
        _world.LosePolicy("hv01", Nic.Text);
        Assert.Contains("NicDrifted", _world.Events(Nic));
        Assert.Equal(Vlan10.Digest, Device.Policy);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Repair_after_which_the_policy_is_not_there_is_a_fault_and_not_repeated_by_itself()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        CreatePort();
        Connect();
        _world.Hosts["hv01"].Deaf = true;
        _world.LosePolicy("hv01", Nic.Text);
        Assert.Equal(DriftStage.Reported, Body.Drift?.Stage);
        Assert.Single(Commands(DriverVerb.RepairNic));
        Assert.Contains("NicEdgeFaulted", _world.Events(Nic));
        Assert.False(State.IsReady());
    }

    [Fact]
    public void Guard_follows_the_current_address()
    {
        CreatePort();
        Connect();
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { CurrentMacAddress = "00:15:5d:00:00:08", VfAssigned = true });
        Assert.Equal("00:15:5d:00:00:08", Commands(DriverVerb.ApplyPolicy).Single().Mac);
        Assert.Equal(PortPolicy.Default, Commands(DriverVerb.ApplyPolicy).Single().Policy);
        Assert.True(State.IsReady());
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { CurrentMacAddress = "00:15:5d:00:00:08", NicFriendlyName = "web" });
        Assert.Single(Commands(DriverVerb.ApplyPolicy)); // nothing else that the host enforces has changed
    }

    [Fact]
    public void Update_of_a_nic_that_the_host_fails_is_a_fault_and_the_nic_is_not_ready()
    {
        CreatePort();
        Connect();
        _world.Hosts["hv01"].Plant(DriverVerb.ApplyPolicy, NdisStatus.Failure);
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { Mtu = 9_000 });
        Assert.Equal(9_000, Body.Parameters.Mtu);
        Assert.Contains("NicEdgeFaulted", _world.Events(Nic));
        Assert.False(State.IsReady());
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { Mtu = 1_400 });
        Assert.True(State.IsReady());
    }

    [Theory]
    [InlineData(9_000, "00:15:5d:00:00:07")]
    [InlineData(1_500, "00:15:5d:00:00:08")]
    public void Update_that_the_host_fails_is_drift_that_shows_what_is_wanted_and_observed(int mtu, string mac)
    {
        CreatePort();
        Connect();
        _world.Hosts["hv01"].Plant(DriverVerb.ApplyPolicy, NdisStatus.Failure);
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { Mtu = mtu, CurrentMacAddress = mac });
        Assert.Equal((DriftStage.Reported, 1_500, "00:15:5d:00:00:07"), (Body.Drift?.Stage, Body.Drift?.Observed.Mtu, Body.Drift?.Observed.Mac));
        Assert.Equal((mtu, mac), (Body.Parameters.Mtu, Body.Mac));
        Assert.Single(_world.Events(Sw), "DriftSeen");
        var alarm = Alarms.Of(_world.Rows(Nic).Aggregate(EntityView.New(Nic), (view, row) => view.After(row))).Single(alarm => alarm.Code == "nic.drift");
        Assert.Contains(mtu == 1_500 ? $"guard 00:15:5d:00:00:07 and not {mac}" : $"MTU 1500 and not {mtu}", alarm.Reason, StringComparison.Ordinal);
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { Mtu = mtu, CurrentMacAddress = mac }); // the same again is asked of the host again
        Assert.Equal((mtu, mac), (Device.Mtu, Device.Mac));
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Update_that_the_host_fails_is_repaired_under_the_policy()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        CreatePort();
        Connect();
        _world.Hosts["hv01"].Plant(DriverVerb.ApplyPolicy, NdisStatus.Failure);
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { Mtu = 9_000, CurrentMacAddress = "00:15:5d:00:00:08" });
        var repair = Commands(DriverVerb.RepairNic).Single();
        Assert.Equal((9_000, "00:15:5d:00:00:08", true, PortPolicy.Default), (repair.Mtu, repair.Mac, repair.Up, repair.Policy));
        Assert.Equal((9_000, "00:15:5d:00:00:08"), (Device.Mtu, Device.Mac));
        Assert.Null(Body.Drift);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Repair_of_a_failed_update_that_fails_too_is_tried_again_with_the_next_session_and_not_before()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Repair);
        CreatePort();
        Connect();
        _world.Hosts["hv01"].Plant(DriverVerb.ApplyPolicy, NdisStatus.Failure);
        _world.Hosts["hv01"].Plant(DriverVerb.RepairNic, NdisStatus.Failure);
        Does(OidCode.NicUpdated, Parameters("00:15:5d:00:00:07") with { Mtu = 9_000 });
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Single(Commands(DriverVerb.RepairNic));
        Assert.Equal((DriftStage.Reported, 1_500), (Body.Drift?.Stage, Device.Mtu));
        _world.Disconnect("hv01").Connect("hv01");
        Assert.Equal((2, 9_000), (Commands(DriverVerb.RepairNic).Count(), Device.Mtu));
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Mtu_that_another_hand_changed_is_drift()
    {
        CreatePort();
        Connect();
        _world.SetMtu("hv01", Nic.Text, 1_400);
        Assert.Equal((DriftStage.Reported, 1_400), (Body.Drift?.Stage, Body.Drift?.Observed.Mtu));
        _world.SetMtu("hv01", Nic.Text, 1_500);
        Assert.Null(Body.Drift);
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Connect_brings_mtu_and_address_anew()
    {
        CreatePort();
        Does(OidCode.NicCreate, Parameters("00:15:5d:00:00:07"));
        Does(OidCode.NicConnect, Parameters("00:15:5d:00:00:07") with { Mtu = 1_400, CurrentMacAddress = "00:15:5d:00:00:08" });
        Assert.Equal((1_400, "00:15:5d:00:00:08"), (Device.Mtu, Device.Mac));
        Assert.True(State.IsReady());
    }

    [Fact]
    public void Access_list_counts_only_where_its_extension_is_its_owner()
    {
        var acl = new PropertyParameters(PropertyType.Custom, "acl", PropertyIds.Acl, 0, Json("""{"rules":[{"direction":"inbound","action":"deny","remote":"10.0.0.0/8"}]}"""));
        var rule = new AclRule(AclDirection.Inbound, AclAction.Deny, "10.0.0.0/8");
        Assert.Empty(PortPolicies.Of([new PortProperty(acl, null)]).Acls);
        Assert.Empty(PortPolicies.Of([new PortProperty(acl, "test.verdict")]).Acls);
        Assert.Equal([rule], PortPolicies.Of([new PortProperty(acl, "filter.acl")]).Acls);
    }

    [Fact]
    public void Properties_together_make_one_policy()
    {
        CreatePort();
        Add(Access(10));
        Add(new PropertyParameters(PropertyType.Security, "s", Value: Json("""{"allowMacSpoofing":true}""")));
        Add(new PropertyParameters(PropertyType.Custom, "b", PropertyIds.Bandwidth.ToUpperInvariant(), 0, Json("""{"outboundBitsPerSecond":1000000}""")));
        Connect();
        Assert.Equal(
            new PortPolicy(new VlanPolicy.Access(10), true, [], new BandwidthPolicy(1_000_000)), Commands(DriverVerb.CreateNic).Single().Policy);
        Delete(Access(10));
        Assert.Equal(new PortPolicy(new VlanPolicy.Untagged(), true, [], new BandwidthPolicy(1_000_000)).Digest, Device.Policy);
    }

    [Fact]
    public void Open_policy_survives_the_loss_of_all_memory()
    {
        CreatePort();
        Connect();
        _world.Disconnect("hv01");
        var asked = _world.Ask(Sw, "r-vlan", new SubmitOid(Request(OidCode.PortPropertyAdd, Access(10)), FromPeer: true));
        _world.Settle();
        Assert.Null(asked.Answer);
        _world.CrashAll();
        _world.Connect("hv01");
        Assert.Equal(NdisStatus.Success, ((OidOutcome)asked.Answer!.Reply!).Status);
        Assert.Equal(Vlan10.Digest, Device.Policy);
        Assert.True(State.IsReady());
    }

    NicState State => _world.State<NicState>(Nic);

    NicBody Body => State.BodyOrNull!;

    DeviceState Device => _world.Hosts["hv01"].Devices[Nic.Text];

    IEnumerable<DriverCommand> Commands(DriverVerb verb) => _world.Hosts["hv01"].Carried.Where(command => command.Verb == verb);

    JsonElement Value() => _world.State<PortState>(Port).BodyOrNull!.Properties.Values.Single().Parameters.Value!.Value;

    void CreatePort() => Does(OidCode.PortCreate, new PortParameters("p7"));

    void Connect(string? mac = "00:15:5d:00:00:07")
    {
        Does(OidCode.NicCreate, Parameters(mac));
        Does(OidCode.NicConnect, null);
    }

    static NicParameters Parameters(string? mac) => new("eth0", VmName: "web", Mtu: 1_500, PermanentMacAddress: mac);

    OidOutcome Add(PropertyParameters property) => Sent(OidCode.PortPropertyAdd, property);

    OidOutcome Update(PropertyParameters property) => Sent(OidCode.PortPropertyUpdate, property);

    void Delete(PropertyParameters property) => Does(OidCode.PortPropertyDelete, property);

    void Does(OidCode oid, OidParameters? parameters) => Assert.Equal(NdisStatus.Success, Sent(oid, parameters).Status);

    OidOutcome Sent(OidCode oid, OidParameters? parameters)
    {
        var answer = _world.Oid(Sw, Request(oid, parameters));
        return answer.Reply as OidOutcome ?? throw new InvalidOperationException($"{answer.Refusal}");
    }

    OidRequest Request(OidCode oid, OidParameters? parameters) => new($"r{++_requests}", oid, P, 0, parameters);

    static PropertyParameters Access(int id) => new(PropertyType.Vlan, "v", Value: Json($$"""{"operationMode":"access","accessVlanId":{{id}}}"""));

    static JsonElement Json(string text) => JsonElement.Parse(text);
}
