using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>Of the commands that shape one NIC's device, the bridge hands out the newest alone (design.md 5).</summary>
public sealed class OvertakenCommandTests
{
    const string Nic = "nic/web/eth0";

    BridgeState _state = BridgeLifecycle.Evolve(
        BridgeLifecycle.Initial(EntityId.Bridge("hv01")), new AgentSessionOpened(1, "memory", "1", true, "boot", 1, 0, [], []));

    [Fact]
    public void Newer_command_takes_the_place_of_one_that_waits_and_that_one_is_answered()
    {
        Issue("repair", DriverVerb.RepairNic, 1, 3);
        var decision = Issue("disconnect", DriverVerb.DisconnectNic, 1, 4);

        var late = Assert.Single(decision.Late);
        Assert.Equal(("repair", "command.overtaken", false), (late.MessageId, late.Refusal?.Code, late.Refusal?.Transient));
        Assert.Equal(["disconnect"], Handed());
    }

    [Fact]
    public void Command_of_a_lower_revision_that_comes_later_is_refused_also_when_the_newer_one_is_done()
    {
        Issue("disconnect", DriverVerb.DisconnectNic, 1, 4);
        Assert.Equal("command.overtaken", Refused("repair", DriverVerb.RepairNic, 1, 3));
        Follow(new CommandCompleted("disconnect", new Completion("disconnect", NdisStatus.Success)));
        Assert.Equal("command.overtaken", Refused("repair", DriverVerb.RepairNic, 1, 3));
        Assert.Equal("command.overtaken", Refused("old", DriverVerb.ConnectNic, 0, 9));
        Assert.Empty(Handed());
    }

    [Fact]
    public void Deletion_is_the_last_command_of_its_epoch_and_the_next_epoch_begins_anew()
    {
        Issue("delete", DriverVerb.DeleteNic, 1, 2);
        Assert.Equal("command.overtaken", Refused("connect", DriverVerb.ConnectNic, 1, 3));
        Issue("left-over", DriverVerb.DeleteNic, 1, 1);
        Assert.Equal(["delete", "left-over"], Handed());

        Issue("create", DriverVerb.CreateNic, 2, 1);
        Assert.Equal(["create"], Handed());
    }

    [Fact]
    public void Command_that_is_never_answered_holds_back_neither_its_NIC_nor_another()
    {
        Issue("create", DriverVerb.CreateNic, 1, 1);
        Issue("other", DriverVerb.CreateNic, 1, 1, "nic/db/eth0");
        Issue("again", DriverVerb.CreateNic, 2, 1);
        Assert.Equal(["again", "other"], Handed());
    }

    [Fact]
    public void Reading_takes_nobodys_place_and_is_never_overtaken()
    {
        Issue("policy", DriverVerb.ApplyPolicy, 1, 5);
        Issue("read", DriverVerb.ReadNic, 1, 4);
        Assert.Equal(["policy", "read"], Handed());
    }

    [Fact]
    public void Same_command_again_is_not_overtaken_by_itself()
    {
        Issue("connect", DriverVerb.ConnectNic, 1, 2);
        Issue("connect", DriverVerb.ConnectNic, 1, 2);
        Assert.Equal(["connect"], Handed());
    }

    [Fact]
    public void State_of_before_revisions_were_kept_refuses_lower_epochs_and_takes_what_follows()
    {
        _state = _state with { Epochs = _state.Epochs.Add(Nic, 3) };
        Assert.Equal("command.overtaken", Refused("old", DriverVerb.RepairNic, 2, 7));
        Issue("connect", DriverVerb.ConnectNic, 3, 2);
        Assert.Equal(["connect"], Handed());
    }

    Decision<BridgeEvent>.Accepted Issue(string id, DriverVerb verb, long epoch, long revision, string nic = Nic)
    {
        var decision = Assert.IsType<Decision<BridgeEvent>.Accepted>(Decide(id, verb, epoch, revision, nic));
        Follow([.. decision.Events]);
        return decision;
    }

    string Refused(string id, DriverVerb verb, long epoch, long revision) =>
        Assert.IsType<Decision<BridgeEvent>.Refused>(Decide(id, verb, epoch, revision, Nic)).Refusal.Code;

    Decision<BridgeEvent> Decide(string id, DriverVerb verb, long epoch, long revision, string nic) => BridgeLifecycle.Decide(
        _state, new IssueCommand(new DriverCommand(id, verb, "sw", "p", NicKey: nic, Epoch: epoch, Revision: revision)),
        new Turn(default, id, "system", "c", null));

    void Follow(params BridgeEvent[] events) => _state = events.Aggregate(_state, BridgeLifecycle.Evolve);

    IEnumerable<string> Handed() => BridgeLifecycle.Outstanding(_state).OfType<Effect.Drive>().Select(drive => drive.Command.CommandId);
}
