using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>A host's bridge holds one token and spends it once (reliability.md 7.1).</summary>
public sealed class HostJoinTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    BridgeState _state = BridgeLifecycle.Initial(EntityId.Bridge("hv01"));
    DateTimeOffset _now = Start;

    [Fact]
    public void Token_is_good_for_one_key_which_may_ask_again_and_nothing_more_is_stored()
    {
        Assert.Equal(new HostJoinAllowedUntil(Start + HostJoins.TokenLives), Do(new AllowHostJoin("t1")).Reply);
        Assert.Equal(1, Do(new UseJoinToken("t1", "k1")).Stored);
        var again = Do(new UseJoinToken("t1", "k1"));
        Assert.Equal((null, 0), (again.Refusal, again.Stored));
        Assert.Equal("join.token-used", Do(new UseJoinToken("t1", "k2")).Refusal);
    }

    [Theory]
    [InlineData("t1", 10, "join.token-expired")]
    [InlineData("t2", 0, "join.token-unknown")]
    public void Token_that_is_late_or_none_of_the_hosts_is_refused_by_name(string token, int minutes, string code)
    {
        Do(new AllowHostJoin("t1"));
        _now = Start + TimeSpan.FromMinutes(minutes) + TimeSpan.FromTicks(1);
        Assert.Equal(code, Do(new UseJoinToken(token, "k1")).Refusal);
    }

    [Fact]
    public void Later_token_counts_alone_and_for_a_new_key()
    {
        Do(new AllowHostJoin("t1"));
        Do(new UseJoinToken("t1", "k1"));
        Do(new AllowHostJoin("t2"));
        Assert.Equal("join.token-unknown", Do(new UseJoinToken("t1", "k1")).Refusal);
        Assert.Null(Do(new UseJoinToken("t2", "k2")).Refusal);
    }

    [Fact]
    public void Host_that_was_given_up_gets_no_token_and_its_last_one_is_worth_nothing_even_when_it_is_admitted()
    {
        Do(new AllowHostJoin("t1"));
        Assert.Null(Do(new RemoveHost(Force: true)).Refusal);
        Assert.NotNull(Do(new AllowHostJoin("t2")).Refusal);
        Assert.NotNull(Do(new UseJoinToken("t1", "k1")).Refusal);
        Assert.Null(Do(new ReadmitHost()).Refusal);
        Assert.Equal("join.token-unknown", Do(new UseJoinToken("t1", "k1")).Refusal);
    }

    [Fact]
    public void Host_that_was_only_let_in_and_never_came_can_be_given_up()
    {
        Assert.Equal("host.unknown", Do(new RemoveHost(Force: false)).Refusal);
        Do(new AllowHostJoin("t1"));
        Assert.Null(Do(new RemoveHost(Force: false)).Refusal);
        Assert.True(_state.Removed);
    }

    (string? Refusal, Reply? Reply, int Stored) Do(Command command)
    {
        switch (BridgeLifecycle.Decide(_state, command, new Turn(_now, "m", "operator:ann", "c", null)))
        {
            case Decision<BridgeEvent>.Accepted accepted:
                _state = accepted.Events.Aggregate(_state, BridgeLifecycle.Evolve);
                return (null, accepted.Reply, accepted.Events.Length);
            case Decision<BridgeEvent>.Refused(var refusal):
                return (refusal.Code, null, 0);
            default:
                throw new InvalidOperationException();
        }
    }
}
