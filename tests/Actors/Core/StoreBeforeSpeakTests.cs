using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class StoreBeforeSpeakTests
{
    [Fact]
    public void Reply_waits_for_the_append()
    {
        var rig = new CoreRig();
        var before = rig.Ask(Toy.Take("a"));
        Assert.IsType<Output.Persist>(Assert.Single(before));
        var after = rig.Written();
        Assert.Equal(new HoldTaken("a"), Assert.IsType<Output.Respond>(Assert.Single(after)).Answer.Reply);
    }

    [Fact]
    public void Effects_wait_for_the_append()
    {
        var rig = new CoreRig();
        Assert.DoesNotContain(rig.Ask(Toy.Take("a", "ask")), output => output is Output.Send);
        Assert.False(rig.Core.HasOpenWork);
        var sent = Assert.Single(rig.Written().OfType<Output.Send>()).Envelope;
        Assert.Equal(Toy.Other, sent.To);
        Assert.Equal($"{Toy.Id}>ask:a", sent.MessageId);
        Assert.Equal($"{Toy.Id}#1", sent.Cause);
        Assert.Equal("corr-a", sent.Correlation);
        Assert.True(rig.Core.HasOpenWork);
    }

    [Fact]
    public void Messages_during_an_open_write_wait_and_are_decided_in_one_batch()
    {
        var rig = new CoreRig();
        rig.Ask(Toy.Take("a"));
        Assert.Empty(rig.Ask(Toy.Take("b")));
        Assert.Empty(rig.Ask(Toy.Take("b", message: "again")));
        Assert.Empty(rig.Ask(Toy.Release("a")));
        var batch = Assert.Single(rig.Written().OfType<Output.Persist>());
        Assert.Equal(["PortHeld.1", "RequestRefused.1", "PortReleased.1"], batch.Rows.Select(row => row.Name));
        Assert.Equal(["take-b", "again", "release-a"], rig.Written().OfType<Output.Respond>().Select(said => said.Answer.InReplyTo));
    }

    [Fact]
    public void A_batch_has_a_bound_and_the_rest_follows_in_the_next()
    {
        var rig = new CoreRig(new CoreLimits(100, 2, 8, 1_000, 3));
        rig.Ask(Toy.Take("a"));
        foreach (var hold in "bcdef")
        {
            rig.Ask(Toy.Take($"{hold}"));
        }
        Assert.Equal([2, 2, 1], new[] { rig.Written(), rig.Written(), rig.Written() }.Select(step => step.OfType<Output.Persist>().Single().Rows.Length));
    }

    [Fact]
    public void Full_stash_answers_overloaded()
    {
        var rig = new CoreRig(new CoreLimits(2, 64, 8, 1_000, 3));
        rig.Ask(Toy.Take("a"));
        rig.Ask(Toy.Take("b"));
        rig.Ask(Toy.Take("c"));
        var said = Assert.IsType<Output.Respond>(Assert.Single(rig.Ask(Toy.Take("d"))));
        Assert.Equal(("actor.overloaded", RefusalKind.Overloaded), (said.Answer.Refusal!.Code, said.Answer.Refusal.Kind));
        rig.Written();
        rig.Written();
        Assert.Equal(["a", "b", "c"], rig.Core.State.Holds);
    }

    [Fact]
    public void All_events_of_a_turn_are_one_write()
    {
        var rig = new CoreRig();
        Assert.Equal(100, Assert.IsType<Output.Persist>(Assert.Single(rig.Ask(Toy.Take("m", "many")))).Rows.Length);
    }

    [Fact]
    public void Refused_request_is_stored()
    {
        var rig = new CoreRig();
        var answer = rig.Do(Toy.Release("a"));
        Assert.Equal("hold.unknown", answer!.Refusal!.Code);
        var row = Assert.Single(rig.Journal);
        Assert.Equal("ReleaseHold", Assert.IsType<RequestRefused>(row.Event).Request);
        Assert.Equal((1L, 0L), (rig.Core.Sequence, rig.Core.Revision));
    }

    [Fact]
    public void Request_that_changes_nothing_is_stored_too()
    {
        var rig = new CoreRig();
        Assert.Equal(new HoldTaken("a"), rig.Do(Toy.Take("a", "note"))!.Reply);
        Assert.Equal(new RequestNoted("TakeHold"), Assert.Single(rig.Journal).Event);
    }

    [Fact]
    public void Transient_refusal_is_not_stored()
    {
        var rig = new CoreRig();
        Assert.Equal("toy.busy", rig.Do(Toy.Take("a", "busy"))!.Refusal!.Code);
        Assert.Empty(rig.Journal);
    }

    [Fact]
    public void Dry_run_stores_nothing_and_says_what_it_would()
    {
        var rig = new CoreRig();
        var answer = rig.Do(Toy.Take("a") with { DryRun = true })!;
        Assert.Equal(["PortHeld"], answer.WouldStore!);
        Assert.Empty(rig.Journal);
        Assert.Empty(rig.Core.State.Holds);
        Assert.Equal("hold.unknown", rig.Do(Toy.Release("a") with { DryRun = true })!.Refusal!.Code);
        Assert.Empty(rig.Journal);
        Assert.Equal(new HoldTaken("a"), rig.Do(Toy.Take("a"))!.Reply);
    }

    [Fact]
    public void Stale_revision_is_refused()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("a"));
        Assert.Equal("revision.stale", rig.Do(Toy.Take("b") with { IfRevision = 0 })!.Refusal!.Code);
        Assert.Equal(new HoldTaken("c"), rig.Do(Toy.Take("c") with { IfRevision = 1 })!.Reply);
    }

    [Fact]
    public void Expired_work_is_not_begun()
    {
        var rig = new CoreRig();
        Assert.Equal("request.expired", rig.Do(Toy.Take("a") with { Deadline = Toy.Dawn })!.Refusal!.Code);
        Assert.Empty(rig.Journal);
    }

    [Fact]
    public void Rows_form_a_hash_chain_over_what_is_stored()
    {
        var rig = new CoreRig();
        rig.Do(Toy.Take("m", "many"));
        rig.Do(Toy.Take("a"));
        Assert.Equal(101, rig.Journal.Count);
        Assert.Equal(StoredEvent.NoHash.ToArray(), rig.Journal[0].PreviousHash.ToArray());
        Assert.All(rig.Journal.Zip(rig.Journal.Skip(1)), pair => Assert.Equal(pair.First.Hash.ToArray(), pair.Second.PreviousHash.ToArray()));
        Assert.All(rig.Journal, row => Assert.True(row.HashHolds()));
    }
}
