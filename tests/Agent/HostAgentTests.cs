using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Agent.Tests;

public sealed class HostAgentTests
{
    readonly FakeLink _link = new();

    [Fact]
    public async Task Agent_that_lost_its_fences_says_so_and_takes_those_of_the_cluster()
    {
        await using var rig = new AgentRig(_link);
        var (first, _) = await _link.Welcome(1);
        rig.Host.LoseFences();

        var (node, hello) = await _link.Welcome(2, new() { [Orders.NicKey] = 9 });
        node.Hand(Orders.Nic(DriverVerb.CreateNic, epoch: 8), 2);

        Assert.Equal(("hv01", "simulated", false), (hello.Host, hello.Open.Driver, hello.Open.Fenced));
        Assert.Contains("highest seen is 9", (await node.Hears<ReportCompletion>()).Completion.Detail, StringComparison.Ordinal);
        Assert.True(first.Left);
    }

    [Fact]
    public async Task Command_handed_three_times_is_carried_out_once()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        var command = Orders.Switch();
        rig.Driver.Hold(command.CommandId);
        node.Hand(command, 1);
        await Eventually.Is(() => rig.Driver.Begun.Count == 1, "the command begins");
        node.Hand(command, 1);
        rig.Driver.LetGo(command.CommandId);
        var first = await node.Hears<ReportCompletion>();
        node.Hand(command, 1);
        var again = await node.Hears<ReportCompletion>();

