using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.Host.Agents;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Agent.Tests;

public sealed class LocalAgentsTests
{
    [Fact]
    public async Task Hosts_of_a_process_come_back_with_their_devices_after_a_restart()
    {
        await using var node = await NodeRig.Start();
        var options = new LocalAgentsOptions(["hv01", "hv02"], "simulated", Path.Combine(Path.GetDirectoryName(node.Socket)!, "agents"), [node.Socket]);
        await using (var agents = new LocalAgents(options, TimeProvider.System, NullLoggerFactory.Instance))
        {
            await agents.StartAsync(CancellationToken.None);
            await Eventually.Is(() => agents.Online == 2, "both hosts are online");
            await node.Bridges.Issue("hv01", Orders.Switch()).Soon();
            await node.Bridges.Issue("hv01", Orders.Nic(DriverVerb.CreateNic)).Soon();
            await agents.StopAsync(CancellationToken.None).Soon();
        }
        Assert.Equal(2, node.Bridges.Heard.OfType<CloseSession>().Count(close => close.Reason == "the agent stops"));

        using var stop = new CancellationTokenSource();
        var running = LocalAgents.RunAgent(options, TimeProvider.System, NullLoggerFactory.Instance, stop.Token);
        var connected = await node.Bridges.Issue("hv01", Orders.Nic(DriverVerb.ConnectNic, revision: 2)).Soon();
        await stop.CancelAsync();
        await running.Soon();

        Assert.Equal((NdisStatus.Success, true), (connected.Status, connected.Observed!.Up));
        Assert.True(File.Exists(Path.Combine(options.StateDirectory, "hv01", "simulated.json")));
    }

    [Fact]
    public async Task Unknown_driver_is_an_error_of_the_start()
    {
        var options = new LocalAgentsOptions(["hv01"], "magic", Path.GetTempPath(), ["none.sock"]);
        await using var agents = new LocalAgents(options, TimeProvider.System, NullLoggerFactory.Instance);
        await Assert.ThrowsAsync<ArgumentException>(() => agents.StartAsync(CancellationToken.None));
    }
}
