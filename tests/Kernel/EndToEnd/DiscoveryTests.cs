using System.Diagnostics;
using System.Text.Json.Nodes;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>Devices of a real bridge that no NIC knows: seen at once by an event, or at the latest when the host connects.</summary>
public sealed class DiscoveryTests : IAsyncLifetime
{
    readonly ControlPlaneProcess _plane = new();

    public async Task InitializeAsync()
    {
        if (RootFactAttribute.CanRun)
        {
            await _plane.Start();
        }
    }

    public async Task DisposeAsync() => await _plane.DisposeAsync();

    [RootFact]
    public async Task Foreign_veth_on_the_bridge_is_discovered_within_a_second_and_goes_with_it()
    {
        await _plane.DefineSwitch("hv01", drift: "repair");
        Ip("link", "add", "stranger", "type", "veth", "peer", "name", "far");

        var clock = Stopwatch.StartNew();
        Ip("link", "set", "stranger", "master", "vsw0");
        await ControlPlaneProcess.Until(async () => (await Discovered()).Count == 1, "it is discovered", TimeSpan.FromSeconds(1));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"it took {clock.Elapsed}");
        var found = (await Discovered())[0]!;
        Assert.Equal(("stranger", false, false), (found["device"]!.ToString(), (bool)found["up"]!, (bool)found["leftOver"]!));

        Ip("link", "set", "stranger", "nomaster");
        await ControlPlaneProcess.Until(async () => (await Discovered()).Count == 0, "it is off the switch");
        Assert.Contains("\"stranger\"", ControlPlaneProcess.Run("ip", "-n", _plane.Prefix + "hv01", "-j", "link", "show"), StringComparison.Ordinal);
    }

    [RootFact]
    public async Task Device_that_was_left_behind_is_found_when_the_host_connects_and_removed_under_repair()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineVm("web-1", "hv01");
        await _plane.Run("web-1", "start");
        var link = Assert.Single(_plane.Links("hv01"));
        var (device, alias) = (link["ifname"]!.ToString(), link["ifalias"]!.ToString());
        await _plane.Run("web-1", "stop");
        Assert.Empty(_plane.Devices("hv01"));

        await _plane.Kill();
        Ip("link", "add", device, "type", "veth", "peer", "name", "far");
        Ip("link", "set", device, "alias", alias);
        Ip("link", "set", device, "master", "vsw0");
        await _plane.Start();

        await ControlPlaneProcess.Until(async () => (await Discovered()).Count == 1, "it is discovered");
        var found = (await Discovered())[0]!;
        Assert.Equal((device, "nic/web-1/eth0", true), (found["device"]!.ToString(), found["nic"]!.ToString(), (bool)found["leftOver"]!));
        Assert.Equal([device], _plane.Devices("hv01"));

        await _plane.DefineSwitch("hv01", drift: "repair");
        await ControlPlaneProcess.Until(async () => (await Discovered()).Count == 0, "it is removed");
        Assert.Empty(_plane.Devices("hv01"));

        await _plane.Run("web-1", "start");
        Assert.True((bool)(await _plane.Get("/v1/nics/web-1/eth0"))!["ready"]!);
    }

    async Task<JsonArray> Discovered() => (await _plane.Get("/v1/hosts/hv01/switches/vsw0"))!["discovered"]!.AsArray();

    void Ip(params string[] arguments) => ControlPlaneProcess.Run("ip", ["-n", _plane.Prefix + "hv01", .. arguments]);
}
