using ControlPlane.Host.Engine.Postgres;

namespace ControlPlane.Postgres.Tests;

/// <summary>Which database may be used: each refusal by its name, without a server.</summary>
public sealed class VerdictTests
{
    static readonly PostgresOptions Options = new("Host=db");
    static readonly ServerFacts Good = new(15, false, false, "on", "on", "on", "", 700, 3);
    static readonly Guid Ours = Guid.Parse("00000000-0000-0000-0000-000000000001");
    static readonly ClusterFacts Known = new(Ours, PostgresSchema.Version, 700, 3, 0, null, false);
    static readonly Seen Before = new(Ours, 700, 3, 0, "vm/1", 7, "w");

    [Fact]
    public void A_server_in_order_is_taken()
    {
        Assert.Null(PostgresVerdict.Of(Good, Options));
        Assert.Null(PostgresVerdict.Of(Good, Known, null, true));
        Assert.Null(PostgresVerdict.Of(Good, Known, Before, true));
        Assert.Null(PostgresVerdict.Of(Good with { SynchronousCommit = "remote_apply", Standbys = "s1" }, Options with { NeedsStandby = true }));
    }

    [Fact]
    public void A_server_that_could_lose_what_is_acknowledged_is_refused_by_name()
    {
        (ServerFacts, string)[] bad =
        [
            (Good with { Version = 13 }, "postgres.version"),
            (Good with { InRecovery = true }, "postgres.standby"),
            (Good with { ReadOnly = true }, "postgres.read-only"),
            (Good with { Fsync = "off" }, "postgres.fsync"),
            (Good with { FullPageWrites = "off" }, "postgres.full-page-writes"),
            (Good with { SynchronousCommit = "off" }, "postgres.synchronous-commit"),
            (Good with { SynchronousCommit = "local" }, "postgres.synchronous-commit"),
        ];
        Assert.All(bad, one => Assert.Equal(one.Item2, PostgresVerdict.Of(one.Item1, Options)?.Code));
        Assert.Equal("postgres.no-standby", PostgresVerdict.Of(Good, Options with { NeedsStandby = true })?.Code);
    }

    [Fact]
    public void A_journal_that_is_not_the_one_we_know_is_refused_by_name()
    {
        (ServerFacts Server, ClusterFacts Cluster, Seen? Seen, bool There, string Code)[] bad =
        [
            (Good, Known with { SchemaVersion = PostgresSchema.Version + 1 }, Before, true, "postgres.newer-schema"),
            (Good, Known with { Cluster = Guid.Empty }, Before, true, "postgres.other-cluster"),
            (Good with { System = 701 }, Known, Before, true, "postgres.copied"),
            (Good with { System = 701 }, Known, null, true, "postgres.copied"),
            (Good with { Timeline = 2 }, Known, null, true, "postgres.old-timeline"),
            (Good with { Timeline = 3 }, Known, Before with { Timeline = 4 }, true, "postgres.old-timeline"),
            (Good, Known with { Loss = "something is gone" }, null, true, "postgres.data-loss"),
            (Good, Known, Before, false, "postgres.data-loss"),
            (Good with { Timeline = 4 }, Known, Before, false, "postgres.data-loss"),
            (Good, Known with { JournalAhead = true }, Before, true, "postgres.behind"),
        ];
        Assert.All(bad, one =>
        {
            var refused = PostgresVerdict.Of(one.Server, one.Cluster, one.Seen, one.There);
            Assert.Equal(one.Code, refused?.Code);
            Assert.NotEmpty(refused!.Action);
        });
    }

    [Fact]
    public void A_failover_that_lost_nothing_and_a_loss_that_was_accepted_are_taken()
    {
        Assert.Null(PostgresVerdict.Of(Good with { Timeline = 4 }, Known, Before, true));
        Assert.Null(PostgresVerdict.Of(Good, Known with { LossNo = 1 }, Before, false));
    }
}
