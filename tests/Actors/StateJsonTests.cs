using System.Collections.Immutable;
using ControlPlane.Actors;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

public sealed class StateJsonTests
{
    [Fact]
    public void Switch_with_an_errand_and_an_open_oid_is_kept()
    {
        var id = EntityId.Switch("hv01", "sw");
        var port = EntityId.Port("hv01", "sw", "p1");
        var request = new OidRequest("r1", OidCode.PortCreate, 1, 0, new PortParameters("p1"));
        var state = new SwitchState.Here(
            id, new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, []), SwitchStage.Ready, 1, null, 2,
            ImmutableSortedDictionary<uint, SwitchPort>.Empty.Add(1, new SwitchPort(1, "p1", port, PortType.Synthetic, false, ImmutableSortedDictionary<int, SwitchNic>.Empty)),
            new SlotOid("m1", request, false, port, null, StackVerdict.Empty), [new QueuedOid("m2", request, true)],
            ImmutableSortedDictionary<string, Errand>.Empty.Add("m3", new Errand("m3", port, new TakeHold("h", "x", "y"))),
            ImmutableSortedDictionary<string, EntityId>.Empty.Add("h", port), ImmutableSortedDictionary<string, int>.Empty,
            ImmutableSortedDictionary<EntityId, ReportDevice>.Empty.Add(port, new ReportDevice("s", true, new DeviceState("k", "sw", "p1", "d", true, true, true, 1, 1))));
        var bytes = StateNames.Encode(id, state);
        var back = (SwitchState.Here)StateNames.Decode(id, StateNames.Of(id), bytes);
        Assert.Equal(new TakeHold("h", "x", "y"), back.Errands["m3"].Body);
        Assert.Equal(bytes, StateNames.Encode(id, back));
        Assert.Equal(SwitchLifecycle.Outstanding(state), SwitchLifecycle.Outstanding(back));
    }

    [Fact]
    public void Switch_that_was_kept_before_rejections_were_counted_has_none()
    {
        var id = EntityId.Switch("hv01", "sw");
        var state = SwitchLifecycle.Evolve(SwitchLifecycle.Initial(id), new SwitchDefined(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [])));
        var json = System.Text.Json.Nodes.JsonNode.Parse(StateNames.Encode(id, state))!.AsObject();
        Assert.True(json.Remove("rejections"));
        var back = (SwitchState.Here)StateNames.Decode(id, StateNames.Of(id), System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()));
        Assert.Empty(back.Rejections);
        Assert.Single(SwitchLifecycle.Outstanding(back)); // the host's command alone
    }
}
