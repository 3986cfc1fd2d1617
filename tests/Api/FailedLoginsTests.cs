using System.Net;
using ControlPlane.Host.Security;

namespace ControlPlane.Api.Tests;

public sealed class FailedLoginsTests
{
    static readonly IPAddress Guesser = IPAddress.Parse("127.0.0.2");

    readonly Clock _clock = new();
    readonly FailedLogins _failures;

    public FailedLoginsTests() => _failures = new FailedLogins(_clock);

    [Fact]
    public void B59_the_hundredth_failure_within_a_minute_exhausts_its_source_and_no_other()
    {
        Fail(Guesser, 99);
        Assert.False(_failures.Exhausted(Guesser));
        Fail(Guesser, 1);
        Assert.True(_failures.Exhausted(Guesser));
        Assert.False(_failures.Exhausted(IPAddress.Loopback));
    }

    [Fact]
    public void B59_an_exhausted_source_may_try_again_after_a_minute()
    {
        Fail(Guesser, 100);
        _clock.Now += TimeSpan.FromSeconds(59);
        Assert.True(_failures.Exhausted(Guesser));
        _clock.Now += TimeSpan.FromSeconds(1);
        Assert.False(_failures.Exhausted(Guesser));
        Fail(Guesser, 1);
        Assert.False(_failures.Exhausted(Guesser));
    }

    [Fact]
    public void Failures_far_apart_exhaust_nobody()
    {
        for (var n = 0; n < 200; n++)
        {
            Fail(Guesser, 1);
            _clock.Now += TimeSpan.FromSeconds(1);
        }
        Assert.False(_failures.Exhausted(Guesser));
    }

    [Fact]
    public void Sources_have_a_bound_and_the_one_that_guesses_now_is_still_counted_after_it()
    {
        for (var n = 0; n < 10_001; n++)
        {
            Fail(new IPAddress(0x0100_007FL + ((long)n << 8)), 1);
        }
        Fail(Guesser, 100);
        Assert.True(_failures.Exhausted(Guesser));
    }

    void Fail(IPAddress source, int times)
    {
        for (var n = 0; n < times; n++)
        {
            _failures.Count(source);
        }
    }

    sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
