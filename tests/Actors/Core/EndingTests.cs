using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class EndingTests
{
    static (string, string)[] Said(IEnumerable<Output> outputs) =>
        [.. outputs.OfType<Output.Respond>().Select(said => (said.Answer.InReplyTo, said.Answer.Refusal?.Code ?? "done"))];

    [Fact]
    public void Hand_over_without_an_open_write_ends_at_once()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a"));
        Assert.IsType<Output.End>(Assert.Single(rig.Feed(new Input.Stop())));
        Assert.Empty(rig.Ask(Toy.Take("b")));
    }

    [Fact]
    public void Hand_over_waits_for_the_open_write_and_its_answer()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        Assert.Empty(rig.Feed(new Input.Stop()));
        Assert.Equal([("take-b", "actor.moved")], Said(rig.Ask(Toy.Take("b"))));
        var last = rig.Written();
        Assert.Equal([("take-a", "done")], Said(last));
        Assert.IsType<Output.End>(last[^1]);
    }

    [Fact]
    public void What_waited_before_the_hand_over_is_still_done()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        rig.Ask(Toy.Take("b"));
        rig.Feed(new Input.Stop());
        Assert.DoesNotContain(rig.Written(), output => output is Output.End);
        var last = rig.Written();
        Assert.Equal([("take-b", "done")], Said(last));
        Assert.IsType<Output.End>(last[^1]);
    }

    [Fact]
    public void Who_waits_for_a_late_answer_is_told_to_ask_again()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "late", "late-a"));
        Assert.Equal([("late-a", "actor.moved")], Said(rig.Feed(new Input.Stop())));
    }

    [Fact]
    public void Unknown_outcome_is_said_to_the_writer_and_the_rest_is_told_to_ask_again()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        rig.Ask(Toy.Take("b"));
        var last = rig.Feed(new Input.WriteFailed("connection lost"));
        Assert.Equal([("take-a", "journal.unknown"), ("take-b", "actor.moved")], Said(last));
        Assert.Equal(RefusalKind.Unknown, last.OfType<Output.Respond>().First().Answer.Refusal!.Kind);
        Assert.IsType<Output.End>(last[^1]);
    }

    [Fact]
    public void Rejected_write_puts_nothing_in_doubt_that_was_stored_before()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a"));
        rig.Ask(Toy.Take("b"));
        rig.Ask(Toy.Take("a"));
        rig.Ask(Toy.Take("c"));
        rig.Written();
        var last = rig.Feed(new Input.WriteRejected("full"));
        Assert.Equal([("take-a", "actor.moved"), ("take-c", "journal.rejected")], Said(last));
    }

    [Fact]
    public void After_an_unknown_outcome_the_same_message_finds_the_truth()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        rig.Journal.AddRange(rig.Open!.Rows);
        rig.Feed(new Input.WriteFailed("the answer was lost"));
        rig.Restart();
        Assert.Equal(new HoldTaken("a"), rig.Do(Toy.Take("a"))!.Reply);
        Assert.Single(rig.Journal);
    }

    [Fact]
    public void Rejected_write_says_that_nothing_is_stored()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        var last = rig.Feed(new Input.WriteRejected("buffer full"));
        Assert.Equal([("take-a", "journal.rejected")], Said(last));
        Assert.Equal(RefusalKind.Unavailable, last.OfType<Output.Respond>().First().Answer.Refusal!.Kind);
        Assert.IsType<Output.End>(last[^1]);
    }

    [Fact]
    public void Effects_of_a_failed_write_are_never_carried_out()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a", "ask"));
        Assert.DoesNotContain(rig.Feed(new Input.WriteFailed("x")), output => output is Output.Send);
    }
}
