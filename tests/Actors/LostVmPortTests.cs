using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>What a switch tells a VM of the NICs that it lost (switch.md 9.5.4).</summary>
public sealed class LostVmPortTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");

    [Fact]
    public void Nic_whose_port_is_there_is_left_to_the_vm_to_take_down()
    {
        var defined = (SwitchState.Here)SwitchLifecycle.Evolve(
            SwitchLifecycle.Initial(Sw), new SwitchDefined(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [])));
        var port = new SwitchPort(
            7, "web--eth1", EntityId.Port("hv01", "sw", "web--eth1"), PortType.Synthetic, false, ImmutableSortedDictionary<int, SwitchNic>.Empty);
        var state = defined with
        {
            Stage = SwitchStage.Ready,
            Ports = defined.Ports.Add(7, port),
            Losses = defined.Losses.Add(
                EntityId.Vm("web"), new SwitchLoss(7, null, 2, HostLoss.Rebooted, 1) { Nics = ["eth0", "eth1"] }),
        };

        var told = SwitchLifecycle.Outstanding(state).OfType<Effect.Ask>().Select(ask => ask.Body).OfType<LoseVm>();
        Assert.Equal(["eth0"], Assert.Single(told).Nics);
    }
}
