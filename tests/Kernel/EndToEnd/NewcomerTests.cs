using System.Text.Json.Nodes;
using ControlPlane.Tests;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>The five minutes of README.md, through run.sh and cpctl as a person has them.</summary>
[Collection(Alone.Name)]
public sealed class NewcomerTests : IAsyncLifetime
{
    readonly ControlPlaneProcess _plane = new();

    public async Task InitializeAsync()
    {
        if (RootFactAttribute.CanRun)
        {
            await _plane.StartByScript();
        }
    }

    public async Task DisposeAsync() => await _plane.DisposeAsync();

    [RootFact]
    public async Task Five_minutes_of_the_readme_end_as_they_promise_and_Ctrl_C_leaves_nothing()
    {
        Assert.Contains(_plane.Log, line => line.StartsWith("starting on http://127.0.0.1:", StringComparison.Ordinal));
        Assert.Equal(["hv01", "hv02"], (await Items("host", "list")).Select(host => host["name"]!.ToString()));
        await Expect(0, "status");

        await Expect(0, "switch", "set", "hv01/vsw0", "--kind", "private");
        await Expect(0, "vm", "set", "web-1", "--host", "hv01", "--nic", "name=eth0,switch=vsw0,mac=00-15-5d-01-02-03");
        await Expect(0, "vm", "set", "web-2", "--host", "hv01", "--nic", "name=eth0,switch=vsw0,mac=00-15-5d-01-02-04");
        await Expect(0, "vm", "start", "web-1");
        await Expect(0, "vm", "start", "web-2");
        Assert.Equal(
            ["OID_SWITCH_PORT_CREATE", "OID_SWITCH_NIC_CREATE", "OID_SWITCH_NIC_CONNECT"],
            await OidsOf((await Items("nic", "history", "web-1/eth0"))[^1]["correlation"]!.ToString()));
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("web-1", "10.1.2.4")), "a ping");

        await ADeleteWaitsForItsHold();
        await Refusals();

        Assert.Equal("running", await State("vm", "web-2"));
        Assert.Equal(0, await _plane.Interrupt());
        Assert.Empty(_plane.Namespaces());
    }

    async Task ADeleteWaitsForItsHold()
    {
        var portId = (await Items("port", "list", "hv01/vsw0")).Single(port => port["portName"]!.ToString() == "web-1--eth0")["portId"]!.ToString();
        var hold = (await Json(
            "hold", "add", "hv01/vsw0", "--port-id", portId, "--nic-index", "0", "--holder", "me", "--purpose", "demo"))["id"]!.ToString();
        var (_, waiting) = await Expect(4, "vm", "stop", "web-1", "--wait", "1s");
        Assert.Contains("still running", waiting, StringComparison.Ordinal);
        Assert.Equal("Disconnected", await State("nic", "web-1/eth0"));
        Assert.Equal("stopping", await State("vm", "web-1"));
        Assert.False(_plane.Ping("web-2", "10.1.2.3"), "the gate is closed while the delete waits");

        await Expect(0, "hold", "remove", "hv01/vsw0", hold);
        await ControlPlaneProcess.Until(async () => await State("vm", "web-1") == "stopped", "the stop completes by itself");
        Assert.Equal(
            ["OID_SWITCH_NIC_DISCONNECT", "OID_SWITCH_NIC_DELETE", "OID_SWITCH_PORT_TEARDOWN", "OID_SWITCH_PORT_DELETE"],
            await OidsOf((await Items("vm", "history", "web-1"))[^1]["correlation"]!.ToString()));
    }

    async Task Refusals()
    {
        var (_, running) = await Expect(1, "vm", "start", "web-2");
        Assert.Contains("Only a stopped VM starts", running, StringComparison.Ordinal);
        await Expect(
            0, "switch", "set", "hv01/small", "--kind", "private", "--extension", "name=filter.quota,class=filter,setting.maxPorts=1");
        await Expect(0, "vm", "set", "greedy", "--host", "hv01", "--nic", "name=eth0,switch=small", "--nic", "name=eth1,switch=small");
        var (_, greedy) = await Expect(1, "vm", "start", "greedy");
        Assert.Contains("filter.quota", greedy, StringComparison.Ordinal);
        Assert.Empty(await Items("port", "list", "hv01/small"));

        await Expect(2, "vm", "start");
        var (exitCode, _, error) = await _plane.Cpctl(["host", "list"], FreePorts.Next());
        Assert.True(exitCode == 3, $"{exitCode}: {error}");
    }

    async Task<IEnumerable<string>> OidsOf(string correlation) =>
        (await Items("events", "--correlation", correlation)).Select(happened => happened["oid"]?.ToString()).OfType<string>();

    async Task<string> State(string kind, string name) => (await Json(kind, "show", name))["state"]!.ToString();

    async Task<List<JsonNode>> Items(params string[] arguments) =>
        [.. (await Json(arguments))["items"]!.AsArray().Select(item => item!)];

    async Task<JsonNode> Json(params string[] arguments) =>
        JsonNode.Parse((await Expect(0, [.. arguments, "--output", "json"])).Output)!;

    async Task<(string Output, string Error)> Expect(int exitCode, params string[] arguments)
    {
        var (ended, output, error) = await _plane.Cpctl(arguments);
        Assert.True(ended == exitCode, $"cpctl {string.Join(' ', arguments)}: {ended} instead of {exitCode}. {output} {error}");
        return (output, error);
    }
}

/// <summary>run.sh builds: it runs while no other test starts what is built.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
