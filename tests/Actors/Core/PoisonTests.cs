using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class PoisonTests
{
    static readonly Envelope Bad = Toy.Take("x", "boom");

    static Envelope Unparking(bool drop, string id = "unpark-1") => new(Toy.Id, id, "operator:ann", "corr", new Unpark(drop));

    static CoreRig Poisoned()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a"));
        Assert.Equal("actor.defect", rig.Do(Bad)!.Refusal!.Code);
        Assert.Equal("actor.defect", rig.Do(Bad)!.Refusal!.Code);
        Assert.Single(rig.Journal);
        Assert.Equal("actor.parked", rig.Do(Bad)!.Refusal!.Code);
        return rig;
    }

    [Fact]
    public void Third_failure_parks()
    {
        var rig = Poisoned();
        var parked = Assert.IsType<Parked>(rig.Journal[^1].Event);
        Assert.Equal(("take-x", "TakeHold"), (parked.PoisonMessageId, parked.Request));
        Assert.Equal("actor.parked", rig.Do(Toy.Take("b"))!.Refusal!.Code);
        rig.Restart();
        Assert.Equal("actor.parked", rig.Do(Toy.Take("b"))!.Refusal!.Code);
        Assert.Equal(new HoldTaken("a"), rig.Do(Toy.Take("a"))!.Reply);
        Assert.Empty(rig.Feed(new Input.Idle()));
    }

    [Fact]
    public void Unparking_with_drop_answers_the_poison_for_ever()
    {
        var rig = Poisoned();
        Assert.Equal(new Done(), rig.Do(Unparking(drop: true))!.Reply);
        Assert.Equal("actor.dropped", rig.Do(Bad)!.Refusal!.Code);
        rig.Restart();
        Assert.Equal("actor.dropped", rig.Do(Bad)!.Refusal!.Code);
        Assert.Equal(new HoldTaken("b"), rig.Do(Toy.Take("b"))!.Reply);
    }

    [Fact]
    public void Unparking_without_drop_lets_it_be_tried_again()
    {
        var rig = Poisoned();
        rig.Do(Unparking(drop: false));
        Assert.Equal("actor.defect", rig.Do(Bad)!.Refusal!.Code);
        Toy.Mended.Value = true;
        Assert.Equal(new HoldTaken("x"), rig.Do(Bad)!.Reply);
    }

    [Fact]
    public void Unparking_twice_is_one_unparking()
    {
        var rig = Poisoned();
        rig.Do(Unparking(drop: true));
        var rows = rig.Journal.Count;
        Assert.Equal(new Done(), rig.Do(Unparking(drop: true))!.Reply);
        Assert.Equal("actor.not-parked", rig.Do(Unparking(drop: true, "unpark-2"))!.Refusal!.Code);
        Assert.Equal(rows, rig.Journal.Count);
    }

    [Fact]
    public void Turn_that_throws_does_not_disturb_its_batch()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        rig.Ask(Toy.Take("b"));
        rig.Ask(Bad);
        rig.Ask(Toy.Take("c"));
        rig.Written();
        Assert.Equal(["take-b", "take-x", "take-c"], rig.Written().OfType<Output.Respond>().Select(said => said.Answer.InReplyTo));
        Assert.Equal(["a", "b", "c"], rig.Core.State.Holds);
    }

    [Fact]
    public void Timer_that_fires_while_parked_is_brought_again_after_the_unparking()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("w", "wake"));
        foreach (var _ in Enumerable.Range(0, 3))
        {
            rig.Do(Bad);
        }
        rig.Now = Toy.Dawn.AddSeconds(6);
        Assert.Empty(rig.Feed(new Input.TimerDue("wake:w")));
        rig.Do(Unparking(drop: true));
        Assert.IsType<Output.WakeMe>(Assert.Single(rig.Feed(new Input.Retry())));
    }
}
