using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>A running VM is moved between two hosts of a real kernel, with its traffic (switch.md 4.4).</summary>
public sealed class MoveTests(ITestOutputHelper output) : IAsyncLifetime
{
    const int Moves = 6;

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
    public async Task Vm_is_moved_back_and_forth_under_a_ping_and_no_answer_comes_twice()
    {
        foreach (var host in (string[])["hv01", "hv02"])
        {
            await _plane.DefineSwitch(host);
        }
        await _plane.DefineVm("web-1", "hv01", "eth0", "eth1");
        await _plane.DefineVm("db-1", "hv01");
        await _plane.Run("web-1", "start");
        await _plane.Run("db-1", "start");
        var address = await _plane.AddressOf("web-1");
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("db-1", address)), "a ping before the moves");

        string[] often = ["netns", "exec", $"{_plane.Prefix}vm-db-1", "ping", "-i", "0.01", "-w", "120", address];
        using var ping = Process.Start(new ProcessStartInfo("ip", often) { RedirectStandardOutput = true })!;
        var said = ping.StandardOutput.ReadToEndAsync();
        var blackouts = new List<double>();
        for (var move = 1; move <= Moves; move++)
        {
            var (from, to) = move % 2 == 1 ? ("hv01", "hv02") : ("hv02", "hv01");
            var operation = await _plane.Done(HttpMethod.Post, "/v1/vms/web-1/migrations?wait=60s", new { destination = to });
            Assert.Equal("done", operation!["state"]!.ToString());
            var id = string.Create(CultureInfo.InvariantCulture, $"web-1~{move}");
            await ControlPlaneProcess.Until(
                async () => (await _plane.Get($"/v1/migrations/{id}"))?["certificate"]?["moved"]?.GetValue<bool>() == true, $"the end of {id}");
            blackouts.Add((await _plane.Get($"/v1/migrations/{id}"))!["blackoutMs"]!.GetValue<double>());
            Assert.Equal(2, Here(to));
            Assert.Equal(0, Here(from));
            await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("db-1", address)), $"a ping after move {move}");
        }
        ControlPlaneProcess.Run("kill", "-INT", $"{ping.Id}");
        var report = await said;
        Assert.DoesNotContain("DUP!", report);
        var lost = Regex.Match(report, @"(\d+) packets transmitted, (\d+) received");
        Assert.True(lost.Success, report);
        var line = string.Create(CultureInfo.InvariantCulture,
            $"strict, two NICs, {Moves} moves: blackout {string.Join(", ", blackouts.Select(ms => ms.ToString("0", CultureInfo.InvariantCulture)))} ms; of {lost.Groups[1]} pings, one each 10 ms, {lost.Groups[2]} were answered");
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("CONTROLPLANE_FIGURES") is { Length: > 0 } file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.AppendAllTextAsync(file, line + "\n");
        }
    }

    [RootFact]
    public async Task Vm_that_the_destination_does_not_take_runs_on_where_it_was()
    {
        await _plane.DefineSwitch("hv01");
        await _plane.DefineSwitch("hv02", extensions:
        [
            new
            {
                name = "test.verdict",
                @class = "filter",
                enabled = true,
                settings = new { verdicts = new[] { new { oid = "OID_SWITCH_NIC_CREATE", status = "NDIS_STATUS_RESOURCES", times = 9 } } },
            },
        ]);
        await _plane.DefineVm("web-1", "hv01");
        await _plane.DefineVm("db-1", "hv01");
        await _plane.Run("web-1", "start");
        await _plane.Run("db-1", "start");
        var address = await _plane.AddressOf("web-1");
        var (status, operation) = await _plane.Send(HttpMethod.Post, "/v1/vms/web-1/migrations?wait=60s", new { destination = "hv02" });
        Assert.True(operation!["state"]?.ToString() == "refused", $"{status} {operation}");
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping("db-1", address)), "a ping where it was");
        await ControlPlaneProcess.Until(
            async () => (await _plane.Get("/v1/migrations/web-1~1"))!["state"]!.ToString() == "rolledBack", "the destination is clean");
        Assert.Empty(_plane.Devices("hv02"));
    }

    int Here(string host) => _plane.Links(host).Count(link => link["ifalias"]!.ToString().Contains("nic/web-1", StringComparison.Ordinal));
}
