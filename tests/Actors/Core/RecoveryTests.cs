using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class RecoveryTests
{
    [Fact]
    public void Snapshot_and_tail_give_what_a_full_replay_gives()
    {
        var rig = new CoreRig(new CoreLimits(100, 64, 4, 10, 3));
        for (var n = 0; n < 37; n++)
        {
            rig.Do(Toy.Take($"h{n}", n % 9 == 0 ? "ask" : n % 7 == 0 ? "late" : "work"));
            rig.Do(Toy.Release($"h{n - 3}"));
        }
        Assert.NotEmpty(rig.Snapshots);
        var before = rig.Core.Snapshot();
        var fromSnapshot = rig.Restart(withSnapshot: true);
        var short_ = rig.Core.Snapshot();
        var fromEvents = rig.Restart(withSnapshot: false);
        AssertSame(before, short_);
        AssertSame(before, rig.Core.Snapshot());
        Assert.Equal(fromEvents, fromSnapshot);
    }

    static void AssertSame(CoreSnapshot one, CoreSnapshot two)
    {
        Assert.Equal((one.Sequence, one.Revision, Convert.ToHexString(one.Hash.Span)), (two.Sequence, two.Revision, Convert.ToHexString(two.Hash.Span)));
        Assert.Equal(((ToyState)one.State).Holds, ((ToyState)two.State).Holds);
        Assert.Equal(((ToyState)one.State).Awaiting, ((ToyState)two.State).Awaiting);
        Assert.Equal(one.Executed.Select(executed => executed.MessageId), two.Executed.Select(executed => executed.MessageId));
        Assert.Equal(one.Origins, two.Origins);
        Assert.Equal(one.Poison, two.Poison);
    }

    [Fact]
    public void Gap_is_corrupt()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("m", "many"));
        rig.Journal.RemoveAt(50);
        Assert.Throws<CorruptHistoryException>(() => rig.Restart());
    }

    [Fact]
    public void Flipped_bit_is_corrupt()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a"));
        var body = rig.Journal[0].Body.ToArray();
        body[^3] ^= 1;
        rig.Journal[0] = rig.Journal[0] with { Body = body };
        Assert.Throws<CorruptHistoryException>(() => rig.Restart());
    }

    [Fact]
    public void Row_of_another_history_is_corrupt()
    {
        var (one, two) = (new CoreRig(), new CoreRig());
        one.Do(Toy.Take("a"));
        one.Do(Toy.Take("b"));
        two.Do(Toy.Take("c"));
        two.Do(Toy.Take("d"));
        one.Journal[1] = two.Journal[1];
        Assert.Throws<CorruptHistoryException>(() => one.Restart());
    }

    [Fact]
    public void Event_of_another_kind_of_entity_is_corrupt()
    {
        var rig = new CoreRig();
        rig.Journal.Add(StoredEvent.Make(
            Toy.Id, 1, Toy.Dawn, "x", null, "x", null, null, null, [], new VmDeleted(), StoredEvent.NoHash));
        Assert.Throws<CorruptHistoryException>(() => rig.Restart());
    }

    [Fact]
    public void Snapshot_is_due_after_so_many_events_and_not_before()
    {
        var rig = new CoreRig(new CoreLimits(100, 64, 4, 10, 3));
        for (var n = 0; n < 9; n++)
        {
            rig.Do(Toy.Take($"h{n}"));
        }
        Assert.Empty(rig.Snapshots);
        rig.Do(Toy.Take("h9"));
        Assert.Equal(10, Assert.Single(rig.Snapshots).Sequence);
    }
}
