using System.Collections.Immutable;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 9.7: the timers of an OID that is open, on a clock that moves when told.</summary>
public sealed class SlowOidTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly OidRequest Create = new("slow-1", OidCode.PortCreate, 7, 0, new PortParameters("port-7"));

    readonly World _world = new();

    public SlowOidTests() => _world.Connect("hv01");

    [Fact]
    public void F08_Warning_after_a_second_and_alarm_after_ten_name_oid_port_and_position()
    {
        Pend();
        _world.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Empty(Alarms());
        _world.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(("switch.oid.slow", AlarmSeverity.Warning), (Assert.Single(Alarms()).Code, Alarms()[0].Severity));
        _world.Advance(TimeSpan.FromSeconds(9));
        var alarm = Assert.Single(Alarms());
        Assert.Equal(("switch.oid.stuck", AlarmSeverity.Critical), (alarm.Code, alarm.Severity));
        Assert.Contains("OID_SWITCH_PORT_CREATE (slow-1) of port 7", alarm.Reason, StringComparison.Ordinal);
        Assert.Contains("pending at extension test.verdict, position 0", alarm.Reason, StringComparison.Ordinal);
        Assert.Equal([false, true], _world.Journal[Sw].Select(row => row.Event).OfType<OidSlow>().Select(slow => slow.Alarm));

        _world.Do(Sw, new CompleteOid("slow-1", "test.verdict", NdisStatus.Success));
        Assert.Empty(Alarms());
        _world.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, _world.Journal[Sw].Count(row => row.Event is OidSlow));
    }

    [Fact]
    public void F08_Oid_that_waits_for_its_host_is_below_the_extensions()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        _world.Disconnect("hv01");
        _world.Ask(Sw, "slow-1", new SubmitOid(Create, true));
        _world.Settle().Advance(TimeSpan.FromSeconds(11));
        Assert.Equal((RefusedBy.EdgePosition, RefusedBy.EdgeName), _world.Journal[Sw].Select(row => row.Event).OfType<OidSlow>().Select(slow => (slow.Position, slow.Extension)).Last());
        Assert.Contains(Alarms(), alarm => alarm.Code == "switch.oid.stuck" && alarm.Reason.Contains("port/hv01/sw/port-7", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pending_oid_survives_a_crash_of_its_switch(bool withSnapshot)
    {
        var question = Pend();
        _world.Crash(Sw, withSnapshot);
        _world.Settle().Advance(TimeSpan.FromSeconds(2));
        Assert.Single(Alarms());
        _world.Do(Sw, new CompleteOid("slow-1", "test.verdict", NdisStatus.Success));
        Assert.Equal(NdisStatus.Success, (question.Answer!.Reply as OidOutcome)!.Status);
    }

    [Fact]
    public void F07_Risk_of_a_deadlock_is_an_alarm_while_the_oid_is_pending()
    {
        Pend(new ExtensionSettings(Pends: [OidCode.PortCreate], AsksRestart: OidCode.PortCreate));
        Assert.Equal("switch.stack.deadlock-risk", Assert.Single(Alarms()).Code);
        _world.Do(Sw, new CompleteOid("slow-1", "test.verdict", NdisStatus.Success));
        Assert.Empty(Alarms());
    }

    Question Pend(ExtensionSettings? settings = null)
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report, new ExtensionDefinition(
            "test.verdict", ExtensionClass.Filter, true, settings ?? new ExtensionSettings(Pends: [OidCode.PortCreate])));
        var question = _world.Ask(Sw, "slow-1", new SubmitOid(Create, true));
        _world.Settle();
        return question;
    }

    ImmutableArray<Alarm> Alarms() =>
        ControlPlane.Actors.Projections.Alarms.Of(_world.Rows(Sw).Aggregate(EntityView.New(Sw), (view, row) => view.After(row)));
}
