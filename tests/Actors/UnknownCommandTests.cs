using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Projections;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>A host that knows more than the journal gets no session and no command, and somebody is told (reliability.md 9 I19).</summary>
public sealed class UnknownCommandTests
{
    const string Nic = "nic/web/eth0";

    static readonly EntityId Bridge = EntityId.Bridge("hv01");

    BridgeState _state = BridgeLifecycle.Evolve(
        BridgeLifecycle.Initial(Bridge), new AgentSessionOpened(1, "memory", "1", true, "boot", 7, 40, [], []));

    public UnknownCommandTests() =>
        Do(new IssueCommand(new DriverCommand("c1", DriverVerb.ConnectNic, "sw", "web--eth0", "web", "eth0", Nic, Epoch: 2, Revision: 3)));

    [Theory]
    [InlineData(Nic, 3, 1)]
    [InlineData(Nic, 2, 4)]
    [InlineData("nic/other/eth0", 1, 1)]
    public void Host_with_a_device_that_was_never_commanded_so_gets_no_session_and_no_command(string nic, long epoch, long revision)
    {
        var refusal = Hello(nic, epoch, revision).Refusal;
        Assert.Equal(("session.unknown-command", true), (refusal?.Code, refusal?.Transient));
        Assert.Empty(BridgeLifecycle.Outstanding(_state).OfType<Effect.Drive>());
        Assert.Equal("host.offline", Do(new CheckHost()).Refusal?.Code);
        var alarm = Assert.Single(Alarms.Of(EntityView.New(Bridge) with { State = _state }), alarm => alarm.Code == "host.unknown-command");
        Assert.Contains(nic, alarm.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Nic, 2, 3)]
    [InlineData(Nic, 2, 2)]
    [InlineData(Nic, 1, 9)]
    [InlineData("", 0, 0)]
    [InlineData(Nic, 0, 0)]
    public void Host_whose_devices_are_where_they_were_commanded_or_behind_gets_its_session(string nic, long epoch, long revision)
    {
        Assert.IsType<SessionOpened>(Hello(nic, epoch, revision).Reply);
        Assert.Single(BridgeLifecycle.Outstanding(_state).OfType<Effect.Drive>());
    }

    [Fact]
    public void However_often_it_comes_one_event_is_stored() => Assert.Equal(1, Enumerable.Range(1, 100).Sum(_ => Hello(Nic, 9, 1).Stored));

    [Fact]
    public void Host_that_does_not_show_it_any_more_gets_its_session()
    {
        Hello(Nic, 9, 1);
        Assert.IsType<SessionOpened>(Hello(Nic, 2, 3).Reply);
        Assert.Empty(Alarms.Of(EntityView.New(Bridge) with { State = _state }));
    }

    [Fact]
    public void Host_that_an_operator_admits_with_it_keeps_its_sessions()
    {
        Hello(Nic, 9, 1);
        Do(new RemoveHost(Force: true));
        Do(new ReadmitHost());
        Assert.IsType<SessionOpened>(Hello(Nic, 9, 1).Reply);
        Assert.IsType<SessionOpened>(Hello(Nic, 9, 1).Reply);
        Assert.Equal("session.unknown-command", Hello(Nic, 9, 2).Refusal?.Code);
    }

    (Refusal? Refusal, Reply? Reply, int Stored) Hello(string nic, long epoch, long revision) => Do(new OpenSession("memory", "1", true, new Inventory(
        "boot", 7, 40, ["sw"], [new DeviceState(nic, "sw", "web--eth0", "n-1", Present: true, Up: true, Enslaved: true, epoch, revision)])));

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