        Assert.Equal(first, again);
        Assert.Single(rig.Driver.Begun);
    }

    [Fact]
    public async Task Completion_without_a_receipt_is_said_again_in_the_next_session_and_one_with_a_receipt_is_not()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        node.Hand(Orders.Switch("a"), 1);
        var kept = (await node.Hears<ReportCompletion>()).Completion;
        node.Say(new CompletionTaken(kept.CommandId), 1);
        node.Hand(Orders.Switch("b"), 1);
        var owed = (await node.Hears<ReportCompletion>()).Completion;
        node.End("the node died");

        var (next, _) = await _link.Welcome(2);

        Assert.Equal(new ReportCompletion(2, owed), await next.Hears<ReportCompletion>());
        next.Hand(Orders.Switch("c"), 2);
        Assert.Equal(Orders.Switch("c").CommandId, (await next.Hears<ReportCompletion>()).Completion.CommandId);
        Assert.Equal(3, rig.Driver.Begun.Count);
    }

    [Fact]
    public async Task Command_that_began_in_one_session_is_answered_in_the_next()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        var command = Orders.Switch();
        rig.Driver.Hold(command.CommandId);
        node.Hand(command, 1);
        await Eventually.Is(() => rig.Driver.Begun.Count == 1, "the command begins");
        node.End("the node died");
        var (next, _) = await _link.Welcome(2);
        next.Hand(command, 2);
        rig.Driver.LetGo(command.CommandId);

        Assert.Equal(2, (await next.Hears<ReportCompletion>()).Session);
        Assert.Single(rig.Driver.Begun);
    }

    [Fact]
    public async Task Command_of_an_older_session_is_dropped()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(7);
        node.Hand(Orders.Switch("old"), 6);
        node.Hand(Orders.Switch("new"), 7);

        Assert.Equal(Orders.Switch("new").CommandId, (await node.Hears<ReportCompletion>()).Completion.CommandId);
        Assert.Equal(1, rig.Agent.CommandsDropped);
        Assert.Single(rig.Driver.Begun);
    }

    [Fact]
    public async Task Commands_of_one_switch_keep_their_order_and_do_not_wait_for_another_switch()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        rig.Driver.Hold(Orders.Switch("a").CommandId);
        DriverCommand[] all = [Orders.Switch("a"), Orders.Port("p1", "a"), Orders.Port("p2", "a"), Orders.Switch("b"), Orders.Port("p1", "b")];
        foreach (var command in all)
        {
            node.Hand(command, 1);
        }
        await node.Hears<ReportCompletion>();
        await node.Hears<ReportCompletion>();
        string[] whileHeld = [.. rig.Driver.Ended];
        rig.Driver.LetGo(Orders.Switch("a").CommandId);
        await Eventually.Is(() => rig.Driver.Ended.Count == 5, "all end");

        Assert.Equal([all[3].CommandId, all[4].CommandId], whileHeld);
        Assert.Equal([all[0].CommandId, all[1].CommandId, all[2].CommandId], rig.Driver.Ended.Skip(2));
    }

    [Fact]
    public async Task One_nic_has_one_command_at_a_time_even_on_two_switches()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        var (first, second) = (Orders.Nic(DriverVerb.DeleteNic, on: "a"), Orders.Nic(DriverVerb.CreateNic, epoch: 2, on: "b"));
        rig.Driver.Hold(first.CommandId);
        node.Hand(Orders.Switch("b"), 1);
        node.Hand(first, 1);
        node.Hand(second, 1);
        node.Hand(Orders.Switch("c"), 1);
        await Eventually.Is(() => rig.Driver.Ended.Count == 2, "the switches are there");
        Assert.DoesNotContain(second.CommandId, rig.Driver.Begun);
        rig.Driver.LetGo(first.CommandId);
        await Eventually.Is(() => rig.Driver.Ended.Count == 4, "all end");
    }

    [Fact]
    public async Task Frames_wait_for_the_receipt_of_those_before_them()
    {
        await using var rig = new AgentRig(_link, AgentRig.Quick with { FramesPerReportMax = 2 });
        var (node, hello) = await _link.Welcome(1);
        Foreign(rig, 5);
        var seen = new List<long>();
        while (seen.Count < 5)
        {
            var report = await node.Hears<ReportFrames>();
            Assert.True(node.Silent && report.Frames.Count <= 2);
            seen.AddRange(report.Frames.Select(frame => frame.Seq));
            node.Say(new FramesStored(hello.Open.Inventory.StreamEpoch, seen[^1]), 1);
        }
        Assert.Equal([1, 2, 3, 4, 5], seen);
    }

    [Fact]
    public async Task Frames_that_were_not_stored_are_sent_again()
    {
        await using var rig = new AgentRig(_link);
        var (node, hello) = await _link.Welcome(1);
        rig.Host.AddForeignDevice("prod", "x1");
        var first = await node.Hears<ReportFrames>();
        node.Say(new FramesStored(hello.Open.Inventory.StreamEpoch, 0), 1);
        var again = await node.Hears<ReportFrames>();

        Assert.Equal(first.Frames, again.Frames);
    }

    [Fact]
    public async Task After_a_reconnect_the_snapshot_has_what_was_not_stored()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        rig.Host.AddForeignDevice("prod", "x1");
        await node.Hears<ReportFrames>();
        node.End("the node died");

        var (next, hello) = await _link.Welcome(2);
        rig.Host.AddForeignDevice("prod", "x2");

        Assert.Equal((1, "x1"), (hello.Open.Inventory.LastSeq, Assert.Single(hello.Open.Inventory.Devices).Device));
        Assert.Equal(2, Assert.Single((await next.Hears<ReportFrames>()).Frames).Seq);
    }

    [Fact]
    public async Task Gap_at_the_cluster_makes_a_new_session_with_a_fresh_snapshot()
    {
        await using var rig = new AgentRig(_link);
        var (node, hello) = await _link.Welcome(1);
        rig.Host.AddForeignDevice("prod", "x1");
        await node.Hears<ReportFrames>();
        node.Say(new FramesStored(hello.Open.Inventory.StreamEpoch, -1), 1);

        var (_, again) = await _link.Welcome(2);

        Assert.Equal(1, again.Open.Inventory.LastSeq);
        Assert.True(node.Left);
    }

    [Fact]
    public async Task Word_that_is_not_for_an_agent_ends_the_stream()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        node.Say(new CheckHost(), 1);
        await _link.Welcome(2);
        Assert.True(node.Left);
    }

    [Fact]
    public async Task Node_that_asks_for_a_pause_gets_it()
    {
        var time = new FakeTimeProvider();
        await using var rig = new AgentRig(_link, time: time);
        var (node, _) = await _link.Welcome(1);
        var away = TimeSpan.FromSeconds(20);
        node.Say(new ComeAgain((int)away.TotalMilliseconds, "the node stops"), 1);
        await Eventually.Is(() => node.Left, "the agent leaves");
        var waited = TimeSpan.Zero;
        await Eventually.Is(() =>
        {
            if (_link.Opens == 1)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                waited += TimeSpan.FromSeconds(1);
            }
            return _link.Opens == 2;
        }, "the agent comes again");
        Assert.True(waited >= away, $"it came after {waited}");
    }

    [Fact]
    public async Task Command_whose_answer_is_lost_begins_anew_when_it_comes_again()
    {
        var time = new FakeTimeProvider();
        var lost = 1;
        var host = new SimulatedDriverOptions
        {
            Fate = _ => Interlocked.Exchange(ref lost, 0) == 1 ? CommandFate.AnswerLost : CommandFate.Once,
        };
        await using var rig = new AgentRig(_link, time: time, host: host);
        var (node, _) = await _link.Welcome(1);
        node.Hand(Orders.Switch(), 1);
        await Eventually.Is(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            node.Hand(Orders.Switch(), 1);
            return rig.Driver.Begun.Count == 2;
        }, "the command begins anew");
        Assert.Equal(NdisStatus.Success, (await node.Hears<ReportCompletion>()).Completion.Status);
    }

    [Fact]
    public async Task Command_over_the_bound_is_dropped_and_taken_when_there_is_room()
    {
        await using var rig = new AgentRig(_link, AgentRig.Quick with { CommandsMax = 1 });
        var (node, _) = await _link.Welcome(1);
        node.Hand(Orders.Switch("a"), 1);
        await node.Hears<ReportCompletion>();
        node.Hand(Orders.Switch("b"), 1);
        await Eventually.Is(() => rig.Agent.CommandsDropped == 1, "the second is dropped");
        node.Say(new CompletionTaken(Orders.Switch("a").CommandId), 1);
        node.Hand(Orders.Switch("b"), 1);
        Assert.Equal(Orders.Switch("b").CommandId, (await node.Hears<ReportCompletion>()).Completion.CommandId);
    }

    [Fact]
    public async Task Stopping_agent_says_good_bye_and_leaves_the_devices()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        node.Hand(Orders.Switch(), 1);
        await node.Hears<ReportCompletion>();
        await rig.Stop();

        Assert.Equal(1, (await node.Hears<CloseSession>()).Session);
        Assert.Equal(["prod"], (await rig.Host.Snapshot(CancellationToken.None)).Switches);
    }

    static void Foreign(AgentRig rig, int count)
    {
        for (var i = 0; i < count; i++)
        {
            rig.Host.AddForeignDevice("prod", $"x{i}");
        }
    }
}
