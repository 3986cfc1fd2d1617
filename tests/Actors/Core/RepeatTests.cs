using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class RepeatTests
{
    [Fact]
    public void Same_message_again_is_answered_from_the_record()
    {
        var rig = new CoreRig();
        var first = rig.Do(Toy.Take("a"));
        var again = Assert.IsType<Output.Respond>(Assert.Single(rig.Ask(Toy.Take("a")))).Answer;
        Assert.Equal(first!.Reply, again.Reply);
        Assert.Single(rig.Journal);
    }

    [Fact]
    public void Same_message_is_answered_from_the_record_after_recovery()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a"));
        rig.Do(Toy.Release("x"));
        rig.Restart();
        Assert.Equal(new HoldTaken("a"), Assert.IsType<Output.Respond>(Assert.Single(rig.Ask(Toy.Take("a")))).Answer.Reply);
        Assert.Equal("hold.unknown", Assert.IsType<Output.Respond>(Assert.Single(rig.Ask(Toy.Release("x")))).Answer.Refusal!.Code);
        Assert.Equal(2, rig.Journal.Count);
    }

    [Fact]
    public void Same_message_twice_in_one_batch_is_done_once()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        rig.Ask(Toy.Take("b"), "one");
        rig.Ask(Toy.Take("b"), "two");
        Assert.Single(Assert.Single(rig.Written().OfType<Output.Persist>()).Rows);
        Assert.Equal(["one", "two"], rig.Written().OfType<Output.Respond>().Select(said => said.Asker));
    }

    [Fact]
    public void Same_key_with_another_body_is_refused()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a") with { BodyHash = "one" });
        Assert.Equal("idempotency.mismatch", rig.Do(Toy.Take("a") with { BodyHash = "two" })!.Refusal!.Code);
        rig.Restart();
        Assert.Equal("idempotency.mismatch", rig.Do(Toy.Take("a") with { BodyHash = "two" })!.Refusal!.Code);
        Assert.Equal(new HoldTaken("a"), rig.Do(Toy.Take("a") with { BodyHash = "one" })!.Reply);
        Assert.Single(rig.Journal);
    }

    [Fact]
    public void Late_answer_reaches_all_who_asked_and_is_remembered()
    {
        var rig = new CoreRig();
        Assert.Null(rig.Do(Toy.Take("a", "late", "late-a")));
        Assert.Empty(rig.Ask(Toy.Take("a", "late", "late-a"), "second"));
        rig.Ask(Toy.Release("a"));
        var said = rig.Written().OfType<Output.Respond>().Select(said => said.Answer.InReplyTo);
        Assert.Equal(["late-a", "late-a", "release-a"], said.Order());
        rig.Restart();
        Assert.Equal(new HoldTaken("a"), rig.Do(Toy.Take("a", "late", "late-a"))!.Reply);
    }

    [Fact]
    public void Late_answer_survives_a_restart_between()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "late", "late-a"));
        rig.Restart();
        Assert.Empty(rig.Ask(Toy.Take("a", "late", "late-a"), "later"));
        rig.Ask(Toy.Release("a"));
        Assert.Contains(rig.Written(), output => output is Output.Respond { Asker: "later", Answer.Reply: HoldTaken });
    }

    [Fact]
    public void Only_the_last_answers_are_remembered_and_for_longer_that_there_was_one()
    {
        var rig = new CoreRig(new CoreLimits(100, 64, 2, 1_000, 3));
        rig.Do(Toy.Take("a"));
        rig.Do(Toy.Take("b"));
        rig.Do(Toy.Take("c"));
        Assert.Equal("request.forgotten", rig.Do(Toy.Take("a"))!.Refusal!.Code);
        Assert.IsType<HoldTaken>(rig.Do(Toy.Take("c"))!.Reply);
    }

    [Fact]
    public void Message_that_was_held_up_is_not_executed_again_after_a_snapshot_either()
    {
        var rig = new CoreRig(new CoreLimits(100, 64, 2, 3, 3));
        rig.Do(Toy.Take("a"));
        rig.Do(Toy.Release("a"));
        rig.Do(Toy.Take("b"));
        rig.Do(Toy.Release("b"));
        rig.Restart();
        Assert.Equal("request.forgotten", rig.Do(Toy.Take("a"))!.Refusal!.Code);
        Assert.Null(rig.Do(Toy.Take("c"))!.Refusal);
    }
}
