using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>
/// The audit of illegal requests: each is answered, ten of one caller a second are recorded whole, the others are counted and
/// told in one event (api.md 4). The clock stands still unless it is moved.
/// </summary>
public sealed class RejectionTests
{
    const int Whole = 10;

    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly World _world = new(snapshotEvery: 50);
    int _requests;

    public RejectionTests()
    {
        _world.Connect("hv01");
        _world.DefineSwitch(Sw, DriftPolicy.Report);
    }

    [Fact]
    public void Burst_of_illegal_oids_is_answered_one_by_one_and_audited_as_ten_and_a_count()
    {
        var began = _world.Now;
        var burst = Burst(200, "operator:ann");

        Assert.All(burst, asked => Assert.Equal(
            (RefusalKind.Conflict, "port.absent", "X01"), (asked.Answer?.Refusal?.Kind, asked.Answer?.Refusal?.Code, asked.Answer?.Refusal?.Rule)));
        Assert.Equal((Whole, 190, 0), (Times("OidRejected"), Times("OidRejectionCounted"), Times("OidRejectionsCoalesced")));
        _world.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Empty(Coalesced);
        _world.Advance(TimeSpan.FromMilliseconds(1));
        var told = Assert.Single(Coalesced);
        Assert.Equal(("operator:ann", 190, began, began), (told.Caller, told.Count, told.First, told.Last));
        Assert.Equal([new RejectionReason("port.absent", "X01", 190)], told.Reasons);
        Assert.Empty(_world.Switch(Sw).Rejections);
    }

    [Fact]
    public void What_is_only_counted_leaves_one_row_with_its_answer_and_its_caller()
    {
        Burst(Whole, "operator:ann");
        var before = _world.Rows(Sw).Count;
        Burst(1, "operator:ann");
        var row = Assert.Single(_world.Rows(Sw).Skip(before));
        Assert.Equal(("OidRejectionCounted.1", "operator:ann", $"r{_requests}"), (row.Name, row.Who, row.MessageId));
        Assert.Equal("port.absent", Assert.Single(row.Answers).Refusal?.Code);
    }

    [Fact]
    public void Ten_a_second_are_recorded_whole_for_ever()
    {
        for (var second = 0; second < 5; second++)
        {
            Burst(Whole, "operator:ann");
            _world.Advance(Second);
        }
        Assert.Equal((5 * Whole, 0, 0), (Times("OidRejected"), Times("OidRejectionCounted"), Times("OidRejectionsCoalesced")));
    }

    [Fact]
    public void Every_second_of_a_flood_has_its_ten_and_its_count()
    {
        for (var second = 0; second < 3; second++)
        {
            Burst(50, "operator:ann");
            _world.Advance(Second);
        }
        Assert.Equal(3 * Whole, Times("OidRejected"));
        Assert.Equal([40, 40, 40], Coalesced.Select(told => told.Count));
    }

    [Fact]
    public void Oids_that_their_object_judges_illegal_are_counted_too()
    {
        _world.DefineVm("web", "hv01", new NicDefinition("eth0", "sw", NicType.Synthetic, "00:15:5d:00:00:01"));
        _world.StartVm("web");
        var burst = Burst(30, "operator:ann", OidCode.NicDelete, port: 1);
        Burst(5, "operator:ann");
        _world.Advance(Second);

        Assert.All(burst, asked => Assert.Equal("X05", asked.Answer?.Refusal?.Rule));
        Assert.Equal(Whole, Times("OidRejected"));
        var told = Assert.Single(Coalesced);
        Assert.Equal(25, told.Count);
        Assert.Equal([new RejectionReason("nic.delete.connected", "X05", 20), new RejectionReason("port.absent", "X01", 5)], told.Reasons);
    }

