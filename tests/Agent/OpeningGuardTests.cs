using ControlPlane.Host.Agents;

namespace ControlPlane.Agent.Tests;

public sealed class OpeningGuardTests
{
    [Fact]
    public void Wall_clock_that_is_set_back_keeps_no_agent_away()
    {
        var clock = new Clock();
        var guard = new OpeningGuard(new AgentGatewayOptions { OpensMax = 2, OpensWithin = TimeSpan.FromSeconds(10) }, clock);
        Assert.Null(guard.SendAway("hv01"));
        Assert.Null(guard.SendAway("hv01"));
        Assert.NotNull(guard.SendAway("hv01"));
        clock.Wall -= TimeSpan.FromHours(1);
        clock.Passed += TimeSpan.FromSeconds(11);
        Assert.Null(guard.SendAway("hv01"));
    }

    sealed class Clock : TimeProvider
    {
        public DateTimeOffset Wall { get; set; } = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

        public TimeSpan Passed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Wall + Passed;

        public override long GetTimestamp() => Passed.Ticks;
    }
}
