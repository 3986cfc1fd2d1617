using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>A host whose state is older than what is known of it gets no session, and somebody is told what to do.</summary>
public sealed class OldSnapshotTests
{
    static readonly EntityId Bridge = EntityId.Bridge("hv01");

    BridgeState _state = BridgeLifecycle.Evolve(
        BridgeLifecycle.Initial(Bridge), new AgentSessionOpened(1, "memory", "1", true, "boot", 7, 40, [], []));

    [Fact]
    public void Host_that_comes_with_an_older_state_is_an_alarm_until_it_has_a_session()
    {
        Do(new CloseSession(1, "gone"));
        Assert.Equal("session.old-snapshot", Hello(3, 2).Refusal?.Code);

        var alarm = Assert.Single(AlarmsNow, alarm => alarm.Code == "host.old-snapshot");
        Assert.Contains("3:2", alarm.Reason, StringComparison.Ordinal);
        Assert.Contains("7:40", alarm.Reason, StringComparison.Ordinal);
        Assert.Contains("host readmit hv01", alarm.Action, StringComparison.Ordinal);

        Assert.IsType<SessionOpened>(Hello(7, 40).Reply);
        Assert.DoesNotContain(AlarmsNow, other => other.Code == "host.old-snapshot");
    }

    [Fact]
    public void However_often_it_comes_one_event_is_stored()
    {
        Do(new CloseSession(1, "gone"));
        var stored = Enumerable.Range(1, 100).Sum(n => Hello(3, n).Stored);
        Assert.Equal(1, stored);
    }

    [Fact]
    public void Hello_that_was_overtaken_while_the_host_is_there_is_no_alarm()
    {
        var (refusal, _, stored) = Hello(7, 39);
        Assert.Equal(("session.old-snapshot", true, 0), (refusal?.Code, refusal?.Transient, stored));
        Assert.Empty(AlarmsNow);
    }

    [Fact]
    public void Host_that_was_removed_and_admitted_again_comes_with_any_state()
    {
        Do(new CloseSession(1, "gone"));
        Hello(3, 2);
        Do(new RemoveHost(Force: true));
        Assert.Empty(AlarmsNow);
        Do(new ReadmitHost());
        Assert.IsType<SessionOpened>(Hello(3, 2).Reply);
    }

    IEnumerable<Alarm> AlarmsNow => Alarms.Of(EntityView.New(Bridge) with { State = _state });

    (Refusal? Refusal, Reply? Reply, int Stored) Hello(long epoch, long seq) =>
        Do(new OpenSession("memory", "1", true, new Inventory("boot", epoch, seq, [], [])));

    (Refusal? Refusal, Reply? Reply, int Stored) Do(Command command)
    {
        switch (BridgeLifecycle.Decide(_state, command, new Turn(default, "m", "system", "c", null)))
        {
            case Decision<BridgeEvent>.Accepted accepted:
                _state = accepted.Events.Aggregate(_state, BridgeLifecycle.Evolve);
                return (accepted.Late.SingleOrDefault()?.Refusal, accepted.Reply, accepted.Events.Length);
            case Decision<BridgeEvent>.Refused(var refusal):
                return (refusal, null, 0);
            default:
                throw new InvalidOperationException();
        }
    }
}