    [Theory]
    [InlineData("hold")]
    [InlineData("release")]
    [InlineData("status")]
    [InlineData("in-flight")]
    [InlineData("save")]
    [InlineData("delete")]
    public void Illegal_requests_that_are_no_oids_are_answered_one_by_one_and_counted_with_them(string kind)
    {
        _world.Oid(Sw, new OidRequest("create", OidCode.PortCreate, 7, 0, new PortParameters("p7"))); // in the way of a deletion
        var (code, rule) = kind switch
        {
            "hold" => ("port.unknown", "R1"),
            "release" => ("hold.unknown", "R4"),
            "save" => ("port.absent", null),
            "delete" => ("switch.delete.ports", (string?)"G5"),
            _ => ("port.unknown", "R1"),
        };
        var stored = _world.Stored;
        var burst = Flood(30, n => kind switch
        {
            "hold" => new TakeHoldAt($"h{n}", "ext", 99, null, "test"),
            "release" => new ReleaseHoldAt($"h{n}"),
            "status" => new IndicateStatusAt(99, 0, "NDIS_STATUS_LINK_STATE"),
            "in-flight" => new SetInFlightAt(99, 0, 1, 0),
            "save" => new SaveNicData("none", 0),
            _ => new DeleteSwitch(),
        });
        Burst(5, "operator:ann");
        _world.Advance(Second);

        Assert.All(burst, asked => Assert.Equal((code, rule), (asked.Answer?.Refusal?.Code, asked.Answer?.Refusal?.Rule)));
        Assert.Equal((Whole, 0, 0, 25), (Times("RequestRejected"), Times("RequestRefused"), Times("OidRejected"), Times("OidRejectionCounted")));
        Assert.Equal(stored + 30 + 5 + 1, _world.Stored);
        var told = Assert.Single(Coalesced);
        Assert.Equal([new RejectionReason(code, rule, 20), new RejectionReason("port.absent", "X01", 5)], told.Reasons);
    }

    [Fact]
    public void Illegal_request_again_gets_its_recorded_answer_and_no_event()
    {
        var first = _world.Do(Sw, new ReleaseHoldAt("none"), "release");
        var stored = _world.Stored;
        var again = _world.Do(Sw, new ReleaseHoldAt("none"), "release");
        Assert.Equal((stored, first.Refusal), (_world.Stored, again.Refusal));
        var row = _world.Rows(Sw)[^1];
        Assert.Equal(("RequestRejected.1", "operator:test", "release"), (row.Name, row.Who, row.MessageId));
    }

    [Fact]
    public void Callers_are_counted_apart()
    {
        Burst(12, "operator:ann");
        Burst(15, "operator:bob");
        Burst(10, "operator:eve");
        _world.Advance(Second);
        Assert.Equal(3 * Whole, Times("OidRejected"));
        Assert.Equal([("operator:ann", 2), ("operator:bob", 5)], Coalesced.Select(told => (told.Caller, told.Count)));
    }

