using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>
/// The state graphs in docs/actors are those of the code. CONTROLPLANE_WRITE_DOCS=1 writes them anew.
/// </summary>
public sealed class StateGraphTests
{
    const string Begin = "<!-- graph: from the code -->\n";
    const string End = "<!-- end of graph -->\n";

    public static TheoryData<string> Actors => ["port", "nic", "switch", "bridge", "vm", "migration"];

    [Theory]
    [MemberData(nameof(Actors))]
    public void Graph_on_the_page_is_the_graph_of_the_code(string actor)
    {
        var file = Path.Combine(Repo.Root, "docs", "actors", $"{actor}.md");
        var page = File.ReadAllText(file);
        var (begin, end) = (page.IndexOf(Begin, StringComparison.Ordinal), page.IndexOf(End, StringComparison.Ordinal));
        Assert.True(begin >= 0 && end > begin, $"{file} has no place for the graph");
        var graph = Graph(actor);
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_WRITE_DOCS") == "1")
        {
            File.WriteAllText(file, page[..(begin + Begin.Length)] + graph + page[end..]);
            return;
        }
        Assert.Equal(page[(begin + Begin.Length)..end], graph);
    }

    static string Graph(string actor) => actor switch
    {
        "port" => StateGraph.Of<PortLifecycle, PortState, PortEvent>(EntityId.Port("hv01", "sw", "p1"), state => state.GetType().Name).Markdown("Absent"),
        "nic" => StateGraph.Of<NicLifecycle, NicState, NicEvent>(EntityId.Nic("web-1", "eth0"), state => state.GetType().Name).Markdown("Absent"),
        "switch" => StateGraph.Of<SwitchLifecycle, SwitchState, SwitchEvent>(
            EntityId.Switch("hv01", "sw"), state => state is SwitchState.Here here ? here.Stage.ToString() : "Absent").Markdown("Absent"),
        "bridge" => StateGraph.Of<BridgeLifecycle, BridgeState, BridgeEvent>(
            EntityId.Bridge("hv01"), state => state.Removed ? "Removed" : state.Online ? "Online" : "Offline").Markdown("Offline"),
        "vm" => StateGraph.Of<VmLifecycle, VmState, VmEvent>(EntityId.Vm("web-1"), state => state.GetType().Name).Markdown("Undefined"),
        "migration" => StateGraph.Of<MigrationLifecycle, MigrationState, MigrationEvent>(
            EntityId.Migration("web-1", 1), state => state.GetType().Name).Markdown("Unknown"),
        _ => throw new ArgumentOutOfRangeException(nameof(actor), actor, null),
    };
}
