using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class OpenWorkTests
{
    static readonly string AskA = $"{Toy.Id}>ask:a";

    static Answer AnswerTo(string message, Refusal? refusal = null) =>
        new(message, Toy.Other, Toy.Id, 7, 7, refusal is null ? new Done() : null, refusal);

    [Fact]
    public void Open_work_is_sent_again_after_recovery_with_the_same_ids()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a", "ask"));
        var first = Assert.Single(rig.Written().OfType<Output.Send>()).Envelope;
        Assert.Equal(first, Assert.Single(rig.Restart().OfType<Output.Send>()).Envelope);
        Assert.Equal(first, Assert.Single(rig.Feed(new Input.Retry()).OfType<Output.Send>()).Envelope);
    }

    [Fact]
    public void Answer_ends_the_work()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "ask"));
        rig.Feed(new Input.ReceiveAnswer(AnswerTo(AskA)));
        rig.Written();
        Assert.False(rig.Core.HasOpenWork);
        Assert.Empty(rig.Feed(new Input.ReceiveAnswer(AnswerTo(AskA))));
        Assert.Empty(rig.Feed(new Input.Retry()));
    }

    [Fact]
    public void Transient_answer_is_ignored_and_asked_again()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "ask"));
        foreach (var kind in new[] { RefusalKind.Overloaded, RefusalKind.Unavailable, RefusalKind.Unknown, RefusalKind.Defect })
        {
            Assert.Empty(rig.Feed(new Input.ReceiveAnswer(AnswerTo(AskA, new Refusal(kind, "x", "x")))));
        }
        Assert.Single(rig.Feed(new Input.Retry()).OfType<Output.Send>());
    }

    [Fact]
    public void Answer_to_somebody_elses_question_is_ignored()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "ask"));
        Assert.Empty(rig.Feed(new Input.ReceiveAnswer(AnswerTo("port/hv01/sw/p10>ask:a"))));
        Assert.True(rig.Core.HasOpenWork);
    }

    [Fact]
    public void Timer_that_fires_ends_its_work_once()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a", "wake"));
        Assert.Contains(new Output.WakeMe("wake:a", Toy.Dawn.AddSeconds(5)), rig.Written());
        rig.Feed(new Input.TimerDue("wake:a"));
        rig.Written();
        Assert.Empty(rig.Feed(new Input.TimerDue("wake:a")));
        Assert.Equal(2, rig.Journal.Count);
    }

    [Fact]
    public void Timer_that_was_lost_is_set_again_once_it_is_due()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "wake"));
        Assert.Empty(rig.Feed(new Input.Retry()));
        rig.Now = Toy.Dawn.AddSeconds(6);
        Assert.Equal(new Output.WakeMe("wake:a", Toy.Dawn.AddSeconds(5)), Assert.Single(rig.Feed(new Input.Retry())));
    }

    [Fact]
    public void Passivation_only_without_open_work()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "ask"));
        Assert.Empty(rig.Feed(new Input.Idle()));
        rig.Feed(new Input.ReceiveAnswer(AnswerTo(AskA)));
        Assert.Empty(rig.Feed(new Input.Idle()));
        rig.Written();
        Assert.IsType<Output.Passivate>(Assert.Single(rig.Feed(new Input.Idle())));
    }

    [Fact]
    public void Passivation_not_while_somebody_waits_for_an_answer()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a", "late", "late-a"));
        Assert.Empty(rig.Feed(new Input.Idle()));
        rig.Do(Toy.Release("a"));
        Assert.Single(rig.Feed(new Input.Idle()));
    }

    [Fact]
    public void Two_effects_of_one_id_are_a_defect_of_the_turn_and_change_nothing()
    {
        var rig = new CoreRig();
        Assert.Equal("actor.defect", rig.Do(Toy.Take("a", "twin"))!.Refusal!.Code);
        Assert.Empty(rig.Journal);
        Assert.Equal(new HoldTaken("b"), rig.Do(Toy.Take("b"))!.Reply);
    }
}