    [Fact]
    public void Callers_over_the_bound_are_counted_together_and_make_room_when_their_second_is_over()
    {
        for (var caller = 0; caller < Rejections.CallersMax; caller++)
        {
            Burst(1, $"operator:{caller}");
        }
        Burst(20, "operator:one-more");
        Burst(20, "operator:another");
        Assert.Equal(Rejections.CallersMax + 1, _world.Switch(Sw).Rejections.Length);
        _world.Advance(Second);
        Assert.Equal(("others", 30), Assert.Single(Coalesced.Select(told => (told.Caller, told.Count))));
        Burst(11, "operator:one-more");
        Assert.Equal("operator:one-more", Assert.Single(_world.Switch(Sw).Rejections).Caller);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Count_outlives_a_crash_and_is_told_at_its_time(bool withSnapshot)
    {
        Burst(100, "operator:ann");
        _world.Crash(Sw, withSnapshot);
        Burst(50, "operator:ann");
        _world.Crash(Sw, withSnapshot);
        _world.Advance(Second);
        Assert.Equal((Whole, 140), (Times("OidRejected"), Assert.Single(Coalesced).Count));
    }

    [Fact]
    public void Count_whose_second_ended_while_nobody_was_there_is_told_at_the_recovery()
    {
        Burst(100, "operator:ann");
        _world.HoldWrites(Sw);
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Empty(Coalesced);
        _world.Crash(Sw);
        _world.FinishWrite(Sw);
        _world.Advance(TimeSpan.Zero);
        Assert.Equal(90, Assert.Single(Coalesced).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Repeat_of_a_request_that_was_only_counted_gets_its_recorded_answer_and_no_event(bool crash)
    {
        Burst(30, "operator:ann");
        _world.Advance(Second);
        _world.Oid(Sw, new OidRequest("create", OidCode.PortCreate, 99, 0, new PortParameters("p99")));
        if (crash)
        {
            _world.Crash(Sw);
        }
        var stored = _world.Rows(Sw).Count;
        var again = _world.Oid(Sw, new OidRequest("r30", OidCode.NicConnect, 99));
        Assert.Equal("port.absent", again.Refusal?.Code);
        Assert.Equal(stored, _world.Rows(Sw).Count);
    }

    [Fact]
    public void Count_is_told_before_the_switch_goes()
    {
        Burst(30, "operator:ann");
        Assert.NotNull(_world.Do(Sw, new DeleteSwitch()).Reply);
        Assert.Equal(["OidRejectionsCoalesced", "SwitchDeleted"], _world.Events(Sw).TakeLast(2));
        Assert.Equal(20, Assert.Single(Coalesced).Count);
    }

    [Fact]
    public void Oid_for_a_switch_that_is_being_deleted_is_recorded_as_illegal()
    {
        _world.Disconnect("hv01");
        _world.Ask(Sw, "delete", new DeleteSwitch());
        var burst = Burst(12, "operator:ann");
        Assert.All(burst, asked => Assert.Equal("switch.deleting", asked.Answer?.Refusal?.Code));
        _world.Advance(Second);
        Assert.Equal((Whole, 2), (Times("OidRejected"), Assert.Single(Coalesced).Count));
    }

    [Fact]
    public void Clock_that_was_set_back_keeps_no_count_waiting()
    {
        var here = _world.Switch(Sw);
        for (var n = 0; n < 12; n++)
        {
            here = Take(here, _world.Now, $"r{n}");
        }
        var earlier = _world.Now - TimeSpan.FromHours(1);
        var events = Rejections.Record(here, Rejected("r12"), "operator:ann", earlier);
        Assert.Equal(2, Assert.IsType<OidRejectionsCoalesced>(events[0]).Count);
        Assert.Equal(earlier, Assert.IsType<OidRejected>(events[1]).At);
    }

    [Fact]
    public void Reasons_over_the_bound_are_counted_together()
    {
        var here = _world.Switch(Sw);
        for (var n = 0; n < Whole + 100; n++)
        {
            here = Take(here, _world.Now, $"r{n}", $"code.{n % 50}");
        }
        var told = Assert.IsType<OidRejectionsCoalesced>(Assert.Single(Rejections.All(here)));
        Assert.Equal((100, 100), (told.Count, told.Reasons.Sum(reason => reason.Count)));
        Assert.Equal(Rejections.ReasonsMax, told.Reasons.Count);
        Assert.Equal(new RejectionReason("others", null, 70), told.Reasons[^1]);
    }

    [Fact]
    public void Oid_that_an_older_release_queued_is_recorded_whole()
    {
        Burst(30, "operator:ann");
        Assert.Equal(Rejected("old"), Assert.Single(Rejections.Record(_world.Switch(Sw), Rejected("old"), null, _world.Now)));
    }

    IReadOnlyList<OidRejectionsCoalesced> Coalesced => [.. _world.Rows(Sw).Select(row => row.Event).OfType<OidRejectionsCoalesced>()];

    int Times(string type) => _world.Events(Sw).Count(known => known == type);

    List<Question> Flood(int count, Func<int, Command> request)
    {
        var asked = Enumerable.Range(0, count).Select(n => _world.Ask(Sw, $"r{++_requests}", request(n), "operator:ann")).ToList();
        _world.Settle();
        return asked;
    }

    List<Question> Burst(int count, string who, OidCode? oid = null, uint port = 99)
    {
        var asked = Enumerable.Range(0, count).Select(_ => $"r{++_requests}")
            .Select(id => _world.Ask(Sw, id, new SubmitOid(new OidRequest(id, oid ?? OidCode.NicConnect, port), FromPeer: true), who)).ToList();
        _world.Settle();
        return asked;
    }

    static OidRejected Rejected(string id, string code = "port.absent") =>
        new(id, id, OidCode.NicConnect, 99, 0, Refusal.Illegal(code, "There is no such port.", "X01", "NotCreated"));

    static SwitchState.Here Take(SwitchState.Here here, DateTimeOffset now, string id, string code = "port.absent") =>
        Rejections.Record(here, Rejected(id, code), "operator:ann", now)
            .Aggregate((SwitchState)here, SwitchLifecycle.Evolve) as SwitchState.Here ?? throw new InvalidOperationException();
}
