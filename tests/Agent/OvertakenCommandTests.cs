using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.Messages;

namespace ControlPlane.Agent.Tests;

/// <summary>A command that arrives after a newer one for the same NIC never reaches the data path.</summary>
public sealed class OvertakenCommandTests
{
    readonly FakeLink _link = new();

    [Fact]
    public async Task Older_command_that_arrives_after_a_newer_one_is_answered_and_not_begun()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        node.Hand(Orders.Nic(DriverVerb.DisconnectNic, revision: 4), 1);
        await node.Hears<ReportCompletion>();
        var late = Orders.Nic(DriverVerb.RepairNic, revision: 3, up: true);
        node.Hand(late, 1);

        var (session, completion) = await node.Hears<ReportCompletion>();
        Assert.Equal((1, late.CommandId, NdisStatus.InvalidParameter), (session, completion.CommandId, completion.Status));
        Assert.Contains("overtaken by 1.4", completion.Detail, StringComparison.Ordinal);
        Assert.Single(rig.Driver.Begun);
    }

    [Fact]
    public async Task Command_that_was_carried_out_before_it_was_overtaken_is_answered_as_it_was()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        var first = Orders.Nic(DriverVerb.DisconnectNic, revision: 3);
        node.Hand(first, 1);
        var answered = await node.Hears<ReportCompletion>();
        node.Hand(Orders.Nic(DriverVerb.DisconnectNic, revision: 4), 1);
        await node.Hears<ReportCompletion>();
        node.Hand(first, 1);
        Assert.Equal(answered, await node.Hears<ReportCompletion>());
    }

    [Fact]
    public async Task Deleted_NIC_is_forgotten_and_the_tombstone_refuses_what_comes_late()
    {
        await using var rig = new AgentRig(_link);
        var (node, _) = await _link.Welcome(1);
        node.Hand(Orders.Nic(DriverVerb.DeleteNic, revision: 4), 1);
        await node.Hears<ReportCompletion>();
        node.Hand(Orders.Nic(DriverVerb.RepairNic, revision: 3, up: true), 1);
        Assert.Contains("tombstoned", (await node.Hears<ReportCompletion>()).Completion.Detail, StringComparison.Ordinal);
    }
}
